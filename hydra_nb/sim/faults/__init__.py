"""Faults of the simulated gateway: what can go wrong on the wire, in messages and at the venue, on purpose.

A `FaultScript` says what goes wrong and when; `FAULTS` is the table of kinds. Give the script to `GatewayCore`,
`SimulatedGateway` or ``hydra-nb gateway --faults FILE``; what was done is in ``fault_log``, and ``heal`` ends it all.
"""

from hydra_nb.sim.faults.kinds import STATES, FaultKind, Level, Occasion, Parameter
from hydra_nb.sim.faults.log import FaultEntry
from hydra_nb.sim.faults.script import Fault, FaultRates, FaultScript, FaultScriptError
from hydra_nb.sim.faults.table import FAULTS, faults_table, illegal_pairs, illegal_table

__all__ = [
    "FAULTS",
    "STATES",
    "Fault",
    "FaultEntry",
    "FaultKind",
    "FaultRates",
    "FaultScript",
    "FaultScriptError",
    "Level",
    "Occasion",
    "Parameter",
    "faults_table",
    "illegal_pairs",
    "illegal_table",
]
