"""The rows of the table that are about messages."""

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
)

_WITH_ORDER = tuple(state for state in STATES if state != NONE)
_REQUESTED = (PENDING, PENDING_CANCEL, PENDING_MODIFY)
_TRADED = (PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY)
_LIVE = (PENDING, SUBMITTED, PARTIAL, PENDING_CANCEL, PENDING_MODIFY)

_MESSAGE_LANES = "openOrder, orderStatus, execution, commission, error"


def seconds(name: str, default: float) -> Parameter:
    """A time or a delay in seconds, up to a day."""
    return Parameter(name=name, default=default, highest=86_400.0)


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

MESSAGES = (
    FaultKind(
        name="delayed",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does=f"For a while all order messages ({_MESSAGE_LANES}) come late, in order.",
        parameters=(seconds("duration_s", 60.0), seconds("delay_s", 2.0)),
    ),
    FaultKind(
        name="reordered",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="For a while each type of order message has a lag of its own, so that types overtake each other.",
        parameters=(seconds("duration_s", 60.0), seconds("delay_s", 1.0)),
    ),
    FaultKind(
        name="request_delayed",
        level=Level.MESSAGE,
        occasion=Occasion.REQUEST,
        does="The request is acted on late; later ones for the same order wait behind it.",
        states=_REQUESTED,
        parameters=(seconds("delay_s", 2.0),),
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
        parameters=(seconds("duration_s", 5.0),),
    ),
    FaultKind(
        name="execution_twice",
        level=Level.MESSAGE,
        occasion=Occasion.EXECUTION,
        does="An execution comes again later.",
        states=_TRADED,
        parameters=(seconds("delay_s", 1.0),),
    ),
    FaultKind(
        name="commission_first",
        level=Level.MESSAGE,
        occasion=Occasion.EXECUTION,
        does="A commission report comes before its execution.",
        states=_TRADED,
    ),
    FaultKind(
        name="commission_late",
        level=Level.MESSAGE,
        occasion=Occasion.COMMISSION,
        does="A commission report comes late.",
        states=_TRADED,
        parameters=(seconds("delay_s", 10.0),),
    ),
    FaultKind(
        name="commission_never",
        level=Level.MESSAGE,
        occasion=Occasion.COMMISSION,
        does="A commission report never comes.",
        states=_TRADED,
    ),
    *_ERRORS,
    FaultKind(
        name="outage_1101",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="1100: quotes stop and requests for orders wait; then 1101, subscriptions to quotes are lost.",
        parameters=(seconds("duration_s", 30.0),),
    ),
    FaultKind(
        name="outage_1102",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="1100: quotes stop and requests for orders wait; then 1102, subscriptions are kept.",
        parameters=(seconds("duration_s", 30.0),),
    ),
    FaultKind(
        name="farm_flap",
        level=Level.MESSAGE,
        occasion=Occasion.CONNECTION,
        does="A farm is said to be lost and to be back, several times.",
        parameters=(
            Parameter(name="code", default=2103, choices=tuple(FARMS)),
            Parameter(name="flaps", default=3, lowest=1, highest=100),
            seconds("duration_s", 2.0),
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
        parameters=(seconds("since_midnight_s", 60.0),),
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
            seconds("duration_s", 60.0),
            Parameter(name="offset_s", default=90.0, lowest=-86_400.0, highest=86_400.0),
        ),
    ),
)
