"""What a desk is made of."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_nb.broker.emergency import Place
from hydra_nb.broker.port import BrokerPort
from hydra_nb.desk.clocks import LoopClock
from hydra_nb.desk.head_keeper import HeadKeeper
from hydra_nb.journal import Journal
from hydra_nb.order_manager import OrderManager
from hydra_nb.order_manager.alert_book import AlertBook
from hydra_nb.reconcile import Reconciler, Rounds
from hydra_nb.risk.gate import RiskGate

if TYPE_CHECKING:
    from hydra_nb.desk.desk import Desk


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """The rooms under a desk; `connect` builds them, `Desk.close` takes them down.

    `place` is where the broker is connected; `embedded` says that its market ends with this process; `who` is the
    user of the operating system, for the journal only. `alert_book` knows the alerts that earlier processes left,
    `alert_command` is the program that a person is called with.
    """

    broker: BrokerPort
    journal: Journal
    gate: RiskGate
    manager: OrderManager
    reconciler: Reconciler
    heads: HeadKeeper
    rounds: Rounds
    clock: LoopClock
    seeds: random.Random
    alert_book: AlertBook
    alert_command: tuple[str, ...] | None
    is_virtual: bool
    place: Place
    embedded: bool
    who: str
    on_closed: Callable[["Desk"], None]
