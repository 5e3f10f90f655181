"""A client of each server version lives through one order's life, and hears every kind of message on the way."""

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ib_async
import pytest

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.framing import FrameDecoder, decode, encode, frame
from hydra_nb.sim.records import Listing
from hydra_nb.sim.session import GatewayCore
from hydra_nb.sim.wire_time import NS_PER_S

from .decoding import Call, payloads, read_by_ib_async
from .fuzz.requests import Scribe

VERSIONS = range(157, 179)
EVERY_KIND = frozenset(
    {
        *(1, 2, 57, 58, 81),  # ticks, the end of a snapshot, the type of data, tick parameters
        *(3, 4, 5, 53, 101, 102),  # orders
        *(6, 7, 8, 54, 63, 64, 73, 74, 94, 95),  # account
        *(9, 15, 49),  # greeting and time
        *(10, 52, 93, 17),  # contracts, market rule, bars
        *(11, 55, 59, 61, 62),  # executions, commissions, positions
    }
)


class VersionedClient:
    """Speaks to a core in memory at one version: ib_async writes its requests, and reads its answers."""

    def __init__(self, core: GatewayCore, *, version: int, client_id: int = 1) -> None:
        self.core, self.version, self.now_ns = core, version, core.exchange.start_ns
        self.session = core.connect()
        self.kinds: set[int] = set()
        self.heard: list[Call] = []
        core.receive(self.session, b"API\0" + frame(b"v%d..%d" % (version, version)), self.now_ns)
        greeting = FrameDecoder(greeting=False)
        greeting.feed(self.session.take_output())
        self.agreed = int(decode(greeting.next_frame() or b"")[0])
        self.ask(lambda scribe: scribe.send(71, 2, client_id, ""))

    def ask(self, write: Callable[[Scribe], object]) -> list[Call]:
        """The calls that an answer leads to."""
        scribe = Scribe(self.version)
        write(scribe)
        for fields in scribe.written:
            self.core.receive(self.session, encode(fields), self.now_ns)
        return self.listen()

    def pass_time(self, seconds: int) -> list[Call]:
        """What is told while the market runs on."""
        self.now_ns += seconds * NS_PER_S
        self.core.advance(self.now_ns)
        return self.listen()

    def listen(self) -> list[Call]:
        """What was told and not yet heard."""
        frames = self.session.take_output()
        self.kinds |= {int(payload.partition(b"\0")[0]) for payload in payloads(frames)}
        calls = read_by_ib_async(frames, version=self.version)
        self.heard += calls
        return calls


def of(calls: list[Call], name: str) -> list[Any]:
    """Arguments of the calls of one name."""
    return [arguments for called, arguments in calls if called == name]


def nearest_oats(exchange: Exchange) -> Listing:
    """The contract that is traded."""
    months = [listing for listing in exchange.listings if listing.symbol == "ZO"]
    return min(months, key=lambda listing: listing.last_trade_date)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_lives_its_life_at_every_version(version: int, caplog: pytest.LogCaptureFixture):
    """Asked about, placed, modified, partly filled, filled, another cancelled; then everything is asked once more."""
    caplog.set_level(logging.ERROR, logger="ib_async.Decoder")
    core = GatewayCore(Exchange(seed=7))
    oats = nearest_oats(core.exchange)
    contract = ib_async.Future(conId=oats.con_id, exchange=oats.exchange)
    client = VersionedClient(core, version=version)

    # What a trader looks at before the first order.
    [[_, details]] = of(client.ask(lambda scribe: scribe.reqContractDetails(2, contract)), "contractDetails")
    [[_, rule]] = of(client.ask(lambda scribe: scribe.reqMarketRule(int(details["marketRuleIds"]))), "marketRule")
    client.ask(lambda scribe: scribe.reqMktData(3, contract, "", False, False, []))
    client.ask(lambda scribe: scribe.reqMktData(4, contract, "", True, False, []))
    bars = client.ask(
        lambda scribe: scribe.reqHistoricalData(5, contract, "", "20 D", "1 day", "TRADES", True, 1, False, [])
    )
    what_if = ib_async.LimitOrder("BUY", 2, 100.0, tif="DAY", whatIf=True)
    [[_, _, asked, margin]] = of(client.ask(lambda scribe: scribe.placeOrder(10, contract, what_if)), "openOrder")

    # Orders.
    top = core.exchange.top(oats.con_id)
    assert top is not None
    assert top.bid is not None
    assert top.ask is not None
    lots = top.ask_size + 2
    order = ib_async.LimitOrder("BUY", lots, float(top.bid - 40 * oats.min_tick), tif="GTC", orderRef="one life")
    placed = client.ask(lambda scribe: scribe.placeOrder(11, contract, order))
    order.lmtPrice = float(top.ask)
    partly = client.ask(lambda scribe: scribe.placeOrder(11, contract, order))
    order.lmtPrice = float(top.ask + 100 * oats.min_tick)
    filled = client.ask(lambda scribe: scribe.placeOrder(11, contract, order))
    second = ib_async.LimitOrder("BUY", 1, float(top.bid - 40 * oats.min_tick), tif="DAY", orderRef="another")
    client.ask(lambda scribe: scribe.placeOrder(12, contract, second))
    opened = client.ask(lambda scribe: scribe.reqOpenOrders())
    cancelled = client.ask(lambda scribe: scribe.cancelOrder(12))

    # What is asked after a reconnect and at the end of a day.
    fills = client.ask(lambda scribe: scribe.reqExecutions(6, ib_async.ExecutionFilter()))
    completed = client.ask(lambda scribe: scribe.reqCompletedOrders(False))
    positions = client.ask(lambda scribe: scribe.reqPositions())
    portfolio = client.ask(lambda scribe: scribe.reqAccountUpdates(True, ""))
    client.ask(lambda scribe: scribe.reqAccountUpdatesMulti(7, "", "", True))
    client.ask(lambda scribe: scribe.reqAccountSummary(8, "All", "NetLiquidation,InitMarginReq"))
    client.ask(lambda scribe: scribe.reqPnL(20, "", ""))
    client.ask(lambda scribe: scribe.reqPnLSingle(21, "", "", oats.con_id))
    client.ask(lambda scribe: scribe.reqCurrentTime())
    [[next_id]] = of(client.ask(lambda scribe: scribe.reqIds(1)), "nextValidId")
    client.pass_time(600)

    booked = core.exchange.executions()
    assert client.agreed == version
    assert [record for record in caplog.records if record.name == "ib_async.Decoder"] == []
    assert client.kinds >= EVERY_KIND
    assert details["contract"]["localSymbol"] == oats.local_symbol
    assert rule == [{"lowEdge": 0.0, "increment": float(oats.told_tick)}]
    assert len(of(bars, "historicalData")) == 20
    assert (asked["whatIf"], margin["status"]) == (True, "PreSubmitted")
    assert Decimal(margin["initMarginChange"]) > 0
    assert [status[1] for status in of(placed, "orderStatus")] == ["Submitted"]
    assert [status[1:4] for status in of(partly, "orderStatus")][-1] == ["Submitted", top.ask_size, 2]
    assert [status[1:4] for status in of(filled, "orderStatus")][-1] == ["Filled", lots, 0]
    assert [order[2]["orderRef"] for order in of(opened, "openOrder")] == ["another"]
    assert [status[1] for status in of(cancelled, "orderStatus")] == ["Cancelled"]
    assert [error[1] for error in of(cancelled, "error")] == [202]
    told = [(call[2]["execId"], call[2]["shares"], call[2]["price"]) for call in of(fills, "execDetails")]
    assert told == [(fill.exec_id, fill.lots, float(fill.price)) for fill, _ in booked]
    assert sum(shares for _, shares, _ in told) == lots
    assert [report[0]["execId"] for report in of(fills, "commissionReport")] == [fill.exec_id for fill, _ in booked]
    assert [call[2]["status"] for call in of(completed, "completedOrder")] == ["Filled", "Cancelled"]
    assert [call[2] for call in of(positions, "position")] == [lots]
    assert [call[1] for call in of(portfolio, "updatePortfolio")] == [lots]
    assert next_id == 13


@pytest.mark.parametrize("version", VERSIONS)
def test_clients_see_each_others_orders_only_when_they_ask_for_all(version: int):
    """And cannot cancel them: 10147. Ids count up for each client alone, and outlive the connection."""
    core = GatewayCore(Exchange(seed=7))
    oats = nearest_oats(core.exchange)
    contract = ib_async.Future(conId=oats.con_id, exchange=oats.exchange)
    order = ib_async.LimitOrder("BUY", 1, 1.0, tif="GTC", orderRef="of one")
    one, two = VersionedClient(core, version=version), VersionedClient(core, version=version, client_id=2)
    one.ask(lambda scribe: scribe.placeOrder(7, contract, order))

    told = two.listen()
    own = two.ask(lambda scribe: scribe.reqOpenOrders())
    everyone = two.ask(lambda scribe: scribe.reqAllOpenOrders())
    refused = two.ask(lambda scribe: scribe.cancelOrder(7))
    twin = VersionedClient(core, version=version, client_id=2)
    ids_of_two = two.ask(lambda scribe: scribe.reqIds(1))
    core.disconnect(one.session)
    again = VersionedClient(core, version=version)

    assert (told, own) == ([], [("openOrderEnd", [])])
    assert [call[2]["orderRef"] for call in of(everyone, "openOrder")] == ["of one"]
    assert [call[:2] for call in of(refused, "error")] == [[7, 10147]]
    assert ([call[1] for call in of(twin.heard, "error")], twin.session.closed) == ([326], True)
    assert of(ids_of_two, "nextValidId") == [[1]]
    assert of(again.heard, "nextValidId") == [[8]]
    assert len(core.exchange.open_orders()) == 1


def test_streams_of_one_id_are_apart_by_what_they_tell():
    """Clients count the ids of quotes, of account values and of P&L as they like; to stop one is to stop that one."""
    core = GatewayCore(Exchange(seed=7))
    oats = nearest_oats(core.exchange)
    contract = ib_async.Future(conId=oats.con_id, exchange=oats.exchange)
    client = VersionedClient(core, version=178)
    client.ask(lambda scribe: scribe.reqMktData(1, contract, "", False, False, []))
    client.ask(lambda scribe: scribe.reqPnL(1, "", ""))
    client.ask(lambda scribe: scribe.reqPnLSingle(1, "", "", oats.con_id))
    client.ask(lambda scribe: scribe.reqAccountSummary(1, "All", "NetLiquidation"))
    client.ask(lambda scribe: scribe.reqAccountUpdatesMulti(1, "", "", True))

    stops: tuple[Callable[[Scribe], object], ...] = (
        lambda scribe: scribe.cancelHistoricalData(1),
        lambda scribe: scribe.cancelMktData(1),
        lambda scribe: scribe.cancelPnL(1),
        lambda scribe: scribe.cancelPnLSingle(1),
        lambda scribe: scribe.cancelAccountSummary(1),
        lambda scribe: scribe.cancelAccountUpdatesMulti(1),
    )
    left = []
    for stop in stops:
        client.ask(stop)
        left.append((len(client.session.tick_streams), len(client.session.account_streams)))

    assert left == [(1, 4), (0, 4), (0, 3), (0, 2), (0, 1), (0, 0)]


_OATS = ib_async.Future(conId=5, exchange="CBOT")


@pytest.mark.parametrize(
    "write",
    [
        lambda scribe: scribe.reqMktDepth(77, _OATS, 5, True, []),
        lambda scribe: scribe.exerciseOptions(77, _OATS, 1, 1, "", 0),
        lambda scribe: scribe.reqScannerSubscription(77, ib_async.ScannerSubscription(), [], []),
        lambda scribe: scribe.reqRealTimeBars(77, _OATS, 5, "TRADES", True, []),
        lambda scribe: scribe.reqFundamentalData(77, _OATS, "ReportSnapshot", []),
        lambda scribe: scribe.calculateImpliedVolatility(77, _OATS, 1.0, 1.0, []),
        lambda scribe: scribe.calculateOptionPrice(77, _OATS, 1.0, 1.0, []),
        lambda scribe: scribe.queryDisplayGroups(77),
        lambda scribe: scribe.reqPositionsMulti(77, "", ""),
        lambda scribe: scribe.reqSecDefOptParams(77, "ZO", "", "FUT", 5),
        lambda scribe: scribe.reqSoftDollarTiers(77),
        lambda scribe: scribe.reqMatchingSymbols(77, "ZO"),
        lambda scribe: scribe.reqSmartComponents(77, "a9"),
        lambda scribe: scribe.reqNewsArticle(77, "BRFG", "x", []),
        lambda scribe: scribe.reqHistoricalNews(77, 5, "BRFG", "", "", 10, []),
        lambda scribe: scribe.reqHeadTimeStamp(77, _OATS, "TRADES", True, 1),
        lambda scribe: scribe.reqHistogramData(77, _OATS, True, "3 days"),
        lambda scribe: scribe.reqHistoricalTicks(77, _OATS, "", "", 10, "TRADES", True, False, []),
        lambda scribe: scribe.reqTickByTickData(77, _OATS, "Last", 0, False),
        lambda scribe: scribe.reqWshMetaData(77),
        lambda scribe: scribe.reqWshEventData(77, ib_async.WshEventData()),
        lambda scribe: scribe.reqUserInfo(77),
    ],
)
def test_what_is_not_served_is_refused_under_its_own_id(write: Callable[[Scribe], object]):
    """Under another id the client would wait for ever; the place of the id differs from message to message."""
    core = GatewayCore(Exchange(seed=7))

    for version in VERSIONS:
        client = VersionedClient(core, version=version, client_id=version)
        refusals = of(client.ask(write), "error")

        assert [refusal[0] for refusal in refusals] == [77]
