"""Reads the frames of a client: field layouts of each request for server versions 157 to 178.

Layouts follow IB's published API clients, message by message; the number before each reader is the message id.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from hydra_nb.sim import requests as ask
from hydra_nb.sim.framing import WireError

FA_PROFILE_DROPPED = 177  # server version from which orders carry no faProfile

_LARGEST_DOUBLE = Decimal("1.7976931348623157E+308")  # how older clients write "not set"
_FINEST_EXPONENT = -30  # decimals beyond these belong to no price, and could be a billion
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_INTEGER_LIMIT = 1 << 31  # integers of the wire have 32 bits
_MESSAGE_ID_DIGITS = 3

# Requests that are refused, with the place of their request id among the fields (None where they carry none).
_UNSERVED: dict[int, int | None] = {
    10: 2,  # market depth
    12: None,  # news bulletins
    18: None,  # financial advisor settings
    19: None,
    21: 2,  # exercise options
    22: 1,  # scanner
    24: None,
    50: 2,  # real-time bars
    52: 2,  # fundamental data
    54: 2,  # implied volatility
    55: 2,  # option price
    67: 2,  # display groups
    74: 2,  # positions of a model
    78: 1,  # option chains
    79: 1,  # soft dollar tiers
    80: None,  # family codes
    81: 1,  # matching symbols
    82: None,  # depth exchanges
    83: 1,  # smart components
    84: 1,  # news article
    85: None,  # news providers
    86: 1,  # historical news
    87: 1,  # head time stamp
    88: 1,  # histogram
    96: 1,  # historical ticks
    97: 1,  # tick by tick
    100: 1,  # calendar
    102: 1,
    104: 1,  # user info
}
_UNANSWERED = frozenset({11, 13, 14, 23, 51, 53, 56, 57, 68, 69, 70, 75, 89, 90, 98, 101, 103})


class FieldReader:
    """Reads the fields of one message in order.

    Raises
    ------
    WireError
        From every method, if the message ends too early or a field is not what it should be.
    """

    __slots__ = ("_fields", "_next")

    def __init__(self, fields: list[str]) -> None:
        self._fields = fields
        self._next = 0

    def text(self) -> str:
        """The next field as it stands."""
        if self._next >= len(self._fields):
            raise WireError(f"message {self._fields[0]} ends after {len(self._fields)} fields")
        field = self._fields[self._next]
        self._next += 1
        return field

    def integer(self) -> int:
        """The next field as an integer of 32 bits; 0 where it is empty."""
        field = self.text() or "0"
        if _INTEGER.fullmatch(field) is None or not -_INTEGER_LIMIT <= int(field) < _INTEGER_LIMIT:
            raise WireError(f"message {self._fields[0]}: {field[:40]!r} is not an integer of 32 bits")
        return int(field)

    def flag(self) -> bool:
        """The next field as yes or no; empty is no."""
        return self.text() not in {"", "0", "false", "False"}

    def skip(self, *, count: int) -> None:
        """Pass over fields that the gateway does not use."""
        if count < 0:
            raise WireError(f"message {self._fields[0]} counts {count} fields")
        self._next += count

    def contract(self) -> ask.ContractQuery:
        """The twelve fields that name a contract."""
        con_id, symbol, security_type, month = self.integer(), self.text(), self.text(), self.text()
        self.skip(count=2)  # strike and right
        multiplier, exchange = self.text(), self.text()
        self.skip(count=1)  # primary exchange
        return ask.ContractQuery(
            con_id=con_id,
            symbol=symbol,
            security_type=security_type,
            month=month,
            multiplier=multiplier,
            exchange=exchange,
            currency=self.text(),
            local_symbol=self.text(),
            trading_class=self.text(),
        )


def parse(fields: list[str], *, server_version: int) -> ask.Request:
    """Read one message of a client.

    Raises
    ------
    WireError
        If the message is cut short or a field cannot be read.
    """
    head = fields[0] if fields else ""
    if not (head.isascii() and head.isdecimal() and len(head) <= _MESSAGE_ID_DIGITS):
        return ask.Unknown(message_id=head[:40])
    message_id = int(head)
    reader = FieldReader(fields)
    reader.skip(count=1)
    if message_id == 3:
        return _place_order(reader, server_version=server_version)
    read = _READERS.get(message_id)
    if read is not None:
        return read(reader)
    if message_id in _UNSERVED:
        place = _UNSERVED[message_id]
        if place is None:
            return ask.Unserved(message_id=message_id, req_id=-1)
        reader.skip(count=place - 1)
        return ask.Unserved(message_id=message_id, req_id=reader.integer())
    if message_id in _UNANSWERED:
        return ask.Unanswered(message_id=message_id)
    return ask.Unknown(message_id=head)


def number(text: str) -> Decimal | None:
    """A price or quantity as clients write it; None where it is unset, no finite number or of more than 30 decimals."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    # copy_abs, unlike abs, does not round, and so cannot overflow.
    is_plain = isinstance(exponent, int) and exponent >= _FINEST_EXPONENT and value.copy_abs() < _LARGEST_DOUBLE / 2
    return value if is_plain else None


def _place_order(reader: FieldReader, *, server_version: int) -> ask.PlaceOrder:
    order_id = reader.integer()
    contract = reader.contract()
    reader.skip(count=2)  # security id and its type
    action, quantity, order_type, limit_price = reader.text(), reader.text(), reader.text(), reader.text()
    reader.skip(count=1)  # auxiliary price
    tif = reader.text()
    reader.skip(count=1)  # OCA group
    account = reader.text()
    reader.skip(count=2)  # open or close, origin
    order_ref, transmit = reader.text(), reader.flag()
    # A combination carries its legs from here on; it names no future, and is refused on its contract alone.
    is_combination = contract.security_type == "BAG"
    good_till, what_if = ("", False) if is_combination else _order_tail(reader, server_version=server_version)
    return ask.PlaceOrder(
        order_id=order_id,
        contract=contract,
        action=action,
        quantity=quantity,
        order_type=order_type,
        limit_price=limit_price,
        tif=tif,
        account=account,
        order_ref=order_ref,
        transmit=transmit,
        good_till=good_till,
        what_if=what_if,
    )


def _order_tail(reader: FieldReader, *, server_version: int) -> tuple[str, bool]:
    reader.skip(count=7)  # parent, block, sweep, display size, trigger method, outside RTH, hidden
    reader.skip(count=3)  # shares allocation, discretionary amount, good after time
    good_till = reader.text()
    reader.skip(count=3 if server_version >= FA_PROFILE_DROPPED else 4)  # financial advisor's allocation
    reader.skip(count=22)  # model code ... volatility type
    has_delta_neutral_order = bool(reader.text())
    reader.skip(count=9 if has_delta_neutral_order else 1)
    reader.skip(count=6)  # continuous update ... scale subsequent level size
    increment = number(reader.text())
    reader.skip(count=7 if increment is not None and increment > 0 else 0)
    reader.skip(count=3)  # scale table, active start and stop time
    if reader.text():
        reader.skip(count=1)  # hedge parameter
    reader.skip(count=4)  # opt out of smart routing, clearing account, clearing intent, not held
    if reader.flag():
        reader.skip(count=3)  # delta neutral contract
    if reader.text():
        reader.skip(count=2 * reader.integer())  # parameters of an algorithm
    reader.skip(count=1)  # algorithm id
    return good_till, reader.flag()


def _executions(reader: FieldReader) -> ask.ExecutionsQuery:
    reader.skip(count=1)
    return ask.ExecutionsQuery(
        req_id=reader.integer(),
        client_id=reader.integer(),
        account=reader.text(),
        since=reader.text(),
        symbol=reader.text(),
        security_type=reader.text(),
        exchange=reader.text(),
        side=reader.text(),
    )


def _market_data(reader: FieldReader) -> ask.MarketData:
    reader.skip(count=1)
    req_id, contract = reader.integer(), reader.contract()
    if contract.security_type == "BAG":
        return ask.MarketData(req_id=req_id, contract=contract, snapshot=False)
    if reader.flag():
        reader.skip(count=3)  # delta neutral contract
    generic = tuple(filter(None, reader.text().replace(" ", "").split(",")))
    return ask.MarketData(req_id=req_id, contract=contract, generic=generic, snapshot=reader.flag())


def _historical_data(reader: FieldReader) -> ask.HistoricalData:
    req_id, contract = reader.integer(), reader.contract()
    reader.skip(count=1)  # include expired
    end, bar_size, duration = reader.text(), reader.text(), reader.text()
    reader.skip(count=1)  # regular trading hours only
    what = reader.text()
    reader.skip(count=1)  # date format; daily bars have one only
    keep = False if contract.security_type == "BAG" else reader.flag()
    return ask.HistoricalData(
        req_id=req_id,
        contract=contract,
        end=end,
        bar_size=bar_size,
        duration=duration,
        what=what,
        keep_up_to_date=keep,
    )


def _start_api(reader: FieldReader) -> ask.StartApi:
    reader.skip(count=1)
    return ask.StartApi(client_id=reader.integer())


def _cancel_order(reader: FieldReader) -> ask.CancelOrder:
    reader.skip(count=1)
    return ask.CancelOrder(order_id=reader.integer())


def _account_updates(reader: FieldReader) -> ask.AccountUpdates:
    reader.skip(count=1)
    return ask.AccountUpdates(subscribe=reader.flag(), account=reader.text())


def _account_updates_multi(reader: FieldReader) -> ask.AccountUpdatesMulti:
    reader.skip(count=1)
    return ask.AccountUpdatesMulti(req_id=reader.integer(), account=reader.text(), model=reader.text())


def _account_summary(reader: FieldReader) -> ask.AccountSummary:
    reader.skip(count=1)
    req_id = reader.integer()
    reader.skip(count=1)  # group of accounts; there is one account
    return ask.AccountSummary(req_id=req_id, tags=tuple(tag for tag in reader.text().split(",") if tag))


def _profit_and_loss(reader: FieldReader) -> ask.ProfitAndLoss:
    return ask.ProfitAndLoss(req_id=reader.integer(), account=reader.text(), con_id=None)


def _profit_and_loss_single(reader: FieldReader) -> ask.ProfitAndLoss:
    req_id, account = reader.integer(), reader.text()
    reader.skip(count=1)  # model code
    return ask.ProfitAndLoss(req_id=req_id, account=account, con_id=reader.integer())


def _contract_details(reader: FieldReader) -> ask.ContractDetailsQuery:
    reader.skip(count=1)
    return ask.ContractDetailsQuery(req_id=reader.integer(), contract=reader.contract())


def _market_data_type(reader: FieldReader) -> ask.MarketDataType:
    reader.skip(count=1)
    return ask.MarketDataType(data_type=reader.integer())


def _auto_open_orders(reader: FieldReader) -> ask.AutoOpenOrders:
    reader.skip(count=1)
    return ask.AutoOpenOrders(bind=reader.flag())


def _stop(stream: str, *, versioned: bool) -> Callable[[FieldReader], ask.Stop]:
    def read(reader: FieldReader) -> ask.Stop:
        reader.skip(count=1 if versioned else 0)
        return ask.Stop(stream=stream, req_id=reader.integer())

    return read


_READERS: dict[int, Callable[[FieldReader], ask.Request]] = {
    1: _market_data,
    2: _stop("ticks", versioned=True),
    4: _cancel_order,
    5: lambda _reader: ask.OpenOrdersQuery(all_clients=False),
    6: _account_updates,
    7: _executions,
    8: lambda _reader: ask.NextIds(),
    9: _contract_details,
    15: _auto_open_orders,
    16: lambda _reader: ask.OpenOrdersQuery(all_clients=True),
    17: lambda _reader: ask.ManagedAccounts(),
    20: _historical_data,
    25: _stop("bars", versioned=True),
    49: lambda _reader: ask.CurrentTime(),
    58: lambda _reader: ask.GlobalCancel(),
    59: _market_data_type,
    61: lambda _reader: ask.Positions(subscribe=True),
    62: _account_summary,
    63: _stop("summary", versioned=True),
    64: lambda _reader: ask.Positions(subscribe=False),
    71: _start_api,
    76: _account_updates_multi,
    77: _stop("values", versioned=True),
    91: lambda reader: ask.MarketRuleQuery(rule_id=reader.integer()),
    92: _profit_and_loss,
    93: _stop("pnl", versioned=False),
    94: _profit_and_loss_single,
    95: _stop("pnl of one", versioned=False),
    99: lambda _reader: ask.CompletedOrdersQuery(),
}
