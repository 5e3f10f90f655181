"""Execute orders in thin commodity futures from a Jupyter notebook, through Interactive Brokers.

::

    import hydra_nb

    desk = await hydra_nb.connect()
    plan = await desk.preview("BUY", 13, "ZO", slices=5, duration="50m")
    execution = await desk.submit(plan)
    fills = (await execution).fills

Names are loaded when they are first used; importing the package has no side effects.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra_nb import errors as errors
    from hydra_nb.analysis.slippage import SlippageReconciler as SlippageReconciler
    from hydra_nb.analysis.tca import implementation_shortfall as implementation_shortfall
    from hydra_nb.analysis.tca import tca as tca
    from hydra_nb.broker.gateway import BrokerGateway as BrokerGateway
    from hydra_nb.desk.basket.csv_file import read_basket as read_basket
    from hydra_nb.desk.basket.execution import BasketExecution as BasketExecution
    from hydra_nb.desk.basket.plan import BasketPlan as BasketPlan
    from hydra_nb.desk.connect import connect as connect
    from hydra_nb.desk.desk import Desk as Desk
    from hydra_nb.desk.execution import Execution as Execution
    from hydra_nb.desk.limit_setting import LimitsNotice as LimitsNotice
    from hydra_nb.desk.plan import Plan as Plan
    from hydra_nb.desk.runner.runner import AlreadyRun as AlreadyRun
    from hydra_nb.desk.runner.runner import Runner as Runner
    from hydra_nb.desk.sync import enable_sync as enable_sync
    from hydra_nb.desk.sync import run as run
    from hydra_nb.domain.instrument import FutureContract as FutureContract
    from hydra_nb.journal import Journal as Journal
    from hydra_nb.order_manager import AlreadySent as AlreadySent
    from hydra_nb.order_manager import OrderManager as OrderManager
    from hydra_nb.rehearsal.bounds import FillBounds as FillBounds
    from hydra_nb.rehearsal.bounds import rehearse_bounds as rehearse_bounds
    from hydra_nb.rehearsal.calibrate import calibrate as calibrate
    from hydra_nb.rehearsal.comparison import Comparison as Comparison
    from hydra_nb.rehearsal.impacted import ImpactedMarket as ImpactedMarket
    from hydra_nb.rehearsal.models import QueueReactiveMarket as QueueReactiveMarket
    from hydra_nb.rehearsal.models import SantaFeMarket as SantaFeMarket
    from hydra_nb.rehearsal.rehearsal import Rehearsal as Rehearsal
    from hydra_nb.rehearsal.rehearse import rehearse as rehearse
    from hydra_nb.rehearsal.tape_market import TapeMarket as TapeMarket
    from hydra_nb.rehearsal.with_faults import rehearse_faults as rehearse_faults
    from hydra_nb.rehearsal.worlds import ThinMarket as ThinMarket
    from hydra_nb.risk.gate import RiskGate as RiskGate
    from hydra_nb.risk.limits import Limits as Limits
    from hydra_nb.sim.gateway import SimulatedGateway as SimulatedGateway
    from hydra_nb.widgets.ticket import OrderTicket as OrderTicket

__version__ = "0.1.0"

_HOMES = {
    "AlreadyRun": "hydra_nb.desk.runner.runner",
    "AlreadySent": "hydra_nb.order_manager",
    "BasketExecution": "hydra_nb.desk.basket.execution",
    "BasketPlan": "hydra_nb.desk.basket.plan",
    "BrokerGateway": "hydra_nb.broker.gateway",
    "Comparison": "hydra_nb.rehearsal.comparison",
    "Desk": "hydra_nb.desk.desk",
    "Execution": "hydra_nb.desk.execution",
    "FillBounds": "hydra_nb.rehearsal.bounds",
    "FutureContract": "hydra_nb.domain.instrument",
    "ImpactedMarket": "hydra_nb.rehearsal.impacted",
    "Journal": "hydra_nb.journal",
    "Limits": "hydra_nb.risk.limits",
    "LimitsNotice": "hydra_nb.desk.limit_setting",
    "OrderManager": "hydra_nb.order_manager",
    "OrderTicket": "hydra_nb.widgets.ticket",
    "Plan": "hydra_nb.desk.plan",
    "QueueReactiveMarket": "hydra_nb.rehearsal.models",
    "Rehearsal": "hydra_nb.rehearsal.rehearsal",
    "RiskGate": "hydra_nb.risk.gate",
    "Runner": "hydra_nb.desk.runner.runner",
    "SantaFeMarket": "hydra_nb.rehearsal.models",
    "SimulatedGateway": "hydra_nb.sim.gateway",
    "SlippageReconciler": "hydra_nb.analysis.slippage",
    "TapeMarket": "hydra_nb.rehearsal.tape_market",
    "ThinMarket": "hydra_nb.rehearsal.worlds",
    "calibrate": "hydra_nb.rehearsal.calibrate",
    "connect": "hydra_nb.desk.connect",
    "enable_sync": "hydra_nb.desk.sync",
    "implementation_shortfall": "hydra_nb.analysis.tca",
    "run": "hydra_nb.desk.sync",
    "rehearse": "hydra_nb.rehearsal.rehearse",
    "rehearse_bounds": "hydra_nb.rehearsal.bounds",
    "rehearse_faults": "hydra_nb.rehearsal.with_faults",
    "read_basket": "hydra_nb.desk.basket.csv_file",
    "tca": "hydra_nb.analysis.tca",
}

__all__ = [*_HOMES, "errors"]  # noqa: PLE0604  the names are strings, given by the table above


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    if name == "errors":
        return import_module("hydra_nb.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'hydra_nb' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
