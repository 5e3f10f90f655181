"""What a kind of fault is: its level, what it waits for, its parameters, and the order states that it can find."""

from dataclasses import dataclass
from enum import StrEnum

NONE, PENDING, SUBMITTED, PARTIAL = "none", "pending", "submitted", "partially filled"
FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY = "filled", "cancelled", "pending cancel", "pending modify"

STATES = (NONE, PENDING, SUBMITTED, PARTIAL, FILLED, CANCELLED, PENDING_CANCEL, PENDING_MODIFY)
"""Order states in which a fault can find an order.

``pending``, ``pending modify`` and ``pending cancel`` last from the moment at which the gateway has read the request to
the first openOrder, orderStatus or error about it that leaves for the client; a cancel until the order's end. News of a
trade answer no request.
"""


class Level(StrEnum):
    """Where a fault sits."""

    TCP = "TCP"
    MESSAGE = "message"
    VENUE = "venue"


class Occasion(StrEnum):
    """What a fault waits for once its time has come."""

    CONNECTION = "a client is connected"
    MARKET = "a client is connected and a market runs"
    START = "a client starts or asks for ids"
    REQUEST = "an order is placed, modified or cancelled"
    PLACE = "a new order is placed"
    MODIFY = "an order is modified"
    CANCEL = "an order is cancelled"
    ORDER = "a client has an order"
    MESSAGE = "a message about an order leaves"
    OPEN_ORDER = "an openOrder leaves"
    STATUS = "an orderStatus leaves"
    EXECUTION = "an execution leaves"
    COMMISSION = "a commission report leaves"
    EXECUTIONS_QUERY = "a client asks for executions"
    ORDERS_QUERY = "a client asks for open orders"


Value = float | int | str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number within bounds, one of several values, or yes or no; its unit is in the name."""

    name: str
    default: Value
    lowest: float = 0.0
    highest: float = 0.0
    choices: tuple[Value, ...] = ()

    def refusal(self, value: object) -> str | None:
        """Say why a value is not taken, None when it is."""
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else f"{self.name} is {value!r}; true or false is taken"
        if self.choices:
            known = ", ".join(str(choice) for choice in self.choices)
            taken = value in self.choices and not isinstance(value, bool)
            return None if taken else f"{self.name} is {value!r}; one of {known} is taken"
        whole = isinstance(self.default, int)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            return f"{self.name} is {value!r}; a {'whole ' if whole else ''}number is taken"
        if not self.lowest <= value <= self.highest:
            return f"{self.name} is {value}; {self.lowest:g} to {self.highest:g} is taken"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One row of the table.

    Attributes
    ----------
    states
        Order states in which it can strike. ``none`` is among them where it concerns a connection or a market.
    """

    name: str
    level: Level
    occasion: Occasion
    does: str
    states: tuple[str, ...] = STATES
    parameters: tuple[Parameter, ...] = ()
