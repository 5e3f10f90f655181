"""Faults of messages: late, out of order, twice, never, or untrue."""

from dataclasses import replace
from typing import TYPE_CHECKING

from hydra_nb.sim import answers, replies
from hydra_nb.sim import requests as ask
from hydra_nb.sim.codes import Refusal
from hydra_nb.sim.faults.armed import Armed
from hydra_nb.sim.faults.kinds import Occasion
from hydra_nb.sim.faults.states import Key
from hydra_nb.sim.faults.table_of_messages import ERROR_TEXTS, FARMS
from hydra_nb.sim.faults.tcp import OrderRequest
from hydra_nb.sim.faults.wire import COMMISSION, ERROR, EXECUTION, OPEN_ORDER, STATUS, FaultySession, Message
from hydra_nb.sim.records import OrderView
from hydra_nb.sim.wire_time import execution_time, parse_time

if TYPE_CHECKING:
    from hydra_nb.sim.faults.injector import FaultInjector

LANES = (OPEN_ORDER, STATUS, EXECUTION, COMMISSION, ERROR)
_LOST, _RESTORED_EMPTY, _RESTORED = 1100, 1101, 1102
_OUTAGE_TEXTS = {
    _LOST: "Connectivity between IB and Trader Workstation has been lost.",
    _RESTORED_EMPTY: "Connectivity between IB and Trader Workstation has been restored - data lost.",
    _RESTORED: "Connectivity between IB and Trader Workstation has been restored - data maintained.",
}


def delayed(injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """One lag for all types of order messages."""
    lag_s = armed.settings["delay_s"]
    return _lag(injector, armed, sessions, states, lag_s=dict.fromkeys(LANES, lag_s))


def reordered(injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """A lag of its own for each type."""
    most_s = 2 * armed.settings["delay_s"]
    lags = {lane: injector.dice.uniform(0.0, most_s) for lane in LANES}
    return _lag(injector, armed, sessions, states, lag_s=lags)


def _lag(
    injector: "FaultInjector",
    armed: Armed,
    sessions: list[FaultySession],
    states: tuple[str, ...],
    *,
    lag_s: dict[str, float],
) -> bool:
    reached = [session for session in sessions if not session.lag_s]
    if not reached:
        return False
    for session in reached:
        session.lag_s = lag_s

    def end() -> None:
        for session in reached:
            session.lag_s = {}

    lags = ", ".join(f"{lane}: {lag:.3g} s" for lane, lag in lag_s.items())
    injector.note(armed, f"order messages lag ({lags})", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def request_delayed(
    injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest
) -> bool | None:
    """Act later."""
    state = injector.states.of((session.client_id or 0, request.order_id))
    injector.note(armed, f"order {request.order_id}: request waits {armed.settings['delay_s']:.3g} s", state)
    injector.act_later(session, request, delay_ns=armed.ns("delay_s"))
    return True


def twice_at_once(
    injector: "FaultInjector", armed: Armed, _session: FaultySession, message: Message
) -> list[bytes] | None:
    """The message and the message."""
    injector.note(armed, f"{message.shows} twice", injector.states.of(message.key))
    return [message.raw, message.raw]


def never(injector: "FaultInjector", armed: Armed, _session: FaultySession, message: Message) -> list[bytes] | None:
    """Nothing."""
    injector.note(armed, f"{message.shows} dropped", injector.states.of(message.key))
    return []


def again_later(
    injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message
) -> list[bytes] | None:
    """The message now, and once more."""
    injector.note(armed, f"{message.shows} comes again", injector.states.of(message.key))
    _later(injector, armed, session, message)
    return [message.raw]


def late(injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message) -> list[bytes] | None:
    """The message, but not yet."""
    injector.note(armed, f"{message.shows} comes late", injector.states.of(message.key))
    _later(injector, armed, session, message)
    return []


def _later(injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message) -> None:
    due_ns = injector.now_ns + armed.ns("delay_s")
    injector.schedule(due_ns, lambda: session.emit(message.raw), ends=True)


def execution_first(
    injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message
) -> list[bytes] | None:
    """Hold the order's messages until it trades, or for a while."""
    if message.key in injector.waiting:
        return None
    injector.note(armed, f"{message.shows} waits for an execution", injector.states.of(message.key))
    injector.waiting[message.key] = [message]

    def end() -> None:
        for held in injector.waiting.pop(message.key, []):
            session.emit(held.raw)
        injector.states.told(message.key)

    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return []


def commission_first(
    injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message
) -> list[bytes] | None:
    """Hold the execution until its commission report, which follows at once."""
    injector.note(armed, f"{message.shows} after its commission", injector.states.of(message.key))
    injector.swapped[message.exec_id] = message.raw

    def end() -> None:
        session.emit(injector.swapped.pop(message.exec_id, b""))

    injector.schedule(injector.now_ns + 1, end, ends=True)
    return []


def waiting(injector: "FaultInjector", message: Message) -> list[bytes] | None:
    """What leaves in place of a message on which others wait, or which itself must wait; None for neither."""
    if message.type == COMMISSION and message.exec_id in injector.swapped:
        return [message.raw, injector.swapped.pop(message.exec_id)]
    held = injector.waiting.get(message.key)
    if held is None:
        return None
    if message.type in {OPEN_ORDER, STATUS}:
        held.append(message)
        return []
    if message.type == EXECUTION:
        del injector.waiting[message.key]
        injector.states.told(message.key)
        return [message.raw, *(one.raw for one in held)]
    return None


def error(injector: "FaultInjector", armed: Armed, key: Key, _order: OrderView | None) -> bool:
    """Say an error about an order, whatever it does."""
    session = injector.owner(key)
    if session is None:
        return False
    code, text = ERROR_TEXTS[armed.name]
    injector.note(armed, f"error {code} for order {key[1]}", injector.states.of(key))
    session.emit(replies.error(key[1], code=code, message=text, server_version=session.server_version))
    return True


def outage(injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Lose the servers behind the gateway; requests for orders wait for them."""
    if injector.modes["outage"]:
        return False
    injector.modes["outage"] += 1
    for session in sessions:
        say_outage(session)

    def end() -> None:
        injector.modes["outage"] -= 1
        loses_data = armed.name == "outage_1101"
        for session in [one for one in injector.core.sessions if isinstance(one, FaultySession)]:
            if session.client_id is not None:
                _notice(session, _RESTORED_EMPTY if loses_data else _RESTORED, _OUTAGE_TEXTS)
                if loses_data:
                    injector.core.drop_ticks(session)
                else:
                    injector.core.show_tops(session)
        held, injector.held = injector.held, []
        for session, request in held:
            injector.core.handle(session, request, injector.now_ns)

    injector.note(armed, f"1100 for {armed.settings['duration_s']:.3g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def say_outage(session: FaultySession) -> None:
    """1100."""
    _notice(session, _LOST, _OUTAGE_TEXTS)


def farm_flap(injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Say that a farm is lost and back, again and again."""
    lost = armed.settings["code"]
    texts = {lost: "connection is broken:simfarm", FARMS[lost]: "connection is OK:simfarm"}

    def say(code: int) -> None:
        for session in injector.clients(armed):
            _notice(session, code, texts)

    for flap in range(armed.settings["flaps"]):
        start_ns = injector.now_ns + 2 * flap * armed.ns("duration_s")
        injector.schedule(start_ns, lambda: say(lost))
        injector.schedule(start_ns + armed.ns("duration_s"), lambda: say(FARMS[lost]), ends=True)
    injector.note(armed, f"{lost} and {FARMS[lost]}, {armed.settings['flaps']} times", *states)
    return True


def _notice(session: FaultySession, code: int, texts: dict[int, str]) -> None:
    message = texts[code]
    session.emit(replies.error(replies.NO_REQUEST, code=code, message=message, server_version=session.server_version))


def next_id_back(injector: "FaultInjector", armed: Armed, _session: FaultySession, client_id: int) -> bool | None:
    """Forget ids that were used."""
    known = injector.core.next_order_ids.get(client_id, 1)
    if known == 1:
        return None
    number = injector.core.next_order_ids[client_id] = max(1, known - armed.settings["ids"])
    return _note_id(injector, armed, client_id, known, number)


def next_id_jump(injector: "FaultInjector", armed: Armed, _session: FaultySession, client_id: int) -> bool | None:
    """Leave ids out."""
    known = injector.core.next_order_ids.get(client_id, 1)
    number = injector.core.next_order_ids[client_id] = min(known + armed.settings["ids"], 2**31 - 1)
    return _note_id(injector, armed, client_id, known, number)


def _note_id(injector: "FaultInjector", armed: Armed, client_id: int, known: int, number: int) -> bool:
    states = injector.states.of_clients({client_id}, now_ns=injector.now_ns)
    injector.note(armed, f"next id of client {client_id} is {number}, not {known}", *states)
    return False


def client_id_in_use(injector: "FaultInjector", armed: Armed, session: FaultySession, client_id: int) -> bool | None:
    """Refuse a start."""
    if session.client_id is not None:
        return None
    states = injector.states.of_clients({client_id}, now_ns=injector.now_ns)
    injector.note(armed, f"client {client_id} is refused", *states)
    _notice(session, 326, {326: "Unable to connect as the client id is already in use. Retry with a unique client id."})
    session.break_off(reset=False)
    return True


def clock_jump(
    injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Tell a time that is off."""
    if injector.clock_offset_ns or not armed.ns("offset_s"):
        return False
    injector.clock_offset_ns = armed.ns("offset_s")

    def end() -> None:
        injector.clock_offset_ns = 0

    injector.note(armed, f"the gateway's clock is off by {armed.settings['offset_s']:+.3g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def answers_query(injector: "FaultInjector", session: FaultySession, request: ask.Request) -> bool:
    """Answer a question in the gateway's place, past the faults of news."""
    match request:
        case ask.ExecutionsQuery():
            _answer_executions(injector, session, request)
        case ask.OpenOrdersQuery():
            _answer_open_orders(injector, session, request)
        case ask.CurrentTime() if injector.clock_offset_ns:
            session.emit(replies.current_time(injector.now_ns + injector.clock_offset_ns))
        case _:
            return False
    return True


def _answer_executions(injector: "FaultInjector", session: FaultySession, request: ask.ExecutionsQuery) -> None:
    states = injector.states_of([session])
    has_end = True
    for armed in injector.waits_for(Occasion.EXECUTIONS_QUERY):
        if armed.fault.client_id not in {None, session.client_id} or not armed.fits_any(states):
            continue
        if armed.name == "executions_cut":
            since_ns = injector.now_ns - armed.ns("since_midnight_s")
            asked_ns = parse_time(request.since) if request.since else 0
            request = replace(request, since=execution_time(max(since_ns, asked_ns or 0)))
        else:
            has_end = False
        injector.note(armed, f"executions since {request.since!r}, {'with' if has_end else 'without'} end", *states)
        injector.spend(armed)
    answer = answers.executions(injector.exchange, request, injector.now_ns, session.server_version)
    if isinstance(answer, Refusal):
        session.error(request.req_id, answer.code, answer.message)
    else:
        session.emit(b"".join(answer if has_end else answer[:-1]))


def _answer_open_orders(injector: "FaultInjector", session: FaultySession, request: ask.OpenOrdersQuery) -> None:
    client_id = session.client_id or 0
    answer = answers.open_orders(injector.exchange, request, client_id, session.server_version)
    if isinstance(answer, Refusal):
        return
    orders = [
        order for order in injector.exchange.open_orders() if request.all_clients or order.terms.client_id == client_id
    ]
    omitted = _omitted(injector, orders)
    for number, order in enumerate(orders):
        if order.perm_id != omitted:
            session.emit(answer[2 * number] + answer[2 * number + 1])
            if order.terms.client_id == client_id:
                injector.states.told((client_id, order.terms.order_id))
    session.emit(answer[-1])


def _omitted(injector: "FaultInjector", orders: list[OrderView]) -> int | None:
    """Permanent id of the order that a fault leaves out."""
    for armed in injector.waits_for(Occasion.ORDERS_QUERY):
        fitting = []
        for order in orders:
            key = order.terms.client_id, order.terms.order_id
            if armed.fits(key, state=injector.states.of(key), order_ref=order.terms.order_ref):
                fitting.append(order)
        if fitting:
            order = injector.dice.choice(fitting)
            state = injector.states.of((order.terms.client_id, order.terms.order_id))
            injector.note(armed, f"open orders without order {order.terms.order_id}", state)
            injector.spend(armed)
            return order.perm_id
    return None
