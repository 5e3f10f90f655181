"""Faults of the venue and of the broker behind the gateway; what is true changes in the exchange."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hydra_nb.sim import replies
from hydra_nb.sim import requests as ask
from hydra_nb.sim.codes import Code
from hydra_nb.sim.faults.armed import Armed
from hydra_nb.sim.faults.states import Key
from hydra_nb.sim.faults.table_of_messages import ERROR_TEXTS
from hydra_nb.sim.faults.tcp import OrderRequest
from hydra_nb.sim.faults.wire import FaultySession, fields_of, frame_of
from hydra_nb.sim.framing import encode
from hydra_nb.sim.records import Execution, OrderStatus, OrderTerms, OrderView, SimSide, TimeInForce, Top
from hydra_nb.sim.ticks import TickStream

if TYPE_CHECKING:
    from hydra_nb.sim.faults.injector import FaultInjector

HAND, STRANGER = 0, 990
"""Client ids of foreign orders: typed by hand, and of another program."""
_LIVE, _FROZEN, _DELAYED = 1, 2, 3
_HALTED_TICK = 49
_DELAYED_TYPES = {"1": "66", "2": "67", "4": "68", "9": "75", "0": "69", "3": "70", "5": "71", "8": "74"}


def correction(injector: "FaultInjector", armed: Armed, key: Key, _order: OrderView | None) -> bool:
    """Revise a fill's price, or its lots too."""
    fill = _some_fill(injector, key)
    if fill is None:
        return False
    listing = injector.exchange.listing(fill.con_id)
    tick = 0 if listing is None else listing.min_tick
    lots = max(1, fill.lots - armed.settings["lots_less"])
    _revise(injector, armed, fill, lots=lots, price_move=armed.settings["ticks"] * tick)
    return True


def bust(injector: "FaultInjector", armed: Armed, key: Key, _order: OrderView | None) -> bool:
    """Revise a fill to nothing."""
    fill = _some_fill(injector, key)
    if fill is None:
        return False
    _revise(injector, armed, fill, lots=0, price_move=0)
    return True


def fill_after_cancel(injector: "FaultInjector", armed: Armed, key: Key, order: OrderView | None) -> bool:
    """Fill a cancelled order a little later."""
    if order is None or order.filled_lots >= order.terms.lots:
        return False

    def strike() -> None:
        now = injector.exchange.order(*key)
        if now is None or now.perm_id != order.perm_id or now.filled_lots >= now.terms.lots:
            return  # it was filled by another fault meanwhile
        lots = min(armed.settings["lots"], now.terms.lots - now.filled_lots)
        injector.note(armed, f"{lots} lots of order {key[1]} after its cancel", injector.states.of(key))
        _fill(injector, order, lots)

    injector.schedule(injector.now_ns + armed.ns("delay_s"), strike)
    return True


def overfill(injector: "FaultInjector", armed: Armed, key: Key, order: OrderView | None) -> bool:
    """Fill what is left, and more."""
    if order is None:
        return False
    lots = order.remaining_lots + armed.settings["lots"]
    injector.note(armed, f"{armed.settings['lots']} lots too many of order {key[1]}", injector.states.of(key))
    _fill(injector, order, lots)
    return True


def cancel_refused_filled(
    injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest
) -> bool | None:
    """Refuse a cancel, then fill the order."""
    key = session.client_id or 0, request.order_id
    order = _live(injector, key)
    if order is None:
        return None
    injector.note(armed, f"cancel of order {key[1]} refused", injector.states.of(key))
    code, text = ERROR_TEXTS["error_10148"]
    session.emit(replies.error(key[1], code=code, message=text, server_version=session.server_version))
    injector.states.forget(key)

    def strike() -> None:
        now = _live(injector, key)
        if now is not None:
            _fill(injector, now, now.remaining_lots)

    injector.schedule(injector.now_ns + armed.ns("delay_s"), strike, ends=True)
    return True


def fill_crosses(injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest) -> bool | None:
    """Fill at the old price, then let the modify or the cancel come."""
    key = session.client_id or 0, request.order_id
    order = _live(injector, key)
    if order is None:
        return None
    lots = min(armed.settings["lots"], order.remaining_lots)
    is_cancel = isinstance(request, ask.CancelOrder)
    injector.note(
        armed,
        f"{lots} lots of order {key[1]} before its {'cancel' if is_cancel else 'modify'}",
        injector.states.of(key),
    )
    _fill(injector, order, lots)
    injector.states.ask(key, cancel=is_cancel)
    return False


def two_perm_ids(injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest) -> bool | None:
    """Let the modify come as a second order."""
    key = session.client_id or 0, request.order_id
    if _live(injector, key) is None:
        return None
    injector.note(armed, f"modify of order {key[1]} enters as a second order", injector.states.of(key))
    injector.exchange.interventions.fork_next_modify(key[0], order_id=key[1])
    return False


def order_held(injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest) -> bool | None:
    """Hold a new order until later."""
    key = session.client_id or 0, request.order_id
    hand = injector.exchange.interventions
    injector.note(armed, f"order {key[1]} is held", injector.states.of(key))
    hand.hold_next(key[0], order_id=key[1])
    code, text = ERROR_TEXTS["error_399"]
    warning = replies.error(key[1], code=code, message=text, server_version=session.server_version)

    def end() -> None:
        _report(injector, hand.release(key[0], order_id=key[1], now_ns=injector.now_ns))

    injector.schedule(injector.now_ns, lambda: session.emit(warning))
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return False


def order_inactive(injector: "FaultInjector", armed: Armed, key: Key, order: OrderView | None) -> bool:
    """Call a working order Inactive, then let it work again, cancel it, or fill it."""
    if order is None or order.status is not OrderStatus.SUBMITTED:
        return False
    hand, then = injector.exchange.interventions, armed.settings["then"]
    injector.note(armed, f"order {key[1]} is Inactive, then {then}", injector.states.of(key))
    _report(injector, hand.deactivate(order.perm_id, now_ns=injector.now_ns))

    def end() -> None:
        now = _live(injector, key)
        is_same = now is not None and now.perm_id == order.perm_id and now.status is OrderStatus.INACTIVE
        if now is not None and is_same and then == "filled":
            _fill(injector, now, now.remaining_lots)
        elif is_same and then == "cancelled":
            _report(injector, injector.exchange.cancel(*key, injector.now_ns))
        else:
            _report(injector, hand.reactivate(order.perm_id, now_ns=injector.now_ns))

    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def foreign_order(
    injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Enter an order of somebody else, rather in a contract where the clients work."""
    running = injector.exchange.interventions.running()
    ids = {session.client_id for session in sessions if session.client_id is not None}
    worked = [order.terms.con_id for order in injector.states.orders(ids, now_ns=injector.now_ns)]
    con_ids = [con_id for con_id in running if con_id in worked] or running
    if not con_ids:
        return False
    con_id = injector.dice.choice(con_ids)
    side = injector.dice.choice((SimSide.BUY, SimSide.SELL))
    top = injector.exchange.top(con_id)
    takes_bid = (side is SimSide.BUY) is not armed.settings["crosses"]
    price = None if top is None else top.bid if takes_bid else top.ask
    if price is None:
        return False
    by_hand = armed.settings["by_hand"]
    injector.foreign_orders += 1
    number = injector.foreign_orders
    terms = OrderTerms(
        client_id=HAND if by_hand else STRANGER,
        order_id=-number if by_hand else number,
        account=injector.exchange.account,
        con_id=con_id,
        side=side,
        lots=armed.settings["lots"],
        limit_price=price,
        tif=TimeInForce.DAY,
        good_till_ns=None,
        order_ref="" if by_hand else f"stranger-{number}",
    )
    who = "typed by hand" if by_hand else f"of client {STRANGER}"
    injector.note(armed, f"{side} {terms.lots} of contract {con_id} at {price}, {who}", *states)
    _report(injector, injector.exchange.submit(terms, injector.now_ns))
    return True


def nightly_restart(
    injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Drop everybody, stay away, forget ids."""
    for session in injector.core.sessions:
        if isinstance(session, FaultySession):
            session.break_off()
    injector.core.next_order_ids.clear()
    injector.modes["away"] += 1

    def end() -> None:
        injector.modes["away"] -= 1

    injector.note(armed, f"the gateway is away for {armed.settings['duration_s']:.3g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def read_only(injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Take no orders for a while."""
    if injector.read_only is not None:
        return False
    injector.read_only = armed

    def end() -> None:
        injector.read_only = None

    injector.note(armed, f"read-only for {armed.settings['duration_s']:.3g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def is_read_only(injector: "FaultInjector", session: FaultySession, request: OrderRequest, key: Key) -> bool:
    """Whether a request is refused because the account is read-only; the refusal is then sent."""
    armed = injector.read_only
    if armed is None or (isinstance(request, ask.CancelOrder) and not armed.settings["cancels"]):
        return False
    injector.note(armed, f"request for order {key[1]} refused", injector.states.of(key))
    cause = "Error validating request.-'bW' : cause - The API interface is currently in Read-Only mode."
    session.error(key[1], Code.CANNOT_VALIDATE, cause)
    injector.states.forget(key)
    return True


def quotes(injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Let quotes stand still, vanish, cross or lag."""
    sessions = [session for session in sessions if session.tick_streams]
    if injector.quotes is not None or not sessions:
        return False
    injector.quotes = armed
    for session in sessions:
        for stream in session.tick_streams.values():
            _spoil(injector, armed, session, stream)

    def end() -> None:
        injector.quotes = None
        for session in injector.clients(armed):
            for req_id in session.tick_streams:
                session.emit(replies.market_data_type(req_id, data_type=_LIVE))
            injector.core.show_tops(session)

    what = armed.name.removeprefix("quotes_")
    injector.note(armed, f"quotes are {what} for {armed.settings['duration_s']:.3g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def _spoil(injector: "FaultInjector", armed: Armed, session: FaultySession, stream: TickStream) -> None:
    """Send what a quote shows when its fault begins."""
    if armed.name == "quotes_delayed" or armed.settings.get("told"):
        data_type = _DELAYED if armed.name == "quotes_delayed" else _FROZEN
        session.emit(replies.market_data_type(stream.req_id, data_type=data_type))
    top = injector.exchange.top(stream.con_id)
    wrong: Top | None = None
    if top is not None and armed.name == "quotes_empty":
        wrong = top._replace(bid=None, bid_size=0, ask=None, ask_size=0)
    elif top is not None and armed.name == "quotes_crossed" and top.bid is not None and top.ask is not None:
        wrong = top._replace(bid=top.ask, ask=top.bid)
    if wrong is not None:
        session.emit(TickStream(req_id=stream.req_id, con_id=stream.con_id).top_changed(wrong))


def ticks(injector: "FaultInjector", session: FaultySession, raw: bytes) -> Iterable[bytes]:
    """What leaves in place of one tick."""
    if injector.modes["outage"]:
        return ()
    armed = injector.quotes
    if armed is None or armed.fault.client_id not in {None, session.client_id}:
        return (raw,)
    if armed.name == "quotes_delayed":
        fields = fields_of(raw)
        delayed = frame_of((*fields[:3], _DELAYED_TYPES.get(fields[3], fields[3]), *fields[4:]))
        due_ns = injector.now_ns + armed.ns("delay_s")
        injector.schedule(due_ns, lambda: session.emit(delayed), ends=True)
    return ()


def halt(injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Halt the running markets, with a tick that says so."""
    return _stop(injector, armed, states, told=False)


def session_break(
    injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Close the running markets for a while."""
    return _stop(injector, armed, states, told=True)


def _stop(injector: "FaultInjector", armed: Armed, states: tuple[str, ...], *, told: bool) -> bool:
    hand = injector.exchange.interventions
    con_ids = hand.running()
    if not con_ids:
        return False
    injector.note(armed, f"{len(con_ids)} markets stop for {armed.settings['duration_s']:.3g} s", *states)
    if not told:
        _say_halted(injector, con_ids, "1.0")
    for con_id in con_ids:
        _report(injector, hand.stop(con_id, told=told, now_ns=injector.now_ns))

    def end() -> None:
        if not told:
            _say_halted(injector, con_ids, "0.0")
        for con_id in con_ids:
            _report(injector, hand.resume(con_id, now_ns=injector.now_ns))

    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def _say_halted(injector: "FaultInjector", con_ids: list[int], value: str) -> None:
    for session in injector.core.sessions:
        for stream in session.tick_streams.values():
            if isinstance(session, FaultySession) and stream.con_id in con_ids:
                session.emit(encode([45, 6, stream.req_id, _HALTED_TICK, value]))


def limit_lock(
    injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Take one side away from the running markets."""
    hand = injector.exchange.interventions
    con_ids = hand.running()
    if injector.modes["limit_lock"] or not con_ids:
        return False
    injector.modes["limit_lock"] += 1
    absent = SimSide(armed.settings["absent"])
    injector.note(armed, f"{len(con_ids)} markets without {absent} orders", *states)
    for con_id in con_ids:
        _report(injector, hand.lock(con_id, absent=absent, now_ns=injector.now_ns))

    def end() -> None:
        injector.modes["limit_lock"] -= 1
        for con_id in con_ids:
            _report(injector, hand.lock(con_id, absent=None, now_ns=injector.now_ns))

    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def _some_fill(injector: "FaultInjector", key: Key) -> Execution | None:
    fills = [fill for fill in injector.exchange.true_fills() if (fill.client_id, fill.order_id) == key]
    return injector.dice.choice(fills) if fills else None


def _revise(injector: "FaultInjector", armed: Armed, fill: Execution, *, lots: int, price_move: object) -> None:
    price = fill.price + price_move  # type: ignore[operator]
    injector.note(
        armed,
        f"{fill.exec_id}: {fill.lots} lots at {fill.price} are {lots} at {price}",
        injector.states.of((fill.client_id, fill.order_id)),
    )
    hand = injector.exchange.interventions
    _report(injector, hand.revise(fill.exec_id, lots=lots, price=price, now_ns=injector.now_ns))


def _fill(injector: "FaultInjector", order: OrderView, lots: int) -> None:
    hand = injector.exchange.interventions
    _report(injector, hand.fill(order.perm_id, lots=lots, now_ns=injector.now_ns))


def _live(injector: "FaultInjector", key: Key) -> OrderView | None:
    order = injector.exchange.order(*key)
    done = order is None or order.status in {OrderStatus.FILLED, OrderStatus.CANCELLED}
    return None if done else order


def _report(injector: "FaultInjector", events: Iterable[object]) -> None:
    injector.core.report(events, injector.now_ns)  # type: ignore[arg-type]
