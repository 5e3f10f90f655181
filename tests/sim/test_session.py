"""The gateway without sockets: bytes and times in, messages out."""

from collections.abc import Callable
from decimal import Decimal

import ib_async
import pytest
from ib_async.client import Client
from ib_async.wrapper import Wrapper

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.framing import FrameDecoder, decode, encode, frame
from hydra_nb.sim.records import Listing, OrderStatus, Top
from hydra_nb.sim.session import GatewayCore, Session
from hydra_nb.sim.wire_time import NS_PER_S, good_till_text

MINUTE_NS = 60 * NS_PER_S


class WireClient(Client):
    """ib_async's client over a session in memory, with the gateway's messages kept as lists of fields."""

    def __init__(self, core: GatewayCore, *, client_id: int, version: int = 178) -> None:
        super().__init__(Wrapper(ib_async.IB()))
        self.core = core
        self.now_ns = core.exchange.start_ns
        self.session: Session = core.connect()
        self._frames = FrameDecoder(greeting=False)
        self.connState = Client.CONNECTED
        self.clientId = client_id
        self.push(b"API\0" + frame(b"v157..%d" % version))
        self._serverVersion = int(self.take()[0][0])
        self.startApi()
        self.greeting = self.take()

    def sendMsg(self, msg: str) -> None:  # noqa: N802  The name is ib_async's.
        """Hand one message to the gateway at once."""
        self.push(frame(msg.encode()))

    def push(self, data: bytes) -> None:
        """Hand bytes to the gateway."""
        self.core.receive(self.session, data, self.now_ns)

    def take(self, *message_ids: str) -> list[list[str]]:
        """What the gateway has said since, or the messages of some ids among it."""
        self._frames.feed(self.session.take_output())
        messages = []
        while (payload := self._frames.next_frame()) is not None:
            messages.append(decode(payload))
        return [fields for fields in messages if not message_ids or fields[0] in message_ids]

    def errors(self) -> list[tuple[int, int]]:
        """Request id and code of the errors said since."""
        return [(int(fields[2]), int(fields[3])) for fields in self.take("4")]


@pytest.fixture
def core() -> GatewayCore:
    """A gateway at its market's first instant."""
    return GatewayCore(Exchange(seed=7))


@pytest.fixture
def client(core: GatewayCore) -> WireClient:
    """A client that has started."""
    return WireClient(core, client_id=1)


@pytest.fixture
def oats(core: GatewayCore) -> Listing:
    """The nearest month of oats, its market running."""
    months = [listing for listing in core.exchange.listings if listing.symbol == "ZO"]
    nearest = min(months, key=lambda listing: listing.last_trade_date)
    core.exchange.watch(nearest.con_id, core.exchange.start_ns)
    return nearest


def contract(listing: Listing) -> ib_async.Contract:
    """What a client names the listing by."""
    return ib_async.Future(conId=listing.con_id, exchange=listing.exchange)


def top_of(core: GatewayCore, listing: Listing) -> Top:
    """The top of a running market."""
    top = core.exchange.top(listing.con_id)
    assert top is not None
    return top


def resting(core: GatewayCore, listing: Listing, lots: int = 1) -> ib_async.LimitOrder:
    """A buy order far below the market, which stays in the book."""
    bid = top_of(core, listing).bid
    assert bid is not None
    return ib_async.LimitOrder("BUY", lots, float(bid - 40 * listing.min_tick), tif="DAY")


def test_a_client_is_greeted_with_account_next_id_and_farms(core: GatewayCore, client: WireClient):
    """Account list and next id are what clients wait for."""
    said = [fields[0] if fields[0] != "4" else fields[3] for fields in client.greeting]

    assert said == ["15", "9", "2104", "2106", "2158"]
    assert client.greeting[0][2] == core.exchange.account
    assert client.greeting[1][2] == "1"


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.1\r\n\r\n", b"API\0" + frame(b"v200..210"), b"API\0\0\0\0\0"])
def test_bytes_of_another_protocol_close_their_session_alone(core: GatewayCore, client: WireClient, rubbish: bytes):
    """A stray connection disturbs nobody."""
    stray = core.connect()

    core.receive(stray, rubbish, client.now_ns)
    client.reqCurrentTime()

    assert stray.closed
    assert not client.session.closed
    assert client.take() == [["49", "1", str(client.now_ns // NS_PER_S)]]


def test_a_bad_length_in_mid_stream_closes_the_session(client: WireClient):
    """After it nothing can be told apart."""
    client.push(b"\xff\xff\xff\xff")

    assert client.session.closed


def test_bytes_one_by_one_do_the_same_as_at_once(core: GatewayCore):
    """TCP owes no boundaries."""
    stream = b"API\0" + frame(b"v157..178") + encode([71, 2, 3, ""]) + encode([17, 1])
    whole, pieces = core.connect(), GatewayCore(Exchange(seed=7))
    dripping = pieces.connect()

    core.receive(whole, stream, core.exchange.start_ns)
    for position in range(len(stream)):
        pieces.receive(dripping, stream[position : position + 1], core.exchange.start_ns)

    output = whole.take_output()
    assert output == dripping.take_output()
    assert output.count(core.exchange.account.encode()) == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["999", "1"], (-1, 505)),
        (["x"], (-1, 505)),
        (["3", "7"], (-1, 320)),
        (["1", "11", "seven"], (-1, 320)),
    ],
)
def test_what_cannot_be_read_earns_an_error_and_the_connection_stays(
    client: WireClient, fields: list[str], expected: tuple[int, int]
):
    """Unknown ids and cut messages are the client's fault, not its end."""
    client.push(encode(fields))

    assert client.errors() == [expected]
    assert not client.session.closed


def test_nothing_is_served_before_the_client_has_started(core: GatewayCore):
    """A client without an id could own no orders."""
    session = core.connect()

    core.receive(session, b"API\0" + frame(b"v157..178") + encode([49, 1]), core.exchange.start_ns)

    assert b"\x00504\x00" in session.take_output()


def test_a_client_id_in_use_is_refused_and_free_after_disconnect(core: GatewayCore, client: WireClient):
    """326, and the socket is to be closed."""
    second = WireClient(core, client_id=1)

    core.disconnect(client.session)
    third = WireClient(core, client_id=1)

    assert [fields[3] for fields in second.greeting] == ["326"]
    assert second.session.closed
    assert not third.session.closed


def change(**attributes: object) -> Callable[[ib_async.Order], None]:
    """Set attributes of an order."""
    return lambda order: order.__dict__.update(attributes)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (change(orderType="MKT"), 387),
        (change(orderType="STP LMT"), 387),
        (change(action="SSHORT"), 321),
        (change(totalQuantity=0), 434),
        (change(totalQuantity=-2), 434),
        (change(totalQuantity=1.5), 10318),
        (change(totalQuantity=float("nan")), 321),
        (change(lmtPrice=float("inf")), 321),
        (change(lmtPrice=float("nan")), 321),
        (change(lmtPrice=ib_async.util.UNSET_DOUBLE), 321),
        (change(tif="IOC"), 201),
        (change(tif="GTD", goodTillDate="next week"), 343),
        (change(tif="GTD", goodTillDate=""), 343),
        (change(account="U1234567"), 321),
        (change(transmit=False), 201),
        (change(lmtPrice=300.1), 110),
    ],
)
def test_an_order_this_market_does_not_take_is_refused_with_its_code(
    core: GatewayCore, client: WireClient, oats: Listing, spoil: Callable[[ib_async.Order], None], code: int
):
    """Limit orders of whole lots on the tick, and nothing else, reach the book."""
    order = resting(core, oats)
    spoil(order)

    client.placeOrder(9, contract(oats), order)

    assert client.errors() == [(9, code)]
    assert core.exchange.open_orders() == []


@pytest.mark.parametrize(
    "unknown",
    [
        ib_async.Future("XX", exchange="CBOT"),
        ib_async.Future(conId=1),
        ib_async.Stock("ZO", "SMART", "USD"),
        ib_async.Future("ZO", exchange="CBOT"),
        ib_async.Contract(secType="BAG", symbol="ZO", comboLegs=[ib_async.ComboLeg(conId=1)]),
        ib_async.Contract(),
    ],
)
def test_a_contract_that_is_not_exactly_one_listing_is_refused(
    core: GatewayCore, client: WireClient, oats: Listing, unknown: ib_async.Contract
):
    """200 for none, and for several months."""
    client.placeOrder(9, unknown, resting(core, oats))
    client.reqMktData(10, unknown, "", False, False, [])

    assert client.errors() == [(9, 200), (10, 200)]
    assert core.exchange.open_orders() == []


def test_contract_details_list_all_months_nearest_first(client: WireClient, oats: Listing):
    """A symbol alone means every month; a month, or a local symbol, means one."""
    client.reqContractDetails(5, ib_async.Future("ZO"))
    several = client.take()
    client.reqContractDetails(6, ib_async.Future(localSymbol=oats.local_symbol))
    one = client.take()
    client.reqContractDetails(7, ib_async.Future("ZO", oats.contract_month, exchange="CBOT"))
    month = client.take()

    dates = [fields[4] for fields in several[:-1]]
    assert len(dates) > 1
    assert dates == sorted(dates)
    assert several[-1] == ["52", "1", "5"]
    assert [fields[0] for fields in one] == [fields[0] for fields in month] == ["10", "52"]


def test_an_order_is_acknowledged_to_its_owner_alone(core: GatewayCore, client: WireClient, oats: Listing):
    """Other clients hear of it only when they ask for all orders."""
    other = WireClient(core, client_id=2)

    client.placeOrder(4, contract(oats), resting(core, oats))

    reports = client.take()
    assert [fields[0] for fields in reports] == ["5", "3"]
    assert reports[1][1:3] == ["4", "Submitted"]
    assert other.take() == []
    other.reqOpenOrders()
    assert [fields[0] for fields in other.take()] == ["53"]
    other.reqAllOpenOrders()
    assert [fields[0] for fields in other.take()] == ["5", "3", "53"]


def test_orders_outlive_their_connection_and_are_told_to_the_same_client_id(
    core: GatewayCore, client: WireClient, oats: Listing
):
    """A reconnecting client finds its orders, and ids that were not used."""
    client.placeOrder(4, contract(oats), resting(core, oats))
    core.disconnect(client.session)

    again = WireClient(core, client_id=1)
    again.reqOpenOrders()
    reports = again.take()
    again.cancelOrder(4)

    assert again.greeting[1] == ["9", "1", "5"]
    assert [fields[0] for fields in reports] == ["5", "3", "53"]
    assert again.take("3")[-1][2] == "Cancelled"


def test_next_ids_belong_to_each_client(core: GatewayCore, client: WireClient, oats: Listing):
    """Also an order that is refused uses up its id."""
    client.placeOrder(17, contract(oats), ib_async.MarketOrder("BUY", 1))
    client.take()

    client.reqIds(1)
    other = WireClient(core, client_id=2)

    assert client.take() == [["9", "1", "18"]]
    assert other.greeting[1] == ["9", "1", "1"]


def test_a_fill_is_reported_with_execution_commission_and_status(core: GatewayCore, client: WireClient, oats: Listing):
    """Executions are the truth; their sum is the status's filled."""
    top = top_of(core, oats)
    order = ib_async.LimitOrder("BUY", top.ask_size + 2, float(top.ask or 0), tif="DAY")

    client.placeOrder(4, contract(oats), order)
    reports = client.take()

    fills = [fields for fields in reports if fields[0] == "11"]
    commissions = [fields for fields in reports if fields[0] == "59"]
    statuses = [fields for fields in reports if fields[0] == "3"]
    assert [fields[2] for fields in commissions] == [fields[14] for fields in fills]
    assert sum(int(fields[19]) for fields in fills) == top.ask_size
    assert statuses[-1][2:5] == ["Submitted", str(top.ask_size), "2"]


def test_a_cancel_is_acknowledged_by_202_and_the_status(core: GatewayCore, client: WireClient, oats: Listing):
    """A second cancel finds nothing to do."""
    client.placeOrder(4, contract(oats), resting(core, oats, lots=3))
    client.take()

    client.cancelOrder(4)
    first = client.take()
    client.cancelOrder(4)
    client.cancelOrder(5)

    assert [fields[0] for fields in first] == ["4", "3"]
    assert first[0][2:4] == ["4", "202"]
    assert first[1][1:5] == ["4", "Cancelled", "0", "3"]
    assert client.errors() == [(4, 10148), (5, 10147)]


def test_a_modify_keeps_the_order_and_changes_its_terms(core: GatewayCore, client: WireClient, oats: Listing):
    """The same order id with other terms is a modify."""
    order = resting(core, oats)
    client.placeOrder(4, contract(oats), order)
    [opened] = client.take("5")

    order.lmtPrice += 0.25
    client.placeOrder(4, contract(oats), order)

    [changed] = client.take("5")
    assert changed[25] == opened[25]  # the permanent id
    assert float(changed[16]) == float(opened[16]) + 0.25
    assert len(core.exchange.open_orders()) == 1


def test_a_good_till_date_ends_the_order_by_itself(core: GatewayCore, client: WireClient, oats: Listing):
    """The expiry is the gateway's own: the client may be dead."""
    expiry_ns = client.now_ns + 90 * NS_PER_S
    order = resting(core, oats)
    order.tif, order.goodTillDate = "GTD", good_till_text(expiry_ns)
    client.placeOrder(4, contract(oats), order)
    client.take()

    core.advance(expiry_ns - 1)
    before = client.take("3", "4")
    core.advance(expiry_ns)
    after = client.take("3", "4")

    assert before == []
    assert [fields[0] for fields in after] == ["4", "3"]
    assert after[1][2] == "Cancelled"
    client.reqCompletedOrders(False)
    assert client.take("101")[0][-6] == "Cancelled by expiry"


def test_a_global_cancel_reaches_the_orders_of_all_clients(core: GatewayCore, client: WireClient, oats: Listing):
    """It is the one request that does."""
    other = WireClient(core, client_id=2)
    client.placeOrder(4, contract(oats), resting(core, oats))
    client.take()

    other.reqGlobalCancel()

    assert [fields[2] for fields in client.take("3")] == ["Cancelled"]
    assert other.take() == []
    assert core.exchange.open_orders() == []


def test_a_what_if_order_answers_margin_and_places_nothing(core: GatewayCore, client: WireClient, oats: Listing):
    """It is a question."""
    order = resting(core, oats)
    order.whatIf = True

    client.placeOrder(4, contract(oats), order)

    [answer] = client.take()
    place = answer.index("PreSubmitted")
    before, needed, after = (Decimal(answer[place + offset]) for offset in (1, 4, 7))
    assert answer[0] == "5"
    assert before == 0 < needed == after
    assert core.exchange.open_orders() == []


def test_ticks_go_to_subscribers_until_they_cancel(core: GatewayCore, client: WireClient, oats: Listing):
    """The stream begins with the data type, the tick parameters and the whole top."""
    client.reqMktData(7, contract(oats), "", False, False, [])
    opening = client.take()
    core.advance(client.now_ns + 10 * MINUTE_NS)
    stream = client.take()
    client.now_ns += 10 * MINUTE_NS
    client.cancelMktData(7)
    client.take()
    core.advance(client.now_ns + 10 * MINUTE_NS)

    assert [fields[0] for fields in opening[:2]] == ["81", "58"]
    assert {fields[3] for fields in opening[2:]} >= {"1", "2", "9"}
    assert len(stream) > 10
    assert {fields[0] for fields in stream} <= {"1", "2"}
    assert client.take() == []


def test_the_ticks_add_up_to_the_top_of_the_book(core: GatewayCore, client: WireClient, oats: Listing):
    """Sending only changes must lose none."""
    client.reqMktData(7, contract(oats), "", False, False, [])
    seen: dict[str, tuple[Decimal, int]] = {}

    for minute in range(1, 60):
        core.advance(client.now_ns + minute * MINUTE_NS)
        for fields in client.take("1", "2"):
            if fields[0] == "1":
                seen[fields[3]] = (Decimal(fields[4]), int(fields[5]))
            elif fields[3] in {"0", "3"}:
                side = "1" if fields[3] == "0" else "2"
                seen[side] = (seen[side][0], int(fields[4]))

        top = top_of(core, oats)
        assert seen["1"] == (Decimal(-1) if top.bid is None else top.bid, top.bid_size)
        assert seen["2"] == (Decimal(-1) if top.ask is None else top.ask, top.ask_size)


def test_whoever_asks_for_delayed_data_gets_live(client: WireClient, oats: Listing):
    """And is told so."""
    client.reqMktData(7, contract(oats), "", False, False, [])
    client.take()

    client.reqMarketDataType(3)

    assert client.take() == [["58", "1", "7", "1"]]


def test_a_snapshot_ends_and_leaves_no_stream(core: GatewayCore, client: WireClient, oats: Listing):
    """Once is once."""
    client.reqMktData(7, contract(oats), "", True, False, [])
    snapshot = client.take()

    core.advance(client.now_ns + 10 * MINUTE_NS)

    assert snapshot[-1] == ["57", "1", "7"]
    assert client.take() == []


def test_account_values_are_renewed_every_three_minutes_and_after_fills(
    core: GatewayCore, client: WireClient, oats: Listing
):
    """Only what has changed is sent again."""
    client.reqAccountUpdates(True, core.exchange.account)
    first = client.take()
    core.advance(client.now_ns + 2 * MINUTE_NS)
    early = client.take()
    core.advance(client.now_ns + 3 * MINUTE_NS)
    renewed = client.take()
    client.now_ns += 3 * MINUTE_NS
    top = top_of(core, oats)
    client.placeOrder(4, contract(oats), ib_async.LimitOrder("BUY", 1, float(top.ask or 0), tif="DAY"))
    filled = client.take("6", "7")

    assert first[-1] == ["54", "1", core.exchange.account]
    assert ["6", "2", "NetLiquidation", "1000000.00", "USD", core.exchange.account] in first
    assert early == []
    assert [fields[0] for fields in renewed] == ["8"]
    assert {fields[2] for fields in filled if fields[0] == "6"} >= {"NetLiquidation", "InitMarginReq"}
    assert [fields[13] for fields in filled if fields[0] == "7"] == ["1"]


def test_values_of_an_account_that_is_not_managed_are_refused(client: WireClient):
    """There is one account, and a wrong code is a mistake."""
    client.reqAccountUpdates(True, "U1234567")
    client.reqAccountUpdatesMulti(6, "U1234567", "", False)
    client.reqPnL(7, "U1234567", "")
    client.reqPnLSingle(8, "U1234567", "", 1)

    assert client.errors() == [(-1, 321), (6, 321), (7, 321), (8, 321)]


def test_the_timer_covers_account_refreshes_and_ends_with_them(core: GatewayCore, client: WireClient):
    """Nobody polls: the driver sleeps until the next event."""
    idle_ns = core.next_event_ns()

    client.reqPnL(3, core.exchange.account, "")
    due_ns = core.next_event_ns()
    client.cancelPnL(3)

    assert due_ns == client.now_ns + 5 * NS_PER_S
    assert core.next_event_ns() == idle_ns


def test_a_lost_connection_ends_its_streams(core: GatewayCore, client: WireClient, oats: Listing):
    """Nothing is kept for a session that is gone."""
    client.reqMktData(7, contract(oats), "", False, False, [])
    client.reqAccountUpdates(True, core.exchange.account)
    client.take()

    core.disconnect(client.session)
    core.advance(client.now_ns + 10 * MINUTE_NS)

    assert client.take() == []
    assert core.sessions == []


def test_a_position_closed_today_is_reported_with_no_lots(core: GatewayCore, client: WireClient, oats: Listing):
    """Or a client would keep the last one for ever."""
    client.reqPositions()
    client.take()
    top = top_of(core, oats)
    client.placeOrder(4, contract(oats), ib_async.LimitOrder("BUY", 1, float(top.ask or 0), tif="DAY"))
    bought = client.take("61")
    client.placeOrder(5, contract(oats), ib_async.LimitOrder("SELL", 1, float(top.bid or 0), tif="DAY"))
    sold = client.take("61")

    assert [fields[14] for fields in bought] == ["1"]
    assert Decimal(bought[0][15]) == (top.ask or 0) * 50  # cents a bushel, 5,000 bushels
    assert [fields[14] for fields in sold] == ["0"]


def test_executions_pass_the_filter_and_come_with_commissions(core: GatewayCore, client: WireClient, oats: Listing):
    """Side, client, time and symbol."""
    top = top_of(core, oats)
    client.placeOrder(4, contract(oats), ib_async.LimitOrder("BUY", 1, float(top.ask or 0), tif="DAY"))
    client.take()
    later = good_till_text(client.now_ns + MINUTE_NS)

    def ids(**wanted: object) -> list[str]:
        client.reqExecutions(8, ib_async.ExecutionFilter(**wanted))
        return [fields[0] for fields in client.take()]

    assert ids() == ids(side="BUY", clientId=1, symbol="ZO") == ["11", "59", "55"]
    assert ids(side="SELL") == ids(clientId=2) == ids(symbol="ZR") == ids(time=later) == ["55"]


def test_executions_of_yesterday_are_not_given_again(core: GatewayCore, client: WireClient, oats: Listing):
    """The Gateway remembers since midnight only; a journal has to."""
    top = top_of(core, oats)
    client.placeOrder(4, contract(oats), ib_async.LimitOrder("BUY", 1, float(top.ask or 0), tif="DAY"))
    client.take()

    client.now_ns += 24 * 60 * MINUTE_NS
    client.reqExecutions(8, ib_async.ExecutionFilter())

    assert client.take("11", "55") == [["55", "1", "8"]]
    assert len(core.exchange.executions()) == 1


@pytest.mark.parametrize(
    ("duration", "bar_size", "what"),
    [("30 D", "1 min", "TRADES"), ("soon", "1 day", "TRADES"), ("30 D", "1 day", "OPTION_IMPLIED_VOLATILITY")],
)
def test_history_that_is_not_kept_is_refused(
    client: WireClient, oats: Listing, duration: str, bar_size: str, what: str
):
    """162, as IB's data service says it."""
    client.reqHistoricalData(9, contract(oats), "", duration, bar_size, what, True, 1, False, [])

    assert client.errors() == [(9, 162)]


def test_what_is_not_served_is_refused_politely(client: WireClient, oats: Listing):
    """Depth, tick by tick and an unknown market rule."""
    client.reqMktDepth(7, contract(oats), 5, False, [])
    client.reqTickByTickData(8, contract(oats), "Last", 0, False)
    client.reqMarketRule(999_999)
    client.cancelMktDepth(7, False)

    assert client.errors() == [(7, 354), (8, 10189), (-1, 321)]


def test_an_order_held_while_the_market_is_closed_says_so(core: GatewayCore, client: WireClient, oats: Listing):
    """PreSubmitted until the open."""
    while core.exchange.is_open(oats.con_id, client.now_ns):
        client.now_ns += 10 * MINUTE_NS
    core.advance(client.now_ns)
    order = ib_async.LimitOrder("BUY", 1, 300.0, tif="GTC")

    client.placeOrder(4, contract(oats), order)

    assert [fields[2] for fields in client.take("3")] == [OrderStatus.PRE_SUBMITTED.value]
