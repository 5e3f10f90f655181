"""What really happened: the exchange's own orders and fills, and every frame on the wire."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from hydra_nb.sim.connection import Session
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults.wire import FaultySession
from hydra_nb.sim.framing import WireError, decode
from hydra_nb.sim.messages import parse
from hydra_nb.sim.records import ExchangeEvent, Executed, Execution, OrderChanged, OrderStatus, OrderView
from hydra_nb.sim.requests import PlaceOrder
from hydra_nb.sim.session import GatewayCore
from hydra_nb.sim.wire_time import parse_time

OWN = "hy:"
MARKET_DATA, END_MARKET_DATA, PLACE, CANCEL, GLOBAL_CANCEL = 1, 2, 3, 4, 58
LOST_SERVERS, RESTORED_DATA_LOST, RESTORED = 1100, 1101, 1102
_SERVER_VERSION = 178
_ERROR = b"4\x00"
_FEES, _FEES_FIELDS = b"59\x00", 8
_DONE = (OrderStatus.FILLED, OrderStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFrame:
    """A place or a modify as its bytes say it; what cannot be read is None."""

    order_ref: str
    order_id: int
    client_id: int
    account: str
    con_id: int
    side: str
    lots: int | None
    limit_price: Decimal | None
    expires_ns: int | None
    order_type: str
    tif: str

    @property
    def parent_id(self) -> str:
        """The parent that the orderRef names."""
        return self.order_ref.split(":")[2]

    @property
    def slice_number(self) -> int:
        """The slice that the orderRef names."""
        return int(self.order_ref.split(":")[3])

    @property
    def content_hash(self) -> str:
        """SHA-256 over what the broker is told, by the journal's rule, computed here from the wire alone."""
        price = "" if self.limit_price is None else f"{self.limit_price.normalize():f}"
        content = (
            f"{self.order_ref}|{self.order_id}|{self.account}|{self.con_id}|{self.side}|{self.lots}"
            f"|{price}|{self.expires_ns}"
        )
        return hashlib.sha256(content.encode()).hexdigest()


def message_id(payload: bytes) -> int | None:
    """Number of the message; None for the handshake."""
    head = payload.partition(b"\0")[0]
    return int(head) if head.isdigit() else None


def cancelled_id(payload: bytes) -> int:
    """Order id that a cancel names."""
    return int(decode(payload)[2])


def error_code(payload: bytes) -> int | None:
    """Code of an error message of the gateway; None for every other message."""
    if not payload.startswith(_ERROR):
        return None
    try:
        code = decode(payload)[3]
    except (WireError, IndexError):
        return None
    return int(code) if code.lstrip("-").isdigit() else None


def told_fees(payload: bytes) -> str | None:
    """Execution id of a whole report of commission; None for every other message."""
    if not payload.startswith(_FEES):
        return None
    try:
        fields = decode(payload)
    except WireError:
        return None
    return fields[2] if len(fields) == _FEES_FIELDS else None


def is_what_if(payload: bytes) -> bool:
    """Whether a place frame carries the flag that keeps it from being an order, by the gateway's own reading."""
    request = parse(decode(payload), server_version=_SERVER_VERSION)
    return isinstance(request, PlaceOrder) and request.what_if


def read_place(payload: bytes, *, client_id: int) -> PlaceFrame | None:
    """Read a place frame, with the gateway's own reading of the layout."""
    request = parse(decode(payload), server_version=_SERVER_VERSION)
    if not isinstance(request, PlaceOrder):
        return None
    return PlaceFrame(
        order_ref=request.order_ref,
        order_id=request.order_id,
        client_id=client_id,
        account=request.account,
        con_id=request.contract.con_id,
        side=request.action,
        lots=_whole(request.quantity),
        limit_price=_finite(request.limit_price),
        expires_ns=parse_time(request.good_till) if request.good_till else None,
        order_type=request.order_type,
        tif=request.tif,
    )


def _finite(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return value if value.is_finite() and abs(value) < Decimal("1e300") else None


def _whole(text: str) -> int | None:
    value = _finite(text)
    return int(value) if value is not None and value == int(value) else None


class Mark(NamedTuple):
    """How much had happened at the exchange in an instant, and when that was by the gateway and by the desk."""

    events: int
    now_ns: int
    desk_now_ns: int


@dataclass(slots=True)
class TrueOrder:
    """One of our orders as the exchange knows it: by permanent id, because one frame may become two orders."""

    views: dict[int, OrderView] = field(default_factory=dict)
    families: dict[str, int] = field(default_factory=dict)
    gross_lots: int = 0
    past_its_end: int = 0
    excess_lots: int = 0

    @property
    def filled_lots(self) -> int:
        """Lots of the latest revision of every fill."""
        return sum(self.families.values())

    def note_excess(self) -> None:
        """Remember what only a venue at fault can have filled: past the order's end, or beyond its total.

        A bust takes lots back, but our ledger may hear of it after later fills; so all that was ever gained counts.
        """
        total = max((view.terms.lots for view in self.views.values()), default=0)
        beyond = self.past_its_end + max(0, self.gross_lots - self.past_its_end - total)
        self.excess_lots = max(self.excess_lots, beyond)

    def live_views(self) -> list[OrderView]:
        """What of it may still trade."""
        return [view for view in self.views.values() if view.status not in _DONE]

    @property
    def is_live(self) -> bool:
        """Whether anything of it may still trade."""
        return bool(self.live_views())

    @property
    def leaves(self) -> int:
        """Lots that may still trade; of two orders that a venue made of one, its lots once."""
        live = self.live_views()
        total = max((view.terms.lots for view in live), default=0)
        return min(sum(view.terms.lots - view.filled_lots for view in live), max(0, total - self.filled_lots))


class Truth:
    """The exchange's account of our orders, kept from its events.

    Attributes
    ----------
    orders
        By orderRef.
    refs_by_parent
        OrderRefs with fills, by parent id.
    foreign
        The latest view of each order that is not ours, by permanent id.
    fills
        Every execution of ours, in order.
    log
        Every change of an order and every execution, of whomsoever, in order.
    sessions
        The gateway's own connections.
    holds_back
        Whether the gateway has read a request for an order (client id, order id) on which it will only act later.
    """

    def __init__(self) -> None:
        self.orders: dict[str, TrueOrder] = {}
        self.refs_by_parent: dict[str, list[str]] = {}
        self.foreign: dict[int, OrderView] = {}
        self.fills: list[Execution] = []
        self.log: list[OrderChanged | Executed] = []
        self.sessions: list[Session] = []
        self.holds_back: Callable[[int, int], bool] = lambda _client_id, _order_id: False
        self.on_event: Callable[[ExchangeEvent], None] | None = None

    def note(self, event: ExchangeEvent) -> None:
        """Take an event of the exchange in."""
        if isinstance(event, OrderChanged | Executed):
            self.log.append(event)
        if isinstance(event, OrderChanged):
            view = event.order
            if view.terms.order_ref.startswith(OWN):
                self.orders.setdefault(view.terms.order_ref, TrueOrder()).views[view.perm_id] = view
            else:
                self.foreign[view.perm_id] = view
        elif isinstance(event, Executed) and event.execution.order_ref.startswith(OWN):
            self._note_fill(event.execution)
        if self.on_event is not None and isinstance(event, OrderChanged | Executed):
            self.on_event(event)

    def _note_fill(self, fill: Execution) -> None:
        family, _, _ = fill.exec_id.rpartition(".")
        order = self.orders.setdefault(fill.order_ref, TrueOrder())
        view = order.views.get(fill.perm_id)
        gained = max(0, fill.lots - order.families.get(family, 0))
        if view is not None and view.status in _DONE:
            order.past_its_end += gained
        order.gross_lots += gained
        order.families[family] = fill.lots
        order.note_excess()
        self.fills.append(fill)
        refs = self.refs_by_parent.setdefault(fill.order_ref.split(":")[2], [])
        if fill.order_ref not in refs:
            refs.append(fill.order_ref)

    def filled_of(self, parent_id: str) -> int:
        """Lots of a parent that traded, by the latest revisions."""
        return sum(self.orders[ref].filled_lots for ref in self.refs_by_parent.get(parent_id, ()))

    def excess_of(self, parent_id: str) -> int:
        """Lots of a parent that a venue at fault filled beyond what was ordered."""
        return sum(self.orders[ref].excess_lots for ref in self.refs_by_parent.get(parent_id, ()))

    @property
    def is_line_lost(self) -> bool:
        """Whether the gateway's end of a connection reads nothing, or sends nothing."""
        return any(isinstance(one, FaultySession) and (one.is_deaf or one.is_mute) for one in self.sessions)

    def live_refs(self) -> list[str]:
        """Our orders that may still trade."""
        return [ref for ref, order in self.orders.items() if order.is_live]


class WitnessCore(GatewayCore):
    """The simulated gateway, whose exchange tells the truth aside."""

    def __init__(self, exchange: Exchange, **how: Any) -> None:
        super().__init__(exchange, **how)
        self.truth = Truth()
        self.truth.sessions = self.sessions
        self.truth.holds_back = self._holds_back

    def _holds_back(self, client_id: int, order_id: int) -> bool:
        if self._faults is None:
            return False
        held = any(
            session.client_id == client_id and getattr(request, "order_id", None) == order_id
            for session, request in self._faults.held
        )
        return held or self._faults._busy_until_ns.get((client_id, order_id), 0) > self._faults.now_ns

    def route(self, event: ExchangeEvent) -> None:
        """Take the event down, whatever becomes of its message."""
        self.truth.note(event)
        super().route(event)
