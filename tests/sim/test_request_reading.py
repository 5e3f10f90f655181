"""The codec against a client written by others: the gateway reads what ib_async writes."""

from collections.abc import Callable
from decimal import Decimal

import ib_async
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async.client import Client
from ib_async.wrapper import Wrapper

from hydra_nb.sim import requests
from hydra_nb.sim.contract_search import matching
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.framing import WireError, decode
from hydra_nb.sim.messages import number, parse
from hydra_nb.sim.wire_time import parse_time

VERSIONS = range(157, 179)
MOMENT_NS = 1_773_151_201_000_000_000  # 2026-03-10 14:00:01 UTC


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
        requests.Stop(stream="bars", req_id=13),
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
    listing = Exchange(seed=7).listings[0]
    contract = ib_async.Contract(secType="BAG", conId=listing.con_id, exchange=listing.exchange)
    order = ib_async.LimitOrder("BUY", 1, 100.0, tif="DAY", whatIf=True)

    request = written_by_ib_async(178, lambda client: client.placeOrder(1, contract, order))

    assert isinstance(request, requests.PlaceOrder)
    assert matching([listing], query=request.contract) == []


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
