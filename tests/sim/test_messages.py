"""The codec against a client written by others: ib_async reads what the gateway writes."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from ib_async.decoder import Decoder

from hydra_nb.sim import order_replies, replies
from hydra_nb.sim.framing import decode
from hydra_nb.sim.records import (
    Commission,
    DailyBar,
    Execution,
    Listing,
    OrderStatus,
    OrderTerms,
    OrderView,
    Position,
    SimSide,
    TimeInForce,
    Top,
    Traded,
)
from hydra_nb.sim.ticks import TickStream
from hydra_nb.sim.wire_time import NS_PER_S

VERSIONS = range(157, 179)
MOMENT = dt.datetime(2026, 3, 10, 14, 0, 1, tzinfo=dt.UTC)
MOMENT_NS = round(MOMENT.timestamp()) * NS_PER_S

OATS = Listing(
    con_id=123456,
    symbol="ZO",
    name="Oats",
    exchange="CBOT",
    currency="USD",
    local_symbol="ZOK6",
    trading_class="ZO",
    contract_month="202605",
    last_trade_date=dt.date(2026, 5, 14),
    min_tick=Decimal("0.25"),
    multiplier="5000",
    price_magnifier=100,
    time_zone="America/Chicago",
    market_rule_id=57,
)
TERMS = OrderTerms(
    client_id=5,
    order_id=42,
    account="SIM1234567",
    con_id=OATS.con_id,
    side=SimSide.SELL,
    lots=7,
    limit_price=Decimal("361.25"),
    tif=TimeInForce.GTD,
    good_till_ns=MOMENT_NS,
    order_ref="hydra-42",
)
ORDER = OrderView(
    terms=TERMS,
    perm_id=987654321,
    status=OrderStatus.SUBMITTED,
    filled_lots=3,
    average_price=Decimal("361.5"),
    last_fill_price=Decimal("361.75"),
    submitted_ns=MOMENT_NS,
    completed_ns=None,
)
FILL = Execution(
    exec_id="0000e0d5.65f1.01.01",
    perm_id=987654321,
    client_id=5,
    order_id=42,
    account="SIM1234567",
    con_id=OATS.con_id,
    side=SimSide.SELL,
    lots=3,
    price=Decimal("-361.75"),
    time_ns=MOMENT_NS,
    order_ref="hydra-42",
    cumulative_lots=3,
    average_price=Decimal("361.5"),
    maker=True,
)


class Recorder:
    """Stands where ib_async's decoder calls its client, and writes down the calls."""

    defaultTimezone = dt.UTC  # noqa: N815  The name is ib_async's.

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, arguments))


def read_by_ib_async(frames: bytes, *, version: int) -> list[tuple[str, tuple[Any, ...]]]:
    """The calls that ib_async's decoder makes of some frames."""
    recorder = Recorder()
    decoder = Decoder(recorder, version)  # type: ignore[arg-type]
    while frames:
        end = 4 + int.from_bytes(frames[:4], "big")
        # The handlers are called directly, because interpret() would swallow what they cannot read.
        fields = decode(frames[4:end])
        decoder.handlers[int(fields[0])](fields)
        frames = frames[end:]
    return recorder.calls


@pytest.mark.parametrize("version", VERSIONS)
def test_an_open_order_reads_the_same_at_every_version(version: int):
    """Six layouts lie between the oldest and the newest."""
    frames = order_replies.open_order(ORDER, listing=OATS, server_version=version)

    [(name, (order_id, contract, order, state))] = read_by_ib_async(frames, version=version)

    assert name == "openOrder"
    assert (order_id, order.clientId, order.permId) == (42, 5, 987654321)
    assert (contract.conId, contract.localSymbol, contract.multiplier) == (123456, "ZOK6", "5000")
    assert (order.action, order.totalQuantity, order.orderType, order.lmtPrice) == ("SELL", 7, "LMT", 361.25)
    assert (order.tif, order.goodTillDate) == ("GTD", "20260310-14:00:01")
    assert (order.account, order.orderRef, state.status) == ("SIM1234567", "hydra-42", "Submitted")
    assert (order.whatIf, order.autoCancelParent, order.conditions) == (False, False, [])
    assert state.initMarginChange == replies.UNSET


@pytest.mark.parametrize("version", VERSIONS)
def test_a_what_if_answer_carries_the_margin_at_every_version(version: int):
    """Its order state stands in the middle of the message."""
    margin = order_replies.Margin(
        initial_before=Decimal(1000),
        initial_after=Decimal("1250.50"),
        maintenance_before=Decimal(900),
        maintenance_after=Decimal(1100),
        equity=Decimal(100000),
        commission=Decimal("17.64"),
        currency="USD",
    )

    frames = order_replies.what_if(TERMS, listing=OATS, margin=margin, server_version=version)
    [(_, (_, _, order, state))] = read_by_ib_async(frames, version=version)

    assert order.whatIf is True
    assert (state.initMarginChange, state.maintMarginAfter) == ("250.50", "1100")
    assert (state.commission, state.commissionCurrency) == (17.64, "USD")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_completed_order_reads_the_same_at_every_version(version: int):
    """It has another layout than an open one, and no order id."""
    done = OrderView(
        terms=TERMS,
        perm_id=987654321,
        status=OrderStatus.CANCELLED,
        filled_lots=3,
        average_price=Decimal("361.5"),
        last_fill_price=Decimal("361.75"),
        submitted_ns=MOMENT_NS,
        completed_ns=MOMENT_NS,
    )

    frames = order_replies.completed_order(done, listing=OATS, server_version=version)
    [(name, (contract, order, state))] = read_by_ib_async(frames, version=version)

    assert (name, contract.conId, order.permId, order.orderId) == ("completedOrder", 123456, 987654321, 0)
    assert (order.action, order.totalQuantity, order.lmtPrice) == ("SELL", 7, 361.25)
    assert (order.filledQuantity, order.orderRef) == (3, "hydra-42")
    assert (state.status, state.completedStatus) == ("Cancelled", "Cancelled by expiry")
    assert state.completedTime == "20260310 14:00:01 UTC"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_status_reads_the_same_at_every_version(version: int):
    """Filled and remaining add up to the order's lots."""
    [(name, arguments)] = read_by_ib_async(replies.order_status(ORDER), version=version)

    assert name == "orderStatus"
    assert arguments == (42, "Submitted", 3.0, 4.0, 361.5, 987654321, 0, 361.75, 5, "", 0.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_execution_reads_the_same_at_every_version(version: int):
    """Times are aware, prices may be negative, and the newest version has a flag more."""
    frames = replies.execution(9, fill=FILL, listing=OATS, server_version=version)

    [(name, (req_id, contract, execution))] = read_by_ib_async(frames, version=version)

    assert (name, req_id, contract.conId) == ("execDetails", 9, 123456)
    assert (execution.execId, execution.side, execution.shares) == ("0000e0d5.65f1.01.01", "SLD", 3)
    assert (execution.price, execution.avgPrice, execution.cumQty) == (-361.75, 361.5, 3)
    assert (execution.time, execution.orderRef, execution.lastLiquidity) == (MOMENT, "hydra-42", 1)
    assert (execution.permId, execution.clientId, execution.orderId) == (987654321, 5, 42)


@pytest.mark.parametrize("version", VERSIONS)
def test_contract_details_read_the_same_at_every_version(version: int):
    """Size rules came and went and came again."""
    hours = "20260310:0830-20260310:1320;20260311:CLOSED"

    frames = replies.contract_details(11, listing=OATS, hours=hours, server_version=version)
    [(name, (req_id, details))] = read_by_ib_async(frames, version=version)

    contract = details.contract
    assert (name, req_id) == ("contractDetails", 11)
    assert (contract.symbol, contract.secType, contract.exchange, contract.conId) == ("ZO", "FUT", "CBOT", 123456)
    assert (contract.lastTradeDateOrContractMonth, contract.localSymbol) == ("20260514", "ZOK6")
    assert (details.minTick, details.priceMagnifier, contract.multiplier) == (0.0025, 100, "5000")
    assert (details.longName, details.contractMonth, details.realExpirationDate) == ("Oats", "202605", "20260514")
    assert (details.timeZoneId, details.tradingHours, details.liquidHours) == ("America/Chicago", hours, hours)
    assert (details.marketRuleIds, details.underSymbol) == ("57", "ZO")
    assert details.tradingSessions()[0].start.utcoffset() == dt.timedelta(hours=-5)
    if version >= 164:
        assert (details.minSize, details.sizeIncrement, details.suggestedSizeIncrement) == (1, 1, 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_error_reads_the_same_at_every_version(version: int):
    """The JSON field came with version 166."""
    frames = replies.error(42, code=202, message="Order Canceled - reason:", server_version=version)

    calls = read_by_ib_async(frames, version=version)

    assert calls == [("error", (42, 202, "Order Canceled - reason:", ""))]


def test_reports_of_the_account_are_read_by_ib_async():
    """Position, portfolio, P&L, commission, bars and rules in one go."""
    held = Position(con_id=OATS.con_id, lots=-3, average_cost=Decimal("18062.5"))
    bar = DailyBar(
        date=dt.date(2026, 3, 9),
        open=Decimal(1),
        high=Decimal(4),
        low=Decimal("0.5"),
        close=Decimal(2),
        volume=99,
        average=Decimal("1.75"),
        trades=12,
    )
    portfolio = replies.portfolio(
        held, listing=OATS, account="SIM", price=Decimal("361.5"), unrealised=Decimal(-5), realised=Decimal(6)
    )
    single = replies.profit_and_loss_single(
        4, lots=-3, daily=Decimal(1), unrealised=Decimal(2), realised=Decimal(3), value=Decimal(4)
    )
    opening = Commission(exec_id="x.01", commission=Decimal("2.5"), currency="USD", realised_pnl=None)

    calls = dict(
        read_by_ib_async(
            replies.position(held, listing=OATS, account="SIM")
            + portfolio
            + single
            + replies.commission_report(opening)
            + replies.historical_data(8, bars=[bar], trades=True, now_ns=MOMENT_NS)
            + replies.market_rule(57, increments=((Decimal(0), Decimal("0.25")),)),
            version=178,
        )
    )

    assert calls["position"][2:] == (-3.0, 18062.5)
    # -3 lots x 361.5 cents / 100 x 5000 bushels.
    assert calls["updatePortfolio"][1:] == (-3.0, 361.5, -54225.0, 18062.5, -5.0, 6.0, "SIM")
    assert calls["pnlSingle"] == (4, -3, 1.0, 2.0, 3.0, 4.0)
    assert calls["commissionReport"][0].realizedPNL == float(replies.UNSET)
    assert (calls["historicalData"][1].date, calls["historicalData"][1].barCount) == ("20260309", 12)
    assert [(step.lowEdge, step.increment) for step in calls["marketRule"][1]] == [(0.0, 0.25)]


def tick_calls(frames: bytes) -> list[tuple[Any, ...]]:
    """Name and arguments of ticks, without the request id."""
    return [(name, *arguments[1:]) for name, arguments in read_by_ib_async(frames, version=178)]


def make_top(**changes: Any) -> Top:
    """A top of oats with some fields other than usual."""
    usual = {
        "con_id": 1,
        "bid": Decimal("361.25"),
        "bid_size": 3,
        "ask": Decimal(362),
        "ask_size": 2,
        "last": None,
        "last_size": 0,
        "volume": 0,
        "close": Decimal("360.5"),
    }
    return Top(**(usual | changes))


def test_the_first_top_is_sent_whole_and_an_empty_side_as_minus_one():
    """A client cannot know a side is empty unless it is told."""
    stream = TickStream(req_id=7, con_id=1)

    ticks = tick_calls(stream.top_changed(make_top(bid=None, bid_size=0)))

    assert ticks == [
        ("priceSizeTick", 1, -1.0, 0.0),
        ("priceSizeTick", 2, 362.0, 2.0),
        ("priceSizeTick", 9, 360.5, 0.0),
    ]


def test_later_tops_send_only_what_changed():
    """Price changes carry the size; a size alone is the shorter message; nothing new is no message."""
    stream = TickStream(req_id=7, con_id=1)
    stream.top_changed(make_top())

    size = tick_calls(stream.top_changed(make_top(ask_size=5)))
    price = tick_calls(stream.top_changed(make_top(ask_size=5, bid=Decimal(361))))
    emptied = tick_calls(stream.top_changed(make_top(ask=None, ask_size=0, bid=Decimal(361))))
    again = tick_calls(stream.top_changed(make_top(ask=None, ask_size=0, bid=Decimal(361))))

    assert size == [("tickSize", 3, 5.0)]
    assert price == [("priceSizeTick", 1, 361.0, 3.0)]
    assert emptied == [("priceSizeTick", 2, -1.0, 0.0)]
    assert again == []


def test_a_print_is_sent_once_though_it_is_told_twice():
    """The exchange reports a trade and then a top that carries it."""
    stream = TickStream(req_id=7, con_id=1)
    stream.top_changed(make_top())
    trade = Traded(con_id=1, price=Decimal(362), size=2, volume=9, time_ns=MOMENT_NS)

    told = tick_calls(stream.traded(trade))
    repeated = tick_calls(stream.top_changed(make_top(last=Decimal(362), last_size=2, volume=9)))

    assert told == [("priceSizeTick", 4, 362.0, 2.0), ("tickSize", 8, 9.0)]
    assert repeated == []
