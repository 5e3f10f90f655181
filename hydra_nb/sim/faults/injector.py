"""Strikes a gateway with the faults of a script, in market time and from the script's own seed.

The core asks it about each request that was read and each frame that is to leave, and lets it act when its time comes.
What a kind of fault does stands in `tcp`, `messages` and `venue`; here is when.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from hydra_nb.sim import replies
from hydra_nb.sim import requests as ask
from hydra_nb.sim.connection import Session
from hydra_nb.sim.faults import handlers
from hydra_nb.sim.faults.armed import NS_PER_S, Armed, draw_value
from hydra_nb.sim.faults.kinds import NONE, Occasion
from hydra_nb.sim.faults.log import FaultEntry
from hydra_nb.sim.faults.script import Fault, FaultRates, FaultScript
from hydra_nb.sim.faults.states import Key, OrderStates
from hydra_nb.sim.faults.table import FAULTS
from hydra_nb.sim.faults.wire import NEWS_OF_FILLS, FaultySession, Message, MessageReader, split_frames
from hydra_nb.sim.records import OrderView
from hydra_nb.sim.seeds import stream

if TYPE_CHECKING:
    from hydra_nb.sim.session import GatewayCore

_RETRY_S = 1.0
_RELAX_S = 300.0  # a random fault that waits for a rare order state takes any other after this
_MOST_WAITING = 20  # of each occasion; more random ones are dropped, so that nothing grows without bound
_FRAME_OCCASIONS = {
    "5": Occasion.OPEN_ORDER,
    "3": Occasion.STATUS,
    "11": Occasion.EXECUTION,
    "59": Occasion.COMMISSION,
}

Action = Callable[[], None]


class FaultInjector:
    """One gateway's faults.

    Parameters
    ----------
    script
        What goes wrong.
    core
        The gateway.

    Attributes
    ----------
    log
        What was done so far.
    modes
        How many faults of each lasting kind are under way.
    dice
        The one source of chance.
    now_ns
        Market time of what is happening.

    The other attributes are what faults keep between their beginning and their end.
    """

    def __init__(self, script: FaultScript, *, core: "GatewayCore") -> None:
        self.core = core
        self.exchange = core.exchange
        self.dice = stream(script.seed, "faults")
        self.states = OrderStates(core.exchange)
        self.log: list[FaultEntry] = []
        self.modes: Counter[str] = Counter()
        self.waiting: dict[Key, list[Message]] = {}
        self.swapped: dict[str, bytes] = {}
        self.held: list[tuple[FaultySession, ask.Request]] = []
        self.clock_offset_ns = 0
        self.foreign_orders = 0
        self.wrong_accounts = ""
        self.quotes: Armed | None = None
        self.read_only: Armed | None = None
        self.now_ns = core.exchange.start_ns
        self.pause_s = 0.0
        self._reader = MessageReader(self.states)
        self._armed: dict[Occasion, list[Armed]] = {occasion: [] for occasion in Occasion}
        self._queue: list[tuple[int, int, bool, Action]] = []
        self._sequence = count()
        self._is_healed = False
        self._busy_until_ns: dict[Key, int] = {}
        for fault in script.faults:
            self.schedule(self.now_ns + round(fault.at_s * NS_PER_S), partial(self._arm, fault))
        if script.rates is not None and sum(script.rates.per_hour.values()) > 0:
            self._draw_next(script.rates, after_ns=round(script.from_s * NS_PER_S))
        if script.heal_s is not None:
            self.schedule(self.now_ns + round(script.heal_s * NS_PER_S), lambda: self.heal(self.now_ns))

    def connect(self) -> FaultySession:
        """A new connection; it ends at once while the gateway is away."""
        session = FaultySession(self)
        if self.modes["away"]:
            session.break_off()
        return session

    def hears(self, session: Session) -> bool:
        """Whether bytes of this client are read."""
        return not (isinstance(session, FaultySession) and session.is_deaf)

    def next_event_ns(self) -> int | None:
        """When `advance` next has something to do."""
        return self._queue[0][0] if self._queue else None

    def advance(self, now_ns: int) -> None:
        """Do what is due, with the market run up to each moment first."""
        while self._queue and self._queue[0][0] <= now_ns:
            time_ns, _, _, action = heappop(self._queue)
            self.now_ns = max(self.now_ns, time_ns)
            self.core.report(self.exchange.advance(self.now_ns), self.now_ns)
            action()
        self.now_ns = max(self.now_ns, now_ns)

    def heal(self, now_ns: int) -> None:
        """End everything: what waits is delivered, what lasts ends, and nothing new happens."""
        self.now_ns = max(self.now_ns, now_ns)
        self._is_healed = True
        for armed in self._armed.values():
            armed.clear()
        self._queue = [item for item in self._queue if item[2]]
        heapify(self._queue)
        while self._queue:
            heappop(self._queue)[3]()
        self.exchange.interventions.forget_marks()

    def schedule(self, time_ns: int, action: Action, *, ends: bool = False) -> None:
        """Do something later.

        Parameters
        ----------
        time_ns
            When.
        action
            What.
        ends
            Whether it ends a fault: healing does it at once, and forgets all else.
        """
        if not self._is_healed:
            heappush(self._queue, (max(time_ns, self.now_ns), next(self._sequence), ends, action))
        elif ends:
            action()

    def note(self, armed: Armed, detail: str, *states: str) -> None:
        """Write down a strike."""
        states = states or (NONE,)
        self.log.append(FaultEntry(time_ns=self.now_ns, kind=armed.name, detail=detail, states=states))

    def clients(self, armed: Armed) -> list[FaultySession]:
        """The started connections that a fault may reach."""
        wanted = armed.fault.client_id
        return [
            session
            for session in self.core.sessions
            if isinstance(session, FaultySession)
            and not session.closed
            and session.client_id is not None
            and wanted in {None, session.client_id}
        ]

    def states_of(self, sessions: list[FaultySession]) -> tuple[str, ...]:
        """States of all orders of these clients."""
        ids = {session.client_id for session in sessions if session.client_id is not None}
        return self.states.of_clients(ids, now_ns=self.now_ns)

    def owner(self, key: Key) -> FaultySession | None:
        """The connection of an order's client."""
        for session in self.core.sessions:
            if isinstance(session, FaultySession) and session.client_id == key[0] and not session.closed:
                return session
        return None

    def draw_bytes(self, limit: int) -> int:
        """Draw a number of bytes from 1 to the limit."""
        return self.dice.randint(1, limit)

    def schedule_release(self, session: FaultySession) -> None:
        """Let some of a connection's held bytes out in a while."""
        pause_ns = round(self.dice.uniform(0.0, 2 * self.pause_s) * NS_PER_S)
        self.schedule(self.now_ns + 1 + pause_ns, session.release)

    # The way out.

    def outbound(self, session: FaultySession, frames: bytes) -> None:
        """Let frames pass, fail or wait."""
        for raw in split_frames(frames):
            head = raw[4:6]
            if session.client_id is None:
                session.emit(raw)
            elif self.wrong_accounts and head == b"15":
                session.emit(replies.managed_accounts(self.wrong_accounts))
            elif head in {b"1\0", b"2\0"}:
                for tick in handlers.ticks(self, session, raw):
                    session.emit(tick)
            elif (message := self._reader.read(raw, session.client_id)) is None:
                session.emit(raw)
            else:
                self._pass(session, message)

    def leave(self, session: FaultySession, raw: bytes, lane: str) -> None:
        """Send a message about an order, behind earlier ones of its lane."""
        due_ns = max(self.now_ns + round(session.lag_s.get(lane, 0.0) * NS_PER_S), session.lanes.get(lane, 0))
        if due_ns <= self.now_ns:
            session.emit(raw)
        else:
            session.lanes[lane] = due_ns
            self.schedule(due_ns, lambda: session.emit(raw), ends=True)

    def _pass(self, session: FaultySession, message: Message) -> None:
        out = handlers.waiting(self, message)
        if out is None:
            out = self._strike_message(session, message)
        for raw in out:
            self.leave(session, raw, message.type)
        if message.raw in out and message.type not in NEWS_OF_FILLS:
            self.states.told(message.key)
        if self._armed[Occasion.ORDER]:
            self.schedule(self.now_ns, lambda: self._strike_order(message.key))

    def _strike_message(self, session: FaultySession, message: Message) -> list[bytes]:
        state = self.states.of(message.key)
        order_ref = self._order_ref(message.key)
        for occasion in (_FRAME_OCCASIONS.get(message.type), Occasion.MESSAGE):
            for armed in self._armed[occasion] if occasion is not None else ():
                if armed.fits(message.key, state=state, order_ref=order_ref):
                    out = handlers.ON_MESSAGE[armed.name](self, armed, session, message)
                    if out is not None:
                        self.spend(armed)
                        return out
        return [message.raw]

    # The way in.

    def takes(self, session: Session, request: ask.Request, now_ns: int) -> bool:
        """Whether a request that was read is a fault's, and the gateway is not to act on it."""
        self.now_ns = max(self.now_ns, now_ns)
        if not isinstance(session, FaultySession):
            return False
        match request:
            case ask.StartApi() | ask.NextIds():
                return self._starts(session, request)
            case _ if session.client_id is None:
                return False
            case ask.PlaceOrder(what_if=False) | ask.CancelOrder():
                return self._takes_order(session, request, (session.client_id, request.order_id))
            case ask.GlobalCancel() if self.modes["outage"]:
                self.held.append((session, request))
                return True
            case ask.ExecutionsQuery() | ask.OpenOrdersQuery() | ask.CurrentTime():
                return handlers.answers_query(self, session, request)
        return False

    def waits_for(self, occasion: Occasion) -> list[Armed]:
        """Faults that wait for an occasion."""
        return list(self._armed[occasion])

    def act_later(self, session: FaultySession, request: ask.PlaceOrder | ask.CancelOrder, *, delay_ns: int) -> None:
        """Act on a request for an order later; those for the same order that come meanwhile wait behind it."""
        key = session.client_id or 0, request.order_id
        due_ns = max(self.now_ns + delay_ns, self._busy_until_ns.get(key, 0))
        self._busy_until_ns[key] = due_ns
        self.schedule(due_ns, lambda: self.core.handle(session, request, self.now_ns), ends=True)

    def _starts(self, session: FaultySession, request: ask.Request) -> bool:
        client_id = request.client_id if isinstance(request, ask.StartApi) else session.client_id
        if client_id is None or (isinstance(request, ask.StartApi) and session.client_id is not None):
            return False
        for armed in self.waits_for(Occasion.START):
            states = self.states.of_clients({client_id}, now_ns=self.now_ns)
            if armed.fault.client_id in {None, client_id} and armed.fits_any(states):
                taken = handlers.ON_START[armed.name](self, armed, session, client_id)
                if taken is not None:
                    self.spend(armed)
                    return taken
        if self.modes["outage"] and isinstance(request, ask.StartApi):
            self.schedule(self.now_ns, lambda: handlers.say_outage(session))
        return False

    def _takes_order(self, session: FaultySession, request: ask.PlaceOrder | ask.CancelOrder, key: Key) -> bool:
        is_cancel = isinstance(request, ask.CancelOrder)
        is_new = not is_cancel and self.exchange.order(*key) is None
        self.states.ask(key, cancel=is_cancel)
        state = self.states.of(key)
        if handlers.is_read_only(self, session, request, key):
            return True
        order_ref = request.order_ref if isinstance(request, ask.PlaceOrder) else self._order_ref(key)
        self._strike_order(key, order_ref=order_ref)
        for armed in (*self._armed[Occasion.CONNECTION], *self._armed[Occasion.MARKET]):
            if armed.state == state:  # it would hardly be seen in passing, once a second
                self._strike_clients(armed)
        self.states.ask(key, cancel=is_cancel)  # a strike may have sent what looks like the answer
        state = self.states.of(key)
        own = Occasion.CANCEL if is_cancel else Occasion.PLACE if is_new else Occasion.MODIFY
        for armed in (*self._armed[own], *self._armed[Occasion.REQUEST]):
            if armed.fits(key, state=state, order_ref=order_ref):
                taken = handlers.ON_REQUEST[armed.name](self, armed, session, request)
                if taken is not None:
                    self.spend(armed)
                    return taken
        if self.modes["outage"]:
            self.held.append((session, request))
            return True
        if self._busy_until_ns.get(key, 0) > self.now_ns:
            self.act_later(session, request, delay_ns=0)
            return True
        return False

    # When.

    def _arm(self, fault: Fault, *, state: str | None = None) -> None:
        kind = FAULTS[fault.kind]
        target = fault.state if fault.state is not None else state
        armed = Armed(kind=kind, fault=fault, settings=fault.settings(), state=target, left=fault.times)
        self._armed[kind.occasion].append(armed)
        if state is not None:
            self.schedule(self.now_ns + round(_RELAX_S * NS_PER_S), lambda: self._relax(armed))
        self._try(armed)

    def _relax(self, armed: Armed) -> None:
        armed.state = None
        if armed.kind.occasion is Occasion.ORDER:
            self._try(armed)

    def _try(self, armed: Armed) -> None:
        """Strike now if it needs no more than that; where nothing is there to strike yet, look again soon."""
        if armed not in self._armed[armed.kind.occasion]:
            return
        if armed.kind.occasion is Occasion.ORDER:
            self._strike_some_order(armed)
        elif armed.name in handlers.ON_TIME:
            self._strike_clients(armed)
            if armed.left:
                self.schedule(self.now_ns + round(_RETRY_S * NS_PER_S), lambda: self._try(armed))

    def _strike_clients(self, armed: Armed) -> None:
        sessions = self.clients(armed)
        states = self.states_of(sessions)
        if sessions and armed.fits_any(states) and handlers.ON_TIME[armed.name](self, armed, sessions, states):
            self.spend(armed)

    def _strike_some_order(self, armed: Armed) -> None:
        ids = {session.client_id for session in self.clients(armed) if session.client_id is not None}
        orders = self.states.orders(ids, now_ns=self.now_ns)
        self.dice.shuffle(orders)
        for order in orders:
            if armed.left and self._strike(armed, order):
                return

    def _strike_order(self, key: Key, *, order_ref: str | None = None) -> None:
        for armed in self.waits_for(Occasion.ORDER):
            order = self.exchange.order(*key)
            reference = self._order_ref(key) if order_ref is None else order_ref
            fits = armed.fits(key, state=self.states.of(key), order_ref=reference)
            if fits and handlers.ON_ORDER[armed.name](self, armed, key, order):
                self.spend(armed)

    def _strike(self, armed: Armed, order: OrderView) -> bool:
        key = order.terms.client_id, order.terms.order_id
        fits = armed.fits(key, state=self.states.of(key), order_ref=order.terms.order_ref)
        struck = fits and handlers.ON_ORDER[armed.name](self, armed, key, order)
        if struck:
            self.spend(armed)
        return struck

    def spend(self, armed: Armed) -> None:
        """Note that a fault has struck once more."""
        armed.left -= 1
        if armed.left <= 0:
            self._armed[armed.kind.occasion].remove(armed)

    def _order_ref(self, key: Key) -> str:
        order = self.exchange.order(*key)
        return "" if order is None else order.terms.order_ref

    def _draw_next(self, rates: FaultRates, *, after_ns: int = 0) -> None:
        per_second = sum(rates.per_hour.values()) / 3600.0
        wait_ns = 1 + round(self.dice.expovariate(per_second) * NS_PER_S)
        self.schedule(self.now_ns + after_ns + wait_ns, lambda: self._arm_random(rates))

    def _arm_random(self, rates: FaultRates) -> None:
        [name] = self.dice.choices(list(rates.per_hour), weights=list(rates.per_hour.values()))
        kind = FAULTS[name]
        drawn = {parameter.name: draw_value(parameter, self.dice) for parameter in kind.parameters}
        state = self.dice.choice([one for one in kind.states if one != NONE]) if self.dice.random() < 0.5 else None
        if len(self._armed[kind.occasion]) < _MOST_WAITING:
            self._arm(Fault(kind=name, parameters=drawn), state=state)
        self._draw_next(rates)
