"""The table of faults: name, level, when it can strike, parameters, and what it does.

Documentation is generated from it, scripts are checked against it, and each name has its handler in `tcp`, `messages`
or `venue`.
"""

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

_WITH_ORDER = tuple(state for state in STATES if state != NONE)
_REQUESTED = (PENDING, PENDING_CANCEL, PENDING_MODIFY)
_TRADED = (PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY)
_TOLD = (PENDING, SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_MODIFY)
_LIVE = (PENDING, SUBMITTED, PARTIAL, PENDING_CANCEL, PENDING_MODIFY)


def _seconds(name: str, default: float) -> Parameter:
    return Parameter(name=name, default=default, highest=86_400.0)


_YES_NO = (False, True)
_MESSAGE_LANES = "openOrder, orderStatus, execution, commission, error"

_TCP = (
    FaultKind(
        name="segments",
        level=Level.TCP,
        occasion=Occasion.CONNECTION,
        does="For a while bytes to the client are cut and joined anywhere, with pauses between.",
        parameters=(_seconds("duration_s", 30.0), _seconds("pause_s", 0.05)),
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
        parameters=(_seconds("duration_s", 120.0),),
    ),
    FaultKind(
        name="one_way_loss",
        level=Level.TCP,
        occasion=Occasion.CONNECTION,
        does="Nothing arrives in one direction; after a while the connection is reset.",
        parameters=(
            _seconds("duration_s", 60.0),
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
            _seconds("duration_s", 30.0),
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

_ERROR_TEXTS = {
    103: "Duplicate order id",
    104: "Cannot modify a filled order.",
    105: "Order being modified does not match original order",
    110: "The price does not conform to the minimum price variation for this contract.",
    161: "Cancel attempted when order is not in a cancellable state.  Order permId =0",
    201: "Order rejected - reason: refused by the fault script",
    202: "Order Canceled - reason:",
    399: "Order Message: Warning: your order will not be placed at the exchange until the market opens",
    2102: "Unable to modify this order as it is still being processed.",
    2109: "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored based on the order type.",
    10147: "OrderId that needs to be cancelled is not found.",
    10148: "OrderId that needs to be cancelled cannot be cancelled, state: PendingCancel.",
    10349: "Order TIF was set to DAY based on order preset.",
}
ERROR_TEXTS = {f"error_{code}": (code, text) for code, text in _ERROR_TEXTS.items()}
"""Code and text by the name of the fault that says them."""

_ERRORS = tuple(
    FaultKind(
        name=name,
        level=Level.MESSAGE,
        occasion=Occasion.ORDER,
        does=f"Error {code} with the order's id, although nothing happened to it.",
        states=_WITH_ORDER,
    )
    for name, (code, _) in ERROR_TEXTS.items()
)

FARMS = {2103: 2104, 2105: 2106, 2107: 2106, 2108: 2104, 2110: 2104, 2157: 2158}
"""Notices of a lost farm, and what says that it is back."""

_MESSAGES = (
    FaultKind(
        name="delayed",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does=f"For a while all order messages ({_MESSAGE_LANES}) come late, in order.",
        parameters=(_seconds("duration_s", 60.0), _seconds("delay_s", 2.0)),
    ),
    FaultKind(
        name="reordered",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="For a while each type of order message has a lag of its own, so that types overtake each other.",
        parameters=(_seconds("duration_s", 60.0), _seconds("delay_s", 1.0)),
    ),
    FaultKind(
        name="request_delayed",
        level=Level.MESSAGE,
        occasion=Occasion.REQUEST,
        does="The request is acted on late; later ones for the same order wait behind it.",
        states=_REQUESTED,
        parameters=(_seconds("delay_s", 2.0),),
    ),
    FaultKind(
        name="status_twice",
        level=Level.MESSAGE,
        occasion=Occasion.STATUS,
        does="An orderStatus comes twice.",
        states=(SUBMITTED, PARTIAL, FILLED, CANCELLED),
    ),
    FaultKind(
        name="status_never",
        level=Level.MESSAGE,
        occasion=Occasion.STATUS,
        does="An orderStatus never comes.",
        states=(SUBMITTED, PARTIAL, FILLED, CANCELLED),
    ),
    FaultKind(
        name="execution_first",
        level=Level.MESSAGE,
        occasion=Occasion.OPEN_ORDER,
        does="Executions come before openOrder and orderStatus, which wait for them for a while.",
        states=(PENDING, PENDING_MODIFY, SUBMITTED, PARTIAL, FILLED),
        parameters=(_seconds("duration_s", 5.0),),
    ),
    FaultKind(
        name="execution_twice",
        level=Level.MESSAGE,
        occasion=Occasion.EXECUTION,
        does="An execution comes again later.",
        states=(SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY),
        parameters=(_seconds("delay_s", 1.0),),
    ),
    FaultKind(
        name="commission_first",
        level=Level.MESSAGE,
        occasion=Occasion.EXECUTION,
        does="A commission report comes before its execution.",
        states=(SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY),
    ),
    FaultKind(
        name="commission_late",
        level=Level.MESSAGE,
        occasion=Occasion.COMMISSION,
        does="A commission report comes late.",
        states=(SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY),
        parameters=(_seconds("delay_s", 10.0),),
    ),
    FaultKind(
        name="commission_never",
        level=Level.MESSAGE,
        occasion=Occasion.COMMISSION,
        does="A commission report never comes.",
        states=(SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY),
    ),
    *_ERRORS,
    FaultKind(
        name="outage_1101",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="1100: quotes stop and requests for orders wait; then 1101, subscriptions are lost.",
        parameters=(_seconds("duration_s", 30.0),),
    ),
    FaultKind(
        name="outage_1102",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="1100: quotes stop and requests for orders wait; then 1102, subscriptions are kept.",
        parameters=(_seconds("duration_s", 30.0),),
    ),
    FaultKind(
        name="farm_flap",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="A farm is said to be lost and to be back, several times.",
        parameters=(
            Parameter(name="code", default=2103, choices=tuple(FARMS)),
            Parameter(name="flaps", default=3, lowest=1, highest=100),
            _seconds("duration_s", 2.0),
        ),
    ),
    FaultKind(
        name="next_id_back",
        level=Level.MESSAGE,
        occasion=Occasion.START,
        does="The next valid id rolls back, down to 1.",
        parameters=(Parameter(name="ids", default=1_000_000, lowest=1, highest=1_000_000_000),),
    ),
    FaultKind(
        name="next_id_jump",
        level=Level.MESSAGE,
        occasion=Occasion.START,
        does="The next valid id jumps ahead.",
        parameters=(Parameter(name="ids", default=1_000, lowest=1, highest=1_000_000),),
    ),
    FaultKind(
        name="client_id_in_use",
        level=Level.MESSAGE,
        occasion=Occasion.START,
        does="A start is refused with 326 and the connection closed.",
    ),
    FaultKind(
        name="executions_without_end",
        level=Level.MESSAGE,
        occasion=Occasion.EXECUTIONS_QUERY,
        does="Executions are answered without the end of the list.",
    ),
    FaultKind(
        name="executions_cut",
        level=Level.MESSAGE,
        occasion=Occasion.EXECUTIONS_QUERY,
        does="Executions are answered only from a recent midnight on.",
        parameters=(_seconds("since_midnight_s", 60.0),),
    ),
    FaultKind(
        name="open_orders_partial",
        level=Level.MESSAGE,
        occasion=Occasion.ORDERS_QUERY,
        does="One open order is left out of the answer.",
        states=_LIVE,
    ),
    FaultKind(
        name="clock_jump",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="For a while the gateway tells a time that is off.",
        parameters=(
            _seconds("duration_s", 60.0),
            Parameter(name="offset_s", default=90.0, lowest=-86_400.0, highest=86_400.0),
        ),
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
        parameters=(_seconds("delay_s", 1.0), Parameter(name="lots", default=1, lowest=1, highest=10_000)),
    ),
    FaultKind(
        name="cancel_refused_filled",
        level=Level.VENUE,
        occasion=Occasion.CANCEL,
        does="A cancel is refused with 10148, and the order then filled.",
        states=(PENDING_CANCEL,),
        parameters=(_seconds("delay_s", 1.0),),
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
        name="nightly_restart",
        level=Level.VENUE,
        occasion=Occasion.CONNECTION,
        does="All connections drop, new ones are refused for a while, and order ids roll back to 1; orders work on.",
        parameters=(_seconds("duration_s", 60.0),),
    ),
    FaultKind(
        name="read_only",
        level=Level.VENUE,
        occasion=Occasion.CONNECTION,
        does="For a while orders and, if wanted, cancels are refused with 321.",
        parameters=(_seconds("duration_s", 60.0), Parameter(name="cancels", default=True, choices=_YES_NO)),
    ),
    *(
        FaultKind(
            name=f"quotes_{how}",
            level=Level.VENUE,
            occasion=Occasion.MARKET,
            does=does,
            parameters=(_seconds("duration_s", 60.0), *more),
        )
        for how, does, more in (
            ("frozen", "Quotes stand still; if told, as data type 2.", (Parameter(name="told", default=False),)),
            ("empty", "Bid and ask are −1, with size 0.", ()),
            ("crossed", "Bid and ask change places.", ()),
            (
                "delayed",
                "Quotes are of data type 3, with the tick types of delayed data, and late.",
                (_seconds("delay_s", 10.0),),
            ),
        )
    ),
    FaultKind(
        name="halt",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="Running markets are halted (tick 49): no quotes and no trades, orders stay as they are.",
        parameters=(_seconds("duration_s", 60.0),),
    ),
    FaultKind(
        name="limit_lock",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="Running markets are locked at their limit: nobody else quotes or trades on one side.",
        parameters=(
            _seconds("duration_s", 120.0),
            Parameter(name="absent", default="SELL", choices=("BUY", "SELL")),
        ),
    ),
    FaultKind(
        name="session_break",
        level=Level.VENUE,
        occasion=Occasion.MARKET,
        does="Running markets close for a while: no quotes, and orders are held (PreSubmitted).",
        parameters=(_seconds("duration_s", 120.0),),
    ),
    FaultKind(
        name="order_held",
        level=Level.VENUE,
        occasion=Occasion.PLACE,
        does="An order is accepted, held out of the book (PreSubmitted, 399), and let in later.",
        states=(PENDING,),
        parameters=(_seconds("duration_s", 60.0),),
    ),
)

FAULTS = {kind.name: kind for kind in (*_TCP, *_MESSAGES, *_VENUE)}
"""Every kind of fault by its name."""


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
