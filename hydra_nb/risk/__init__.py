"""Pure checks over a snapshot, and the gate that every order passes."""

from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import RiskSnapshot
from hydra_nb.risk.verdict import Approved, Decision, Refused, WouldPass

__all__ = ["Approved", "Decision", "Limits", "Refused", "RiskGate", "RiskSnapshot", "WouldPass"]
