"""Breakers in the ledger: their state, what re-arming begins anew, and how the desk has fared."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain import events as ev
from hydra_nb.domain.breakers import BreakerName, Conduct
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import Ledger
from hydra_nb.ledger.conduct import MOST_MESSAGES, WINDOW_NS

from .making import CHILD, DAY_NS, ERROR, REF, at, execution, fold, reserved, sent, submitted

CON_ID = CHILD.contract.con_id


def trip(breaker: str = "daily_loss", **changes: object) -> ev.BreakerTripped:
    """A breaker that tripped."""
    terms = {"time_ns": at(20), "breaker": breaker, "observed": 3.0, "limit": 2.0, "unit": "USD", "reason": "3 lost"}
    return ev.BreakerTripped(**(terms | changes))  # type: ignore[arg-type]


def position_trip(con_id: int = CON_ID) -> ev.BreakerTripped:
    """The breaker of a long position that tripped."""
    return trip("position_lots", con_id=con_id, local_symbol="ZOK6", side=Side.BUY)


def rearm(breaker: str | None = None, *, seconds: float = 30) -> ev.Rearmed:
    """A person who re-arms."""
    return ev.Rearmed(time_ns=at(seconds), reason="seen", breaker=breaker)


def position(lots: int) -> ev.PositionReported:
    """A position that the broker reports."""
    return ev.PositionReported(
        time_ns=at(5), con_id=CON_ID, local_symbol="ZOK6", symbol="ZO", lots=lots, average_cost=Decimal(0)
    )


def account(equity: int) -> ev.AccountReported:
    """Equity that the broker reports."""
    return ev.AccountReported(
        time_ns=at(1), currency="USD", equity=Decimal(equity), realised_pnl=None, unrealised_pnl=None
    )


def ledger_of(events: Sequence[ev.Event]) -> Ledger:
    """The fold of these events alone."""
    ledger = Ledger()
    for event in events:
        ledger.apply(event)
    return ledger


# State


def test_a_trip_stays_until_a_person_re_arms_it() -> None:
    """Neither equity that recovers, nor a new day, nor a second trip changes it."""
    first = trip()
    ledger = ledger_of(
        [account(100), first, account(200), trip(time_ns=at(25)), replace(account(300), time_ns=at(9) + DAY_NS)]
    )

    assert ledger.breakers.is_tripped("daily_loss")
    assert dict(ledger.breakers.of(CON_ID)) == {"daily_loss": first}

    ledger.apply(rearm("daily_loss"))

    assert not ledger.breakers.is_tripped("daily_loss")
    assert dict(ledger.breakers.of(CON_ID)) == {}
    assert ledger.breakers.rearmed == {("daily_loss", None): rearm("daily_loss")}


def test_re_arming_one_breaker_leaves_the_others_and_the_kill() -> None:
    """Each has its own reason."""
    ledger = ledger_of([trip(), trip("drawdown"), ev.Killed(time_ns=at(21), reason="drill"), rearm("drawdown")])

    assert ledger.breakers.is_tripped("daily_loss")
    assert not ledger.breakers.is_tripped("drawdown")
    assert ledger.killed == "drill"


def test_re_arming_all_lifts_the_kill_and_every_trip_and_notes_only_those() -> None:
    """What had not tripped is not called re-armed."""
    ledger = ledger_of([trip(), position_trip(), ev.Killed(time_ns=at(21), reason="drill"), rearm()])

    assert ledger.breakers.tripped == {}
    assert set(ledger.breakers.rearmed) == {("daily_loss", None), ("position_lots", CON_ID)}
    assert ledger.killed is None


@pytest.mark.parametrize(
    ("breaker", "peak", "day_start"),
    [("drawdown", 80, 100), ("daily_loss", 120, 80), ("last_trade_loss", 120, 100), (None, 80, 80)],
)
def test_re_arming_begins_the_figures_of_that_breaker_anew(breaker: str | None, peak: int, day_start: int) -> None:
    """So that it does not trip on the same loss again, while the other is still measured from where it was."""
    ledger = ledger_of([account(100), account(120), account(80), rearm(breaker)])

    assert (ledger.peak_equity, ledger.day_start_equity) == (peak, day_start)


def test_a_position_breaker_concerns_its_contract_only() -> None:
    """That of the account concerns all."""
    ledger = ledger_of([position_trip(), trip()])

    assert set(ledger.breakers.of(CON_ID)) == {"position_lots", "daily_loss"}
    assert set(ledger.breakers.of(999)) == {"daily_loss"}


@pytest.mark.parametrize(
    ("later", "has_grown"),
    [
        ([60], False),
        ([61], True),
        ([58], False),
        ([40, 41], True),  # what a person accepted shrinks with the position
        ([40, 40], False),
        ([0, 51], True),
        ([-55], True),
    ],
)
def test_a_position_that_a_person_accepted_trips_again_once_it_grows(later: list[int], has_grown: bool) -> None:
    """Re-armed at 60 lots; from the smallest position since then on."""
    ledger = ledger_of([submitted(), position(60), position_trip(), rearm(), *map(position, later)])

    assert ledger.breakers.has_grown("position_lots", con_id=CON_ID) is has_grown


def test_a_position_that_nobody_re_armed_counts_in_full() -> None:
    """Also after somebody re-armed another breaker."""
    ledger = ledger_of([submitted(), position(60), trip(), rearm()])

    assert ledger.breakers.has_grown("position_lots", con_id=CON_ID)


# Refusals in a row


def refused(*, transient: bool) -> ev.ChildRefused:
    """A child that the gate refuses."""
    return ev.ChildRefused(
        time_ns=at(5),
        action=Action.PLACE,
        parent_id="P-0001",
        slice=1,
        order_ref=REF,
        check="collar_ticks",
        transient=transient,
        message="too far",
    )


def parent_refused(transient: bool | None) -> ev.ParentRefused:
    """A parent that the gate refuses."""
    return ev.ParentRefused(time_ns=at(5), parent_id="P-0001", check="x", message="no", transient=transient)


HARD, SOFT = refused(transient=False), refused(transient=True)


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([HARD, HARD, HARD], 3),
        ([HARD, SOFT, HARD], 2),
        ([SOFT, SOFT], 0),
        ([parent_refused(False), HARD], 2),
        ([parent_refused(True), parent_refused(None)], 0),
        ([HARD, HARD, reserved()], 0),
        ([HARD, reserved(), HARD], 1),
        ([HARD, submitted(), HARD], 2),
        ([HARD, HARD, rearm()], 0),
        ([HARD, HARD, rearm("consecutive_refusals")], 0),
        ([HARD, HARD, rearm("daily_loss")], 2),
    ],
)
def test_hard_refusals_in_a_row_are_counted(events: list[ev.Event], count: int) -> None:
    """Of parents and of children; what waiting cures neither counts nor ends the row, an approved order ends it."""
    ledger = ledger_of([submitted(), *events])

    assert ledger.breakers.conduct(at(60)).refusals_in_row == count


# Rejected messages


def message(number: int, *, seconds: float) -> ev.ChildSent:
    """A place of an order of its own."""
    return ev.ChildSent(time_ns=at(seconds), order_ref=f"order {number}", action=Action.PLACE, content_hash="")


def error(code: int, *, of: str = REF) -> ev.BrokerErrorReported:
    """An error that names an order."""
    return replace(ERROR, code=code, order_ref=of)


def messages(ledger: Ledger, *, now_ns: int) -> tuple[int, int]:
    """Messages of the last hour and those rejected."""
    fared = ledger.breakers.conduct(now_ns)
    return fared.messages, fared.rejected_messages


@pytest.mark.parametrize("code", [103, 105, 109, 110, 200, 201, 321, 343, 387, 435, 10311, 10318])
def test_an_error_that_names_an_order_rejects_its_last_message(code: int) -> None:
    """Once, however often it is said, and in however many ways."""
    ledger = fold([sent(), error(code), error(code), error(201)])

    assert messages(ledger, now_ns=at(60)) == (1, 1)


@pytest.mark.parametrize("code", [0, 104, 135, 136, 161, 202, 399, 404, 2109, 2161, 10147, 10148, 10349])
def test_notices_and_answers_to_cancels_reject_nothing(code: int) -> None:
    """A preset's time in force, an order held until the open, an order that was cancelled or had filled."""
    ledger = fold([sent(), error(code)])

    assert messages(ledger, now_ns=at(60)) == (1, 0)


def test_each_message_of_an_order_is_judged_by_itself() -> None:
    """Its place was taken, its modify rejected; an error of nobody's, or of an order not sent, rejects nothing."""
    ledger = fold([sent(), sent(Action.MODIFY), error(110)])
    nobody = replace(ERROR, order_ref=None)

    for event in (nobody, error(201, of="an order of another journal")):
        ledger.apply(event)

    assert messages(ledger, now_ns=at(60)) == (2, 1)


def test_messages_count_for_an_hour() -> None:
    """To the nanosecond, also where nothing is sent meanwhile."""
    ledger = ledger_of([message(1, seconds=0), error(201, of="order 1"), message(2, seconds=10)])

    counts = [messages(ledger, now_ns=at(0) + WINDOW_NS + after) for after in (-1, 0, 10 * NS_PER_S - 1, 10 * NS_PER_S)]

    assert counts == [(2, 1), (1, 0), (1, 0), (0, 0)]


def test_no_more_messages_are_remembered_than_a_share_is_taken_of() -> None:
    """Of a desk that sends without end: the newest, and an error about a forgotten one rejects nothing."""
    ledger = ledger_of([message(number, seconds=number / 100) for number in range(3 * MOST_MESSAGES)])

    for number in (0, 3 * MOST_MESSAGES - 1):
        ledger.apply(error(201, of=f"order {number}"))

    assert messages(ledger, now_ns=at(60)) == (MOST_MESSAGES, 1)
    assert len(ledger.breakers._messages._last) == MOST_MESSAGES


@pytest.mark.parametrize(("breaker", "left"), [(None, (0, 0)), ("reject_rate", (0, 0)), ("drawdown", (1, 1))])
def test_re_arming_forgets_the_messages_of_before(breaker: str | None, left: tuple[int, int]) -> None:
    """Of that breaker, or of all."""
    ledger = fold([sent(), error(201), rearm(breaker)])

    assert messages(ledger, now_ns=at(60)) == left


# What fills cost


def placed(side: Side = Side.BUY, *, predicted: str | None = "0.50", mid: bool = True) -> list[ev.Event]:
    """An order of three lots, approved at a mid of 370, with 2 ticks a lot predicted."""
    quote = Quote(con_id=101, time_ns=at(0), bid=Decimal(369), ask=Decimal(371), bid_size=1, ask_size=int(mid))
    child = replace(CHILD, side=side)
    return [
        submitted(),
        replace(reserved(child), quote=quote, predicted_slippage=None if predicted is None else Decimal(predicted)),
    ]


def cost(events: Sequence[ev.Event], *, now_ns: int = at(60)) -> tuple[int, float | None, float | None]:
    """Fills of the day, what a lot cost, what was predicted."""
    fared = ledger_of(events).breakers.conduct(now_ns)
    return fared.fills, fared.slippage_ticks, fared.predicted_ticks


@pytest.mark.parametrize(
    ("side", "price", "ticks"),
    [
        (Side.BUY, "371.00", 4.0),
        (Side.BUY, "369.00", -4.0),
        (Side.SELL, "371.00", -4.0),
        (Side.SELL, "368.75", 5.0),
    ],
)
def test_a_fill_costs_what_it_is_worse_than_the_mid_of_its_order(side: Side, price: str, ticks: float) -> None:
    """In ticks of a quarter cent, on either side."""
    assert cost([*placed(side), execution(2, price=price)]) == (1, ticks, 2.0)


def test_the_breaker_goes_by_the_assumed_prediction_where_a_calibrated_one_was_in_force() -> None:
    """Two ticks and not the ten that a calibration predicts: accepting one loosens nothing."""
    submission, reservation = placed(predicted="2.50")
    assert isinstance(reservation, ev.ChildReserved)
    calibrated = replace(reservation, assumed_slippage=Decimal("0.50"), predictor_version="sqrt-1.fit")

    assert cost([submission, reservation, execution(2, price="371.00")]) == (1, 4.0, 10.0)
    assert cost([submission, calibrated, execution(2, price="371.00")]) == (1, 4.0, 2.0)


def test_the_mean_is_by_lots() -> None:
    """Two lots at 4 ticks and one at 10."""
    events = [*placed(), execution(2, price="371.00"), execution(1, family="b", price="372.50")]

    assert cost(events) == (2, 6.0, 2.0)


@pytest.mark.parametrize("events", [placed(predicted=None), placed(mid=False)])
def test_without_a_prediction_or_a_mid_nothing_is_compared(events: list[ev.Event]) -> None:
    """A cost that cannot be held against anything is no breach."""
    assert cost([*events, execution(2, price="400.00")]) == (0, None, None)


def test_the_latest_revision_counts_and_a_bust_not_at_all() -> None:
    """Whatever comes twice."""
    wrong, right = execution(2, price="395.00"), execution(2, revision=2, price="371.00")

    assert cost([*placed(), wrong, wrong, right, wrong]) == (1, 4.0, 2.0)
    assert cost([*placed(), wrong, execution(0, revision=2, price="395.00")]) == (0, None, None)


def test_a_new_day_begins_with_its_first_fill() -> None:
    """And yesterday's is gone at midnight; a late report or a correction of it changes nothing."""
    today = replace(execution(1, family="b", price="370.25"), time_ns=at(4) + DAY_NS, executed_ns=at(4) + DAY_NS)
    corrected = replace(execution(2, revision=2, price="399.00"), time_ns=at(5) + DAY_NS)
    events = [*placed(), execution(2, price="371.00")]

    assert cost(events, now_ns=at(60) + DAY_NS) == (0, None, None)
    assert cost([*events, today, corrected], now_ns=at(60) + DAY_NS) == (1, 1.0, 2.0)


@pytest.mark.parametrize("breaker", [None, "slippage_breach"])
def test_re_arming_begins_the_cost_anew(breaker: str | None) -> None:
    """Fills of before count no more."""
    later = replace(execution(1, family="b", price="370.25"), time_ns=at(40))

    assert cost([*placed(), execution(2, price="399.00"), rearm(breaker)]) == (0, None, None)
    assert cost([*placed(), execution(2, price="399.00"), rearm(breaker), later]) == (1, 1.0, 2.0)


REPORTS = st.lists(
    st.tuples(
        st.sampled_from("abc"),  # family
        st.integers(1, 3),  # revision
        st.integers(0, 3),  # lots, 0 for a bust
        st.integers(1460, 1500),  # price, ticks
        st.integers(0, 1),  # day
        st.booleans(),  # whether somebody re-arms before
    ),
    max_size=12,
)


@given(reports=REPORTS)
def test_whatever_comes_the_sums_are_those_of_the_latest_revisions(
    reports: list[tuple[str, int, int, int, int, bool]],
) -> None:
    """Told twice, late, out of order, corrected, busted, over a midnight, around a re-arming: by plain arithmetic."""
    ledger, day, since_ns = ledger_of(placed()), 0, -1
    for number, (family, revision, lots, price, days, rearms) in enumerate(reports, start=100):
        if rearms:
            ledger.apply(rearm(seconds=number - 0.5))
            since_ns = at(number - 0.5)
        told = execution(lots, family=family, revision=revision, price=str(Decimal(price) / 4))
        ledger.apply(replace(told, time_ns=at(number), executed_ns=at(3) + days * DAY_NS))
        day = max([day, *(one.executed_ns // DAY_NS for one in ledger.orders[REF].executions.values())])

    counted = [
        one
        for one in ledger.orders[REF].executions.values()
        if one.lots and one.executed_ns // DAY_NS == day and one.received_ns > since_ns
    ]
    all_lots = sum(one.lots for one in counted)
    paid = sum((one.lots * (one.price - 370) * 4 for one in counted), start=Decimal(0))
    fared = ledger.breakers.conduct(at(60) + DAY_NS * (day - at(0) // DAY_NS))
    assert fared.fills == len(counted)
    assert fared.slippage_ticks == (float(paid / all_lots) if all_lots else None)
    assert fared.predicted_ticks == (2.0 if all_lots else None)


def test_a_desk_that_did_nothing_has_fared_well() -> None:
    """And says so without a figure."""
    assert ledger_of([]).breakers.conduct(at(0)) == Conduct()


def test_every_breaker_is_folded_by_its_name() -> None:
    """None is written with a name that re-arming would not find."""
    ledger = ledger_of([trip(name) for name in BreakerName])

    for name in BreakerName:
        ledger.apply(rearm(name))

    assert ledger.breakers.tripped == {}
