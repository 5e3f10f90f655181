"""Names, numbers and hours of the wire."""

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal

import pytest
from ib_async import CommissionReport, Contract, ContractDetails, Execution, Order, OrderState
from ib_async.objects import PriceIncrement

from hydra_nb.broker import translate
from hydra_nb.broker.daily import DailyBar, market_statistics
from hydra_nb.broker.executions import split_execution_id
from hydra_nb.broker.hours import parse_hours, with_zone, zone_name
from hydra_nb.broker.skew import TimeReply
from hydra_nb.broker.symbols import MonthName, read_local_symbol, unknown_instrument, unknown_month
from hydra_nb.domain.orders import ChildOrder, Stage
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import BrokerError, SendRefused
from tests.broker.listed import oats

UNSET = 1.7976931348623157e308


def instant_ns(text: str) -> int:
    """UTC nanoseconds of an ISO time."""
    return round(dt.datetime.fromisoformat(text).timestamp()) * NS_PER_S


@pytest.mark.parametrize(
    ("exec_id", "expected"),
    [
        ("0000e0d5.6576fd38.01.01", ("0000e0d5.6576fd38.01", 1)),
        ("0000e0d5.6576fd38.01.12", ("0000e0d5.6576fd38.01", 12)),
        ("plain", ("plain", 0)),
        ("with.letters", ("with.letters", 0)),
        (".5", (".5", 0)),
    ],
)
def test_execution_ids_tell_family_and_revision(exec_id: str, expected: tuple[str, int]) -> None:
    """The last component counts the corrections."""
    assert split_execution_id(exec_id) == expected


@pytest.mark.parametrize("number", [UNSET, math.nan, math.inf, -math.inf])
def test_sentinels_become_none(number: float) -> None:
    """An unknown P&L is no number."""
    report = translate.commission(
        CommissionReport(execId="a.1", commission=2.52, currency="USD", realizedPNL=number), time_ns=1
    )

    assert report.realised_pnl is None
    assert report.commission == Decimal("2.52")


def test_a_realised_loss_is_kept_exactly() -> None:
    """A double prints shortest."""
    report = translate.commission(CommissionReport(execId="a.1", realizedPNL=-12.1), time_ns=1)

    assert report.realised_pnl == Decimal("-12.1")


def execution(**fields: object) -> Execution:
    """A wire execution of two lots bought."""
    made = {
        "execId": "x.01",
        "side": "BOT",
        "shares": 2.0,
        "price": 370.25,
        "time": dt.datetime(2027, 1, 12, 15, 0, tzinfo=dt.UTC),
        **fields,
    }
    return Execution(**made)  # type: ignore[arg-type]


def test_an_execution_is_read() -> None:
    """Side, lots, price and time in our terms."""
    read = translate.execution(execution(), con_id=1, tick=Decimal("0.25"), time_ns=5)

    assert (read.side, read.lots, read.price) == (Side.BUY, 2, Decimal("370.25"))
    assert read.executed_ns == instant_ns("2027-01-12T15:00:00+00:00")


def test_an_execution_of_an_order_typed_by_hand_has_no_order_id() -> None:
    """The wire gives it the largest integer."""
    assert translate.execution(execution(orderId=2**31 - 1), con_id=1, tick=None, time_ns=5).order_id == 0


@pytest.mark.parametrize("fields", [{"side": "???"}, {"price": UNSET}, {"shares": 1.5}])
def test_a_broken_execution_raises(fields: dict[str, object]) -> None:
    """It becomes an alarm, not a fill of something else."""
    with pytest.raises(ValueError, match=r"lots|execution"):
        translate.execution(execution(**fields), con_id=1, tick=None, time_ns=5)


def test_an_open_order_tells_its_expiry() -> None:
    """The broker echoes the good-till date in the form that we sent, or in its own."""
    order = Order(lmtPrice=370.25, totalQuantity=3, goodTillDate="20270112-15:00:00", orderRef="r", permId=9)

    own = translate.open_order(
        order, OrderState(status="Submitted"), contract=Contract(), tick=Decimal("0.25"), time_ns=1
    )
    order.goodTillDate = "20270112 15:00:00 UTC"
    theirs = translate.open_order(
        order, OrderState(status="Submitted"), contract=Contract(), tick=Decimal("0.25"), time_ns=1
    )
    order.goodTillDate = "20270112 09:00:00 US/Central"
    other = translate.open_order(
        order, OrderState(status="Submitted"), contract=Contract(), tick=Decimal("0.25"), time_ns=1
    )

    assert own.expires_ns == theirs.expires_ns == instant_ns("2027-01-12T15:00:00+00:00")
    assert other.expires_ns is None


def child() -> ChildOrder:
    """Two lots of oats to buy."""
    return ChildOrder(
        order_ref="hy:a:P-0001:1:1",
        order_id=3,
        parent_id="P-0001",
        slice=1,
        account="DU1234567",
        contract=oats(),
        side=Side.BUY,
        lots=2,
        limit_price=Decimal("-0.25"),
        expires_ns=instant_ns("2027-01-12T15:00:00+00:00"),
        stage=Stage.MID,
    )


def test_a_negative_price_is_written_as_such() -> None:
    """Prices may be negative."""
    order = translate.wire_order(child())

    assert (order.lmtPrice, order.totalQuantity, order.orderType, order.tif) == (-0.25, 2, "LMT", "GTD")
    assert (order.goodTillDate, order.account, order.transmit) == ("20270112-15:00:00", "DU1234567", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_price", Decimal("370.1")),
        ("limit_price", Decimal("NaN")),
        ("limit_price", Decimal("Infinity")),
        ("lots", 0),
        ("lots", 1.5),
        ("lots", -2),
        ("expires_ns", 1_500_000_000),
    ],
)
def test_what_must_never_reach_a_wire_does_not(name: str, value: object) -> None:
    """Also where somebody got around the checks of the value object."""
    broken = child()
    object.__setattr__(broken, name, value)

    with pytest.raises(SendRefused):
        translate.wire_order(broken)


def details(**fields: object) -> ContractDetails:
    """Contract details of oats."""
    contract = Contract(
        conId=1,
        symbol="ZO",
        localSymbol="ZOH7",
        exchange="CBOT",
        currency="USD",
        multiplier="5000",
        lastTradeDateOrContractMonth="20270312",
    )
    made = {
        "contract": contract,
        "minTick": 0.0025,
        "priceMagnifier": 100,
        "longName": "Oats",
        "contractMonth": "202703",
        "timeZoneId": "US/Central",
        "tradingHours": "20270112:0830-20270112:1320;20270113:CLOSED",
        "validExchanges": "QBALGO,CBOT",
        "marketRuleIds": "3,67",
        "realExpirationDate": "20270312",
        **fields,
    }
    return ContractDetails(**made)  # type: ignore[arg-type]


def test_contract_details_make_a_contract() -> None:
    """With the market rule of its own exchange."""
    listed = translate.listed_month(details())

    assert listed.market_rule == 67
    assert str(listed.contract.tick) == "0.25"  # a quarter of a cent, told in dollars
    assert listed.contract.point_value == 50
    assert listed.contract.last_trade_date == dt.date(2027, 3, 12)
    assert listed.contract.time_zone == "America/Chicago"
    assert listed.contract.is_open(instant_ns("2027-01-12T15:00:00+00:00"))


def test_of_two_last_days_the_earlier_counts() -> None:
    """It is the safer one."""
    listed = translate.listed_month(details(realExpirationDate="20270310"))

    assert listed.contract.last_trade_date == dt.date(2027, 3, 10)


@pytest.mark.parametrize(
    "fields", [{"timeZoneId": "Mars/Olympus"}, {"minTick": 0.0}, {"tradingHours": "soon"}, {"contract": None}]
)
def test_contract_details_that_cannot_be_read_raise(fields: dict[str, object]) -> None:
    """Nothing is guessed."""
    with pytest.raises(BrokerError):
        translate.listed_month(details(**fields))


def test_the_widest_increment_of_a_market_rule_is_the_tick() -> None:
    """It is a multiple of the narrower ones, so allowed at every price level."""
    assert translate.rule_tick([PriceIncrement(0, 0.05), PriceIncrement(5, 0.1)]) == Decimal("0.1")
    assert translate.rule_tick([]) is None


@pytest.mark.parametrize(
    ("name", "iana"),
    [
        ("US/Central", "America/Chicago"),
        ("EST", "America/New_York"),
        ("CST (Central Standard Time)", "America/Chicago"),
        ("America/New_York", "America/New_York"),
    ],
)
def test_time_zones_of_gateways_are_known(name: str, iana: str) -> None:
    """EST is an IANA zone too, but one without summer time, which nobody means."""
    assert zone_name(name) == iana


@pytest.mark.parametrize(
    ("text", "zoned"),
    [
        ("20270112 09:00:00 US/Central", "20270112 09:00:00 America/Chicago"),
        ("20270712 09:00:00 EST", "20270712 09:00:00 America/New_York"),
        ("20270112-15:00:00", "20270112 15:00:00 UTC"),
        ("20270112 15:00:00 UTC", "20270112 15:00:00 UTC"),
        ("20270112 15:00:00", None),
        ("20270112  15:00:00", None),
        ("20270112 25:00:00 UTC", None),
        ("20270112 15:00:00 Mars/Olympus", None),
        ("20270112", None),
        ("", None),
    ],
)
def test_only_times_that_tell_their_zone_are_taken(text: str, zoned: str | None) -> None:
    """A time without one must not be read as this machine's."""
    assert with_zone(text) == zoned


def test_hours_follow_summer_time_and_cross_midnight() -> None:
    """Chicago is at −6 h in January and at −5 h in July."""
    winter = parse_hours("20270111:1900-20270112:0745;20270112:0830-20270112:1320", zone="America/Chicago")
    summer = parse_hours("20270712:0830-20270712:1320", zone="America/Chicago")

    assert winter[0].open_ns == instant_ns("2027-01-12T01:00:00+00:00")
    assert winter[0].close_ns == instant_ns("2027-01-12T13:45:00+00:00")
    assert winter[1].open_ns == instant_ns("2027-01-12T14:30:00+00:00")
    assert summer[0].open_ns == instant_ns("2027-07-12T13:30:00+00:00")


def test_hours_of_older_gateways_are_read() -> None:
    """One date a day, spans parted by commas, midnight as 2400."""
    old = parse_hours("20270112:0830-1320,1700-2400;20270113:CLOSED", zone="America/Chicago")

    assert [session.close_ns for session in old] == [
        instant_ns("2027-01-12T19:20:00+00:00"),
        instant_ns("2027-01-13T06:00:00+00:00"),
    ]


def test_sessions_do_not_overlap_and_are_in_order() -> None:
    """Days may be listed twice."""
    text = "20270113:0830-20270113:1320;20270112:0830-20270112:1320;20270112:0900-20270112:1400"

    sessions = parse_hours(text, zone="America/Chicago")

    assert len(sessions) == 2
    assert sessions[0].close_ns == instant_ns("2027-01-12T20:00:00+00:00")
    assert sessions[0].close_ns < sessions[1].open_ns


THE_THIN = "thin futures that this package knows are ZO, ZR, KE, LBR, GF, HE, OJ, PA, PL, DA, CSC, CB"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ZOH7", MonthName(symbol="ZO", contract_month="202703")),
        ("zoz26", MonthName(symbol="ZO", contract_month="202612")),
        ("ZOH5", MonthName(symbol="ZO", contract_month="203503")),
        ("ZOZ5", MonthName(symbol="ZO", contract_month="203512")),
        ("GFF8", MonthName(symbol="GF", contract_month="202801")),
        ("ZOH17", MonthName(symbol="ZO", contract_month="201703")),
        ("ZOH77", MonthName(symbol="ZO", contract_month="197703")),
        ("ZOZ76", MonthName(symbol="ZO", contract_month="207612")),
        ("ZO", None),
    ],
)
def test_local_symbols_are_read(text: str, expected: MonthName | None) -> None:
    """One digit of a year is the next year that ends so, last year included; two are the nearest year."""
    assert read_local_symbol(text, today=dt.date(2027, 1, 12)) == expected


def test_an_unknown_name_gets_the_nearest_remedy() -> None:
    """Also where other vendors call it otherwise."""
    assert "did you mean ZO" in str(unknown_instrument("ZOO", known=["ZO"]))
    assert "did you mean LBR?" in str(unknown_instrument("LBS", known=[]))


@pytest.mark.parametrize(
    ("name", "known", "unlisted", "remedy"),
    [
        ("ZS", ["ZO", "GF"], [], "did you mean ZO?"),
        ("ZO", [], [], "of the thin futures that this package knows you may mean ZR or OJ"),
        ("ZO", ["ZO"], [], "of the thin futures that this package knows you may mean ZR or OJ"),
        ("ZS", [], ["ZO"], "of the thin futures that this package knows you may mean ZR"),
        ("LBS", [], ["LBR"], f"use the broker's own symbol; {THE_THIN}".replace("LBR, ", "")),
        ("QQ", ["ZO"], [], f"use the broker's own symbol; {THE_THIN}"),
    ],
)
def test_what_is_not_known_to_be_listed_is_not_said_to_be(
    name: str, known: list[str], unlisted: list[str], remedy: str
) -> None:
    """Neither the name itself, nor what the broker has refused, is suggested; what it lists comes first."""
    words = str(unknown_instrument(name, known=known, unlisted=unlisted))

    assert words == f"the broker lists no future {name!r}; {remedy}"


@pytest.mark.parametrize(
    ("text", "known", "words"),
    [
        ("KEZ6", ["KE"], 'December 2026: no such month of KE is listed (it may have expired); await desk.chain("KE")'),
        ("ZOF7", ["ZO"], 'January 2027: no such month of ZO is listed (it may have expired); await desk.chain("ZO")'),
        ("ZOZ5", ["ZO"], 'December 2035: no such month of ZO is listed; await desk.chain("ZO") shows the months that '),
        ("LBSZ6", ["ZO"], "December 2026, nor any month of 'LBS'; did you mean LBR?"),
    ],
)
def test_a_month_that_is_not_listed_is_named_as_it_was_typed_and_read(text: str, known: list[str], words: str) -> None:
    """With what to do; only a month that may be over is said to be."""
    today = dt.date(2027, 1, 12)
    month = read_local_symbol(text, today=today)

    assert month is not None
    told = str(unknown_month(text, read_as=month, today=today, known=known))
    assert told.startswith(f"the broker lists no future {text!r}, read as {words}")


def bars(count: int) -> list[DailyBar]:
    """Daily bars up to 12 January 2027, whose closes double and halve in turn."""
    last = dt.date(2027, 1, 12)
    return [
        DailyBar(date=last - dt.timedelta(days=n), volume=float(100 + n), close=10.0 if n % 2 else 20.0)
        for n in range(count)
    ]


def test_statistics_leave_today_out_and_take_twenty_days() -> None:
    """Today's volume is not complete."""
    told = market_statistics(bars(30), con_id=1, today=dt.date(2027, 1, 12), source="test")

    assert (told.days, told.returns) == (20, 19)
    assert told.adv_lots == pytest.approx(sum(range(101, 121)) / 20)
    assert told.daily_volatility == pytest.approx(math.log(2) * math.sqrt(19 / 18), rel=1e-2)


def test_a_day_without_a_close_takes_two_returns_along() -> None:
    """The error of a volatility goes by the returns that it was taken over, not by the days."""
    thin = [replace(bar, close=None) if number in (7, 12) else bar for number, bar in enumerate(bars(21))]

    told = market_statistics(thin, con_id=1, today=dt.date(2027, 1, 31), source="test")

    assert (told.days, told.returns) == (20, 15)


def test_statistics_of_nothing_are_unknown() -> None:
    """Unknown is not zero."""
    empty = market_statistics([], con_id=1, today=dt.date(2027, 1, 12), source="test")
    negative = market_statistics(
        [replace(bar, close=-1.0) for bar in bars(5)], con_id=1, today=dt.date(2027, 1, 12), source="test"
    )

    assert (empty.adv_lots, empty.daily_volatility, empty.days) == (None, None, 0)
    assert negative.daily_volatility is None


@pytest.mark.parametrize(
    ("asked_s", "heard_s", "skew_s"),
    [(100.2, 100.3, 0.0), (100.9, 101.4, 0.0), (99.5, 99.9, 0.1), (98.0, 99.0, 1.0), (103.5, 104.0, 2.5)],
)
def test_only_provable_skew_counts(asked_s: float, heard_s: float, skew_s: float) -> None:
    """The broker said 100, which means anything up to 101."""
    reply = TimeReply(
        server_s=100,
        asked_ns=round(asked_s * NS_PER_S),
        heard_ns=round(heard_s * NS_PER_S),
        asked_host_ns=0,
        heard_host_ns=1,
    )

    assert reply.skew_s == pytest.approx(skew_s)
