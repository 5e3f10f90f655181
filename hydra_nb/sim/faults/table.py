"""The table of faults: name, level, when it can strike, parameters, and what it does.

Documentation is generated from it, scripts are checked against it, and each name has its handler in `tcp`, `messages`
or `venue`.
"""

from itertools import groupby

from hydra_nb.sim.faults.kinds import (
    CANCELLED,
    FILLED,
    NONE,
    PARTIAL,
    PENDING,
    PENDING_CANCEL,
    PENDING_MODIFY,
    STATES,
    SUBMITTED,
    FaultKind,
    Level,
    Occasion,
    Parameter,
    Value,
)
from hydra_nb.sim.faults.table_of_messages import MESSAGES, seconds

_REQUESTED = (PENDING, PENDING_CANCEL, PENDING_MODIFY)
_TRADED = (PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY)
_TOLD = (PENDING, SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_MODIFY)

_YES_NO = (False, True)

_TCP = (
    FaultKind(
        name="segments",
        level=Level.TCP,
        occasion=Occasion.CONNECTION,
        does="For a while bytes to the client are cut and joined anywhere, with pauses between.",
        parameters=(seconds("duration_s", 30.0), seconds("pause_s", 0.05)),
    ),
    FaultKind(
        name="reset_mid_frame",
        level=Level.TCP,
        occasion=Occasion.MESSAGE,
        does="Half of the message leaves, then the connection is reset.",
        states=_TOLD,
    ),
    FaultKind(
        name="closed_after_read",
        level=Level.TCP,
        occasion=Occasion.REQUEST,
        does="The request is read and acted on; the connection closes before any answer.",
        states=_REQUESTED,
    ),
    FaultKind(
        name="closed_before_read",
        level=Level.TCP,
        occasion=Occasion.REQUEST,
        does="The connection closes with the request unread.",
        states=_REQUESTED,
    ),
    FaultKind(
        name="half_open",
        level=Level.TCP,
        occasion=Occasion.CONNECTION,
        does="Nothing arrives in either direction; after a while the connection is reset.",
        parameters=(seconds("duration_s", 120.0),),
    ),
    FaultKind(
        name="one_way_loss",
        level=Level.TCP,
        occasion=Occasion.CONNECTION,
        does="Nothing arrives in one direction; after a while the connection is reset.",
        parameters=(
            seconds("duration_s", 60.0),
            Parameter(name="direction", default="to client", choices=("to client", "to gateway")),
        ),
    ),
    FaultKind(
        name="bad_length",
        level=Level.TCP,
        occasion=Occasion.MESSAGE,
        does="The message's length prefix is wrong, so that the stream cannot be read on; later it is reset.",
        states=_TOLD,
        parameters=(
            seconds("duration_s", 30.0),
            Parameter(name="length", default=0x00FFFFFF, lowest=0, highest=0xFFFFFFFF),
        ),
    ),
    FaultKind(
        name="truncated_fields",
        level=Level.TCP,
        occasion=Occasion.MESSAGE,
        does="The message ends early, in a frame that is whole.",
        states=_TOLD,
        parameters=(Parameter(name="fields", default=3, lowest=1, highest=20),),
    ),
    FaultKind(
        name="unknown_message",
        level=Level.TCP,
        occasion=Occasion.CONNECTION,
        does="A message with an id that no client knows.",
        parameters=(Parameter(name="message_id", default=999, lowest=200, highest=100_000),),
    ),
)

_VENUE = (
    FaultKind(
        name="correction",
        level=Level.VENUE,
        occasion=Occasion.ORDER,
        does="A fill is corrected: revision .02 with the price moved by ticks, the lots too if wanted.",
        states=_TRADED,
        parameters=(
            Parameter(name="ticks", default=1, lowest=-1_000, highest=1_000),
            Parameter(name="lots_less", default=0, lowest=0, highest=10_000),
        ),
    ),
    FaultKind(
        name="bust",
        level=Level.VENUE,
        occasion=Occasion.ORDER,
        does="A fill is busted: revision .02 with 0 lots.",
        states=_TRADED,
    ),
    FaultKind(
        name="fill_after_cancel",
        level=Level.VENUE,
        occasion=Occasion.ORDER,
        does="A cancelled order is filled with lots that it had left.",
        states=(CANCELLED,),
        parameters=(seconds("delay_s", 1.0), Parameter(name="lots", default=1, lowest=1, highest=10_000)),
    ),
    FaultKind(
        name="cancel_refused_filled",
        level=Level.VENUE,
        occasion=Occasion.CANCEL,
        does="A cancel is refused with 10148, and the order then filled.",
        states=(PENDING_CANCEL,),
        parameters=(seconds("delay_s", 1.0),),
    ),
    FaultKind(
        name="fill_crosses_cancel",
        level=Level.VENUE,
        occasion=Occasion.CANCEL,
        does="The order trades, in part if it can, just before a cancel reaches it.",
        states=(PENDING_CANCEL,),
        parameters=(Parameter(name="lots", default=1, lowest=1, highest=10_000),),
    ),
    FaultKind(
        name="fill_crosses_modify",
        level=Level.VENUE,
        occasion=Occasion.MODIFY,
        does="The order trades at its old price just before a modify reaches it.",
        states=(PENDING_MODIFY,),
        parameters=(Parameter(name="lots", default=1, lowest=1, highest=10_000),),
    ),
    FaultKind(
        name="two_perm_ids",
        level=Level.VENUE,
        occasion=Occasion.MODIFY,
        does="A modify enters as a second order with the same id, and the first goes on working.",
        states=(PENDING_MODIFY,),
    ),
    FaultKind(
        name="foreign_order",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="An order of somebody else appears on the account: of another client, or typed by hand.",
        parameters=(
            Parameter(name="by_hand", default=False, choices=_YES_NO),
            Parameter(name="crosses", default=False, choices=_YES_NO),
            Parameter(name="lots", default=1, lowest=1, highest=10_000),
        ),
    ),
    FaultKind(
        name="overfill",
        level=Level.VENUE,
        occasion=Occasion.ORDER,
        does="An order is filled with more lots than it has left.",
        states=(SUBMITTED, PARTIAL, FILLED, PENDING_CANCEL, PENDING_MODIFY),
        parameters=(Parameter(name="lots", default=1, lowest=1, highest=10_000),),
    ),
    FaultKind(
        name="order_inactive",
        level=Level.VENUE,
        occasion=Occasion.ORDER,
        does="A working order is called Inactive, out of the book; later it works again, or is cancelled, or filled.",
        states=(SUBMITTED, PARTIAL, PENDING_CANCEL, PENDING_MODIFY),
        parameters=(
            seconds("duration_s", 20.0),
            Parameter(name="then", default="submitted", choices=("submitted", "cancelled", "filled")),
        ),
    ),
    FaultKind(
        name="nightly_restart",
        level=Level.VENUE,
        occasion=Occasion.CONNECTION,
        does="All connections drop, new ones are refused for a while, and order ids roll back to 1; orders work on.",
        parameters=(seconds("duration_s", 60.0),),
    ),
    FaultKind(
        name="wrong_account",
        level=Level.VENUE,
        occasion=Occasion.CONNECTION,
        does="All connections drop; for a while the gateway lists another account, in place of the right one or too.",
        parameters=(
            seconds("duration_s", 30.0),
            Parameter(name="listed", default="another", choices=("another", "one more")),
        ),
    ),
    FaultKind(
        name="read_only",
        level=Level.VENUE,
        occasion=Occasion.CONNECTION,
        does="For a while orders and, if wanted, cancels are refused with 321.",
        parameters=(seconds("duration_s", 60.0), Parameter(name="cancels", default=True, choices=_YES_NO)),
    ),
    *(
        FaultKind(
            name=f"quotes_{how}",
            level=Level.VENUE,
            occasion=Occasion.MARKET,
            does=does,
            parameters=(seconds("duration_s", 60.0), *more),
        )
        for how, does, more in (
            ("frozen", "Quotes stand still; if told, as data type 2.", (Parameter(name="told", default=False),)),
            ("empty", "Bid and ask are −1, with size 0.", ()),
            ("crossed", "Bid and ask change places.", ()),
            (
                "delayed",
                "Quotes are of data type 3, with the tick types of delayed data, and late.",
                (seconds("delay_s", 10.0),),
            ),
        )
    ),
    FaultKind(
        name="halt",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="Running markets are halted (tick 49): no quotes and no trades, orders stay as they are.",
        parameters=(seconds("duration_s", 60.0),),
    ),
    FaultKind(
        name="limit_lock",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="Running markets are locked at their limit: nobody else quotes or trades on one side.",
        parameters=(
            seconds("duration_s", 120.0),
            Parameter(name="absent", default="SELL", choices=("BUY", "SELL")),
        ),
    ),
    FaultKind(
        name="session_break",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="Running markets close for a while: no quotes, and orders are held (PreSubmitted).",
        parameters=(seconds("duration_s", 120.0),),
    ),
    FaultKind(
        name="order_held",
        level=Level.VENUE,
        occasion=Occasion.PLACE,
        does="An order is accepted, held out of the book (PreSubmitted, 399), and let in later.",
        states=(PENDING,),
        parameters=(seconds("duration_s", 60.0),),
    ),
)

FAULTS = {kind.name: kind for kind in (*_TCP, *MESSAGES, *_VENUE)}
"""Every kind of fault by its name."""


_WHY_NOT = {
    Occasion.REQUEST: "it strikes while a request is read, which makes the order pending",
    Occasion.PLACE: "it strikes while a new order is read, which makes it pending",
    Occasion.MODIFY: "it strikes while a modify is read, which makes it pending",
    Occasion.CANCEL: "it strikes while a cancel is read, which makes it pending",
    Occasion.MESSAGE: "messages leave about orders only, and answer the cancel that they follow",
    Occasion.OPEN_ORDER: "an openOrder leaves about live orders and filled ones only",
    Occasion.STATUS: "an orderStatus leaves after the openOrder or error that answers the request",
    Occasion.EXECUTION: "it comes with a fill, so that some lots of the order are filled",
    Occasion.COMMISSION: "it comes with a fill, so that some lots of the order are filled",
    Occasion.ORDERS_QUERY: "only live orders are among the open ones",
}
_NO_ORDER = "it is about one order, which there must be"
_NO_ROOM = "an order in this state has no lots that could trade so, or no fill that could be revised"


def illegal_pairs() -> list[tuple[str, str, str]]:
    """Give (fault, order state, reason) of every pair that cannot be."""
    return [
        (kind.name, state, _WHY_NOT.get(kind.occasion, _NO_ORDER if state == NONE else _NO_ROOM))
        for kind in FAULTS.values()
        for state in STATES
        if state not in kind.states
    ]


def illegal_table() -> str:
    """Write the pairs that cannot be as Markdown."""
    lines = ["| fault | order states | because |", "|---|---|---|"]
    for (name, why), group in groupby(illegal_pairs(), key=lambda pair: (pair[0], pair[2])):
        lines.append(f"| `{name}` | {', '.join(state for _, state, _ in group)} | {why} |")
    return "\n".join(lines) + "\n"


def faults_table() -> str:
    """Write the table of faults as Markdown."""
    lines = ["| fault | level | strikes when | what it does | parameters and defaults | order states |"]
    lines.append("|---|---|---|---|---|---|")
    for kind in FAULTS.values():
        parameters = ", ".join(f"`{one.name}` {_word(one.default)}" for one in kind.parameters) or "–"
        states = "any" if kind.states == STATES else ", ".join(kind.states)
        lines.append(f"| `{kind.name}` | {kind.level} | {kind.occasion} | {kind.does} | {parameters} | {states} |")
    return "\n".join(lines) + "\n"


def _word(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:,g}" if isinstance(value, float) else str(value)
