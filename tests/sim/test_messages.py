"""The codec against clients written by others: ib_async reads what the gateway writes, and the reverse."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ib_async
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async.client import Client
from ib_async.decoder import Decoder
from ib_async.wrapper import Wrapper

from hydra_nb.sim import order_replies, replies, requests
from hydra_nb.sim.contract_search import matching
from hydra_nb.sim.framing import WireError, decode
from hydra_nb.sim.messages import number, parse
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
from hydra_nb.sim.wire_time import NS_PER_S, parse_time

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


class Outbox(Client):
    """ib_async's own client, whose messages are kept instead of sent."""

    def __init__(self, version: int) -> None:
        super().__init__(Wrapper(ib_async.IB()))
        self.connState = Client.CONNECTED
        self._serverVersion = version
        self.sent: list[list[str]] = []

    def sendMsg(self, msg: str) -> None:  # noqa: N802  The name is ib_async's.
        """Keep the fields."""
        self.sent.append(decode(msg.encode()))


def written_by_ib_async(version: int, ask: Callable[[Outbox], None]) -> requests.Request:
    """What the gateway reads of a request as ib_async writes it."""
    outbox = Outbox(version)
    ask(outbox)
    return parse(outbox.sent[0], server_version=version)


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
    assert (details.minTick, details.priceMagnifier, contract.multiplier) == (0.25, 100, "5000")
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


@pytest.mark.parametrize("version", VERSIONS)
def test_a_placed_order_is_read_at_every_version(version: int):
    """What-if and expiry stand behind optional blocks that ib_async may send."""
    contract = ib_async.Future(conId=123456, exchange="CBOT")
    order = ib_async.LimitOrder(
        "BUY", 4, 361.25, tif="GTD", goodTillDate="20260310-14:00:01", account="SIM", orderRef="r", whatIf=True
    )
    order.hedgeType, order.hedgeParam = "D", "x"
    order.scalePriceIncrement = 0.5
    order.algoStrategy, order.algoParams = "Adaptive", [ib_async.TagValue("adaptivePriority", "Normal")]

    request = written_by_ib_async(version, lambda client: client.placeOrder(42, contract, order))

    assert isinstance(request, requests.PlaceOrder)
    assert (request.order_id, request.contract.con_id, request.contract.exchange) == (42, 123456, "CBOT")
    assert (request.action, request.order_type, request.tif) == ("BUY", "LMT", "GTD")
    assert (Decimal(request.quantity), Decimal(request.limit_price)) == (4, Decimal("361.25"))
    assert (request.account, request.order_ref, request.transmit) == ("SIM", "r", True)
    assert (request.good_till, request.what_if) == ("20260310-14:00:01", True)


@given(
    version=st.sampled_from(VERSIONS),
    lots=st.integers(1, 10**6),
    price=st.decimals(-1000, 1000, places=4),
    reference=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40),
)
def test_lots_price_and_reference_survive_the_wire(version: int, lots: int, price: Decimal, reference: str):
    """No rounding, no shifted field, whatever the text."""
    order = ib_async.LimitOrder("SELL", lots, float(price), tif="DAY", orderRef=reference)

    request = written_by_ib_async(version, lambda client: client.placeOrder(1, ib_async.Future("ZO"), order))

    assert isinstance(request, requests.PlaceOrder)
    assert Decimal(request.quantity) == lots
    assert float(request.limit_price) == float(price)
    assert (request.order_ref, request.what_if, request.good_till) == (reference, False, "")


@pytest.mark.parametrize("version", [157, 166, 169, 178])
def test_other_requests_of_ib_async_are_read(version: int):
    """One of each kind, with the fields the gateway uses."""
    oats = ib_async.Future("ZO", "202605", "CBOT", currency="USD")
    query = requests.ContractQuery(symbol="ZO", security_type="FUT", month="202605", exchange="CBOT", currency="USD")
    fills = ib_async.ExecutionFilter(clientId=3, symbol="ZO", side="BUY", time="20260310-14:00:01")

    read = [
        written_by_ib_async(version, ask)
        for ask in (
            lambda client: client.cancelOrder(42),
            lambda client: client.reqMktData(7, oats, "", True, False, []),
            lambda client: client.reqContractDetails(8, oats),
            lambda client: client.reqHistoricalData(9, oats, "", "30 D", "1 day", "TRADES", True, 1, False, []),
            lambda client: client.reqExecutions(10, fills),
            lambda client: client.reqPnLSingle(11, "SIM", "", 123456),
            lambda client: client.reqAccountSummary(12, "All", "NetLiquidation,BuyingPower"),
            lambda client: client.cancelHistoricalData(13),
        )
    ]

    assert read == [
        requests.CancelOrder(order_id=42),
        requests.MarketData(req_id=7, contract=query, snapshot=True),
        requests.ContractDetailsQuery(req_id=8, contract=query),
        requests.HistoricalData(
            req_id=9, contract=query, end="", bar_size="1 day", duration="30 D", what="TRADES", keep_up_to_date=False
        ),
        requests.ExecutionsQuery(
            req_id=10,
            client_id=3,
            account="",
            since="20260310-14:00:01",
            symbol="ZO",
            security_type="",
            exchange="",
            side="BUY",
        ),
        requests.ProfitAndLoss(req_id=11, account="SIM", con_id=123456),
        requests.AccountSummary(req_id=12, tags=("NetLiquidation", "BuyingPower")),
        requests.Stop(req_id=13),
    ]


@given(fields=st.lists(st.text(st.characters(codec="ascii"), max_size=4), max_size=30), message_id=st.integers(0, 110))
def test_arbitrary_fields_are_read_or_refused(fields: list[str], message_id: int):
    """No client can make the gateway fail, only earn an error."""
    try:
        request = parse([str(message_id), *fields], server_version=178)
    except WireError:
        return

    assert isinstance(request, requests.Request)


@pytest.mark.parametrize("text", ["9" * 5000, "2147483648", "-2147483649", "1_000", "٣", "1.0", "0x10"])
def test_an_integer_that_does_not_fit_the_wire_is_refused(text: str):
    """Beyond 32 bits, or beyond what Python itself reads; the refusal does not repeat it at length."""
    with pytest.raises(WireError, match="32 bits") as refusal:
        parse(["4", "1", text], server_version=178)

    assert len(str(refusal.value)) < 120


def test_a_message_id_of_any_length_is_unknown():
    """It is no number that Python would have to read."""
    assert parse(["9" * 5000], server_version=178) == requests.Unknown(message_id="9" * 40)


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "0." + "0" * 40 + "1", "nan", "-inf", "", "1,5"])
def test_a_number_that_is_no_price_is_none(text: str):
    """Nothing that would overflow, or take a billion digits to write out again."""
    assert number(text) is None


def test_a_combination_is_never_taken_for_the_future_whose_id_it_carries():
    """Its layout differs from the legs on, so that neither what-if nor expiry would be seen."""
    contract = ib_async.Contract(secType="BAG", conId=OATS.con_id, exchange="CBOT")
    order = ib_async.LimitOrder("BUY", 1, 100.0, tif="DAY", whatIf=True)

    request = written_by_ib_async(178, lambda client: client.placeOrder(1, contract, order))

    assert isinstance(request, requests.PlaceOrder)
    assert matching([OATS], query=request.contract) == []


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260310-14:00:01", MOMENT_NS),
        ("20260310 14:00:01 UTC", MOMENT_NS),
        ("20260310 09:00:01 America/Chicago", MOMENT_NS),
        ("20260310 14:00:01", MOMENT_NS),
        ("20260310 14:00:01 Mars/Olympus", None),
        ("20260310 14:00:01 ../etc", None),
        ("20261310-14:00:01", None),
        ("20260310 14:00:01 America", None),
        ("20260310 14:00:01 " + "x" * 5000, None),
        ("00010101 00:00:00 Asia/Tokyo", None),
        ("99991231 23:59:59 America/Chicago", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_times_of_clients_are_read_in_all_their_forms(text: str, expected: int | None):
    """UTC with a dash, a named zone, or none."""
    assert parse_time(text) == expected
