"""What the gateway says: messages of the TWS wire, built from the exchange's records.

Every function gives one whole frame. Layouts are those that IB's published API clients read at server versions 157 to
178; the number that opens each list of fields is the message id.
"""

from collections.abc import Sequence
from decimal import Decimal

from hydra_nb.sim.framing import encode
from hydra_nb.sim.records import Commission, DailyBar, Execution, Listing, OrderView, Position, SimSide
from hydra_nb.sim.wire_time import NS_PER_S, date_text, execution_time

SIZE_RULES = 164  # contract details: no message version, size rules at the end
ADVANCED_REJECT = 166  # errors carry a JSON field
PENDING_PRICE_REVISION = 178  # executions carry one more flag

UNSET = "1.7976931348623157E308"  # the largest double stands for "not set"
NO_REQUEST = -1


def plain(value: Decimal) -> str:
    """A decimal without exponent, as the wire writes prices and money."""
    return format(value, "f")


def contract_fields(listing: Listing, *, right: str = "?") -> list[object]:
    """The eleven fields that open most reports; the right of a future is ``?`` in orders and fills, 0 in positions."""
    return [
        listing.con_id,
        listing.symbol,
        "FUT",
        date_text(listing.last_trade_date),
        "0",
        right,
        listing.multiplier,
        listing.exchange,
        listing.currency,
        listing.local_symbol,
        listing.trading_class,
    ]


def handshake(*, server_version: int, now_ns: int) -> bytes:
    """Answer to the client's version range."""
    return encode([server_version, execution_time(now_ns)])


def managed_accounts(account: str) -> bytes:
    """15."""
    return encode([15, 1, account])


def next_valid_id(order_id: int) -> bytes:
    """9."""
    return encode([9, 1, order_id])


def current_time(now_ns: int) -> bytes:
    """49: whole seconds since 1970."""
    return encode([49, 1, now_ns // NS_PER_S])


def error(req_id: int, *, code: int, message: str, server_version: int) -> bytes:
    """4: an error, a warning or a notice; request id -1 where it belongs to none."""
    advanced_reject = [""] if server_version >= ADVANCED_REJECT else []
    return encode([4, 2, req_id, code, message, *advanced_reject])


def order_status(order: OrderView) -> bytes:
    """3: the remaining lots are those not filled, also where the order is cancelled."""
    terms = order.terms
    return encode(
        [
            3,
            terms.order_id,
            order.status.value,
            order.filled_lots,
            max(0, terms.lots - order.filled_lots),  # a venue may fill too many
            plain(order.average_price or Decimal(0)),
            order.perm_id,
            0,  # parent id
            plain(order.last_fill_price or Decimal(0)),
            terms.client_id,
            "",  # why held
            0,  # market cap price
        ]
    )


def execution(req_id: int, *, fill: Execution, listing: Listing, server_version: int) -> bytes:
    """11: one fill; request id -1 while it is news."""
    return encode(
        [
            11,
            req_id,
            fill.order_id,
            *contract_fields(listing),
            fill.exec_id,
            execution_time(fill.time_ns),
            fill.account,
            listing.exchange,
            "BOT" if fill.side is SimSide.BUY else "SLD",
            fill.lots,
            plain(fill.price),
            fill.perm_id,
            fill.client_id,
            0,  # liquidation
            fill.cumulative_lots,
            plain(fill.average_price),
            fill.order_ref,
            "",  # economic value rule
            "",  # and multiplier
            "",  # model code
            1 if fill.maker else 2,  # added or removed liquidity
            *([0] if server_version >= PENDING_PRICE_REVISION else []),
        ]
    )


def executions_end(req_id: int) -> bytes:
    """55."""
    return encode([55, 1, req_id])


def commission_report(report: Commission) -> bytes:
    """59: fees of one fill; the realised P&L is the largest double while a position only opens."""
    realised = UNSET if report.realised_pnl is None else plain(report.realised_pnl)
    return encode([59, 1, report.exec_id, plain(report.commission), report.currency, realised, UNSET, ""])


def open_orders_end() -> bytes:
    """53."""
    return encode([53, 1])


def completed_orders_end() -> bytes:
    """102."""
    return encode([102])


def position(held: Position, *, listing: Listing, account: str) -> bytes:
    """61."""
    cost = plain(held.average_cost)
    return encode([61, 3, account, *contract_fields(listing, right="0"), held.lots, cost])


def positions_end() -> bytes:
    """62."""
    return encode([62, 1])


def account_value(key: str, *, value: str, currency: str, account: str) -> bytes:
    """6."""
    return encode([6, 2, key, value, currency, account])


def portfolio(
    held: Position, *, listing: Listing, account: str, price: Decimal, unrealised: Decimal, realised: Decimal
) -> bytes:
    """7: a position with its value; price is the quoted one, values are money."""
    value = contract_value(listing, price=price) * held.lots
    fields = contract_fields(listing, right="0")  # here the exchange stands where others have the primary exchange
    return encode(
        [
            7,
            8,
            *fields,
            held.lots,
            plain(price),
            plain(value),
            plain(held.average_cost),
            plain(unrealised),
            plain(realised),
            account,
        ]
    )


def contract_value(listing: Listing, *, price: Decimal) -> Decimal:
    """Money value of one lot: price / magnifier x multiplier."""
    return price / listing.price_magnifier * Decimal(listing.multiplier)


def account_time(clock: str) -> bytes:
    """8: hours and minutes of the last account update."""
    return encode([8, 1, clock])


def account_download_end(account: str) -> bytes:
    """54."""
    return encode([54, 1, account])


def account_value_multi(req_id: int, *, account: str, model: str, key: str, value: str, currency: str) -> bytes:
    """73."""
    return encode([73, 1, req_id, account, model, key, value, currency])


def account_multi_end(req_id: int) -> bytes:
    """74."""
    return encode([74, 1, req_id])


def account_summary(req_id: int, *, account: str, tag: str, value: str, currency: str) -> bytes:
    """63."""
    return encode([63, 1, req_id, account, tag, value, currency])


def account_summary_end(req_id: int) -> bytes:
    """64."""
    return encode([64, 1, req_id])


def profit_and_loss(req_id: int, *, daily: Decimal, unrealised: Decimal, realised: Decimal) -> bytes:
    """94."""
    return encode([94, req_id, plain(daily), plain(unrealised), plain(realised)])


def profit_and_loss_single(
    req_id: int, *, lots: int, daily: Decimal, unrealised: Decimal, realised: Decimal, value: Decimal
) -> bytes:
    """95."""
    return encode([95, req_id, lots, plain(daily), plain(unrealised), plain(realised), plain(value)])


def contract_details(req_id: int, *, listing: Listing, hours: str, server_version: int) -> bytes:
    """10: everything a client needs to know to order; ``hours`` stands for trading and liquid hours alike."""
    has_size_rules = server_version >= SIZE_RULES
    return encode(
        [
            10,
            *([] if has_size_rules else [8]),
            req_id,
            listing.symbol,
            "FUT",
            date_text(listing.last_trade_date),
            "0",
            "",  # right
            listing.exchange,
            listing.currency,
            listing.local_symbol,
            listing.trading_class,  # market name
            listing.trading_class,
            listing.con_id,
            plain(listing.told_tick),
            *([] if has_size_rules else [100]),  # size multiplier of market data
            listing.multiplier,
            "ACTIVETIM,DAY,GTC,GTD,LMT,WHATIF",
            listing.exchange,
            listing.price_magnifier,
            0,  # underlying contract
            listing.name,
            "",  # primary exchange
            listing.contract_month,
            "",  # industry
            "",  # category
            "",  # subcategory
            listing.time_zone,
            hours,
            hours,
            "",  # economic value rule
            "",  # and multiplier
            0,  # security ids
            1,  # aggregation group
            listing.symbol,
            "IND",
            listing.market_rule_id,
            date_text(listing.last_trade_date),
            "",  # stock type
            *_size_rules(server_version=server_version),
        ]
    )


def contract_details_end(req_id: int) -> bytes:
    """52."""
    return encode([52, 1, req_id])


def market_rule(rule_id: int, *, increments: Sequence[tuple[Decimal, Decimal]]) -> bytes:
    """93: price increments, each from its lower edge on, both in the currency as the tick of contract details is."""
    flat = [plain(number) for increment in increments for number in increment]
    return encode([93, rule_id, len(increments), *flat])


def market_data_type(req_id: int, *, data_type: int) -> bytes:
    """58: live 1, frozen 2, delayed 3."""
    return encode([58, 1, req_id, data_type])


def tick_parameters(req_id: int, *, min_tick: Decimal, exchange: str) -> bytes:
    """81; the tick is in the currency."""
    return encode([81, req_id, plain(min_tick), exchange, 3])


def snapshot_end(req_id: int) -> bytes:
    """57."""
    return encode([57, 1, req_id])


def historical_data(req_id: int, *, bars: Sequence[DailyBar], trades: bool, now_ns: int) -> bytes:
    """17: daily bars; of quotes (not ``trades``) there is no volume, average or count, which IB writes as -1."""
    fields: list[object] = [17, req_id, "", execution_time(now_ns), len(bars)]
    if bars:
        fields[2] = f"{date_text(bars[0].date)} 00:00:00 UTC"
    for bar in bars:
        fields += [date_text(bar.date), plain(bar.open), plain(bar.high), plain(bar.low), plain(bar.close)]
        fields += [bar.volume, plain(bar.average), bar.trades] if trades else [-1, -1, -1]
    return encode(fields)


def _size_rules(*, server_version: int) -> list[object]:
    if server_version >= SIZE_RULES:
        return [1, 1, 1]  # smallest size, size increment, suggested size increment
    return [1] if server_version == SIZE_RULES - 1 else []
