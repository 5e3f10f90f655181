"""The embedded simulated gateway: a thin futures market that speaks the TWS wire protocol.

`SimulatedGateway` serves it on loopback TCP, in real time or faster. `VirtualLoop` and `run_virtual` run it in memory,
under virtual time. Both stand on a core without I/O: `framing`, `messages`, `session` over `exchange`.
"""

from hydra_nb.sim.gateway import SimulatedGateway
from hydra_nb.sim.loop import SIM_HOST, VirtualGateway, VirtualLoop, run_virtual

__all__ = ["SIM_HOST", "SimulatedGateway", "VirtualGateway", "VirtualLoop", "run_virtual"]
