"""What clients ask for: requests of the TWS wire, read into records.

`parse` knows the field layout of each message for server versions 157 to 178. Message ids it does not know become
`Unknown`; ids it knows and this gateway does not serve become `Unserved`, with the request id to answer to.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractQuery:
    """The fields by which a client names a contract; empty or 0 means any."""

    con_id: int = 0
    symbol: str = ""
    security_type: str = ""
    month: str = ""  # YYYYMM or YYYYMMDD
    multiplier: str = ""
    exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartApi:
    """71: the client says who it is; the server answers with accounts and the next order id."""

    client_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """3: place, modify (same order id) or, with ``what_if``, only ask what it would cost."""

    order_id: int
    contract: ContractQuery
    action: str
    quantity: str
    order_type: str
    limit_price: str
    tif: str
    account: str
    order_ref: str
    transmit: bool
    good_till: str
    what_if: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """4."""

    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionsQuery:
    """7: fills since midnight that pass the filter; empty or 0 lets all pass."""

    req_id: int
    client_id: int
    account: str
    since: str
    symbol: str
    security_type: str
    exchange: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdates:
    """6: begin or end the stream of account values and portfolio."""

    subscribe: bool
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdatesMulti:
    """76."""

    req_id: int
    account: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummary:
    """62: values of the named tags, as a stream."""

    req_id: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitAndLoss:
    """92, and 94 where ``con_id`` is given."""

    req_id: int
    account: str
    con_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetailsQuery:
    """9."""

    req_id: int
    contract: ContractQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRuleQuery:
    """91."""

    rule_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketData:
    """1: ticks of one contract, once (``snapshot``) or as a stream; ``generic`` are the further kinds asked for."""

    req_id: int
    contract: ContractQuery
    snapshot: bool
    generic: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataType:
    """59: live 1, frozen 2, delayed 3, delayed and frozen 4."""

    data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalData:
    """20."""

    req_id: int
    contract: ContractQuery
    end: str
    bar_size: str
    duration: str
    what: str
    keep_up_to_date: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """2, 25, 63, 77, 93, 95: end what was asked for under that request id; ids of different kinds may be the same."""

    stream: str  # "ticks", "bars", "summary", "values", "pnl" or "pnl of one"
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalCancel:
    """58: cancel every order of every client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrdersQuery:
    """5 for the client's own orders, 16 for those of all clients."""

    all_clients: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoOpenOrders:
    """15: bind orders typed by hand to client 0; this market has none."""

    bind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrdersQuery:
    """99."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """61 to begin the stream of positions, 64 to end it."""

    subscribe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NextIds:
    """8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedAccounts:
    """17."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """49."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A request of the protocol that this gateway refuses."""

    message_id: int
    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A request that asks for nothing, such as a log level, or the end of a stream that was refused."""

    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A message id that is not of the protocol."""

    message_id: str


Request = (
    StartApi
    | PlaceOrder
    | CancelOrder
    | ExecutionsQuery
    | AccountUpdates
    | AccountUpdatesMulti
    | AccountSummary
    | ProfitAndLoss
    | ContractDetailsQuery
    | MarketRuleQuery
    | MarketData
    | MarketDataType
    | HistoricalData
    | Stop
    | GlobalCancel
    | OpenOrdersQuery
    | AutoOpenOrders
    | CompletedOrdersQuery
    | Positions
    | NextIds
    | ManagedAccounts
    | CurrentTime
    | Unserved
    | Unanswered
    | Unknown
)
