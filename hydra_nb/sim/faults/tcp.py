"""Faults of the connection: bytes that are cut, lost or wrong, and ends without a word."""

from typing import TYPE_CHECKING

from hydra_nb.sim import requests as ask
from hydra_nb.sim.faults.armed import Armed
from hydra_nb.sim.faults.wire import FaultySession, Message, frame_of

if TYPE_CHECKING:
    from hydra_nb.sim.faults.injector import FaultInjector

OrderRequest = ask.PlaceOrder | ask.CancelOrder


def segments(injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Cut and join for a while."""
    if injector.modes["segments"]:
        return False
    injector.pause_s = armed.settings["pause_s"]
    injector.modes["segments"] += 1
    for session in sessions:
        session.cut_up(True)

    def end() -> None:
        injector.modes["segments"] -= 1
        for session in sessions:
            session.cut_up(False)

    injector.note(armed, f"bytes to {_who(sessions)} are cut for {armed.settings['duration_s']:g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def half_open(injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]) -> bool:
    """Lose both directions until the connection is reset."""
    return _lose(injector, armed, sessions, states, to_client=True, to_gateway=True)


def one_way_loss(
    injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Lose one direction until the connection is reset."""
    to_client = armed.settings["direction"] == "to client"
    return _lose(injector, armed, sessions, states, to_client=to_client, to_gateway=not to_client)


def unknown_message(
    injector: "FaultInjector", armed: Armed, sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Say what nobody understands."""
    number = str(armed.settings["message_id"])
    for session in sessions:
        session.emit(frame_of((number, "1", "?")))
    injector.note(armed, f"message {number} to {_who(sessions)}", *states)
    return True


def wrong_account(
    injector: "FaultInjector", armed: Armed, _sessions: list[FaultySession], states: tuple[str, ...]
) -> bool:
    """Drop everybody, and come back with somebody else's account; at the end drop everybody again."""
    if injector.wrong_accounts:
        return False
    right = injector.exchange.account
    another = right[:-1] + ("0" if right[-1] != "0" else "1")
    injector.wrong_accounts = another if armed.settings["listed"] == "another" else f"{another},{right}"

    def drop() -> None:
        for session in injector.core.sessions:
            if isinstance(session, FaultySession):
                session.break_off()

    def end() -> None:
        injector.wrong_accounts = ""
        drop()

    drop()
    injector.note(armed, f"lists {armed.settings['listed']} account for {armed.settings['duration_s']:.3g} s", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def reset_mid_frame(
    injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message
) -> list[bytes] | None:
    """Send half, then break."""
    injector.note(armed, f"reset within the {message.shows}", injector.states.of(message.key))
    session.emit(message.raw[: len(message.raw) // 2])
    session.break_off()
    return []


def bad_length(injector: "FaultInjector", armed: Armed, session: FaultySession, message: Message) -> list[bytes]:
    """Send a prefix that is wrong, and break later."""
    length: int = armed.settings["length"]
    injector.note(armed, f"length {length} before the {message.shows}", injector.states.of(message.key))
    injector.schedule(injector.now_ns + armed.ns("duration_s"), session.break_off, ends=True)
    return [length.to_bytes(4, "big") + message.raw[4:]]


def truncated_fields(injector: "FaultInjector", armed: Armed, _session: FaultySession, message: Message) -> list[bytes]:
    """Send the first fields only."""
    kept = min(armed.settings["fields"], len(message.fields) - 1)
    injector.note(armed, f"{kept} fields of the {message.shows}", injector.states.of(message.key))
    return [frame_of(message.fields[:kept])]


def closed_after_read(
    injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest
) -> bool | None:
    """Close, and act on the request all the same."""
    _note_request(injector, armed, session, request, "read, then closed")
    session.break_off(reset=False)
    return False


def closed_before_read(
    injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest
) -> bool | None:
    """Close, and act on nothing."""
    _note_request(injector, armed, session, request, "closed, unread")
    injector.states.forget((session.client_id or 0, request.order_id))
    session.break_off(reset=False)
    return True


def _lose(
    injector: "FaultInjector",
    armed: Armed,
    sessions: list[FaultySession],
    states: tuple[str, ...],
    *,
    to_client: bool,
    to_gateway: bool,
) -> bool:
    reached = [session for session in sessions if not (session.is_deaf or session.is_mute)]
    if not reached:
        return False
    for session in reached:
        session.is_mute, session.is_deaf = to_client, to_gateway

    def end() -> None:
        for session in reached:
            session.break_off()

    directions = " and ".join([*(["to the client"] if to_client else []), *(["to the gateway"] if to_gateway else [])])
    injector.note(armed, f"{_who(reached)}: everything {directions} is lost", *states)
    injector.schedule(injector.now_ns + armed.ns("duration_s"), end, ends=True)
    return True


def _note_request(
    injector: "FaultInjector", armed: Armed, session: FaultySession, request: OrderRequest, what: str
) -> None:
    name = "cancel" if isinstance(request, ask.CancelOrder) else "place"
    state = injector.states.of((session.client_id or 0, request.order_id))
    injector.note(armed, f"{name} {request.order_id} of client {session.client_id}: {what}", state)


def _who(sessions: list[FaultySession]) -> str:
    return ", ".join(f"client {session.client_id}" for session in sessions)
