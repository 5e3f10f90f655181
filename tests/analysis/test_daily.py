"""What the report of a trading day tells, of days that are told event by event."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from hydra_nb.analysis import frames
from hydra_nb.analysis.columns_page import FRAMES
from hydra_nb.analysis.daily import DailyReport, daily_report
from hydra_nb.analysis.daily.columns import COLUMNS, OWN
from hydra_nb.analysis.daily.until import Until
from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import ContractFacts, FutureContract
from hydra_nb.domain.market import CLOSED_BY_US, ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.reconcile.reconciler import AGREE

from .report_story import told
from .story import OATS, PALLADIUM, Story, ns, one_fill, plan_for, top

TO_THE_END_S = 8 * 3_600
"""Seconds from the begin of a story, at 09:00 in Chicago, to the end of its day."""
NEXT_DAY = "2026-03-04"


def report(story: Story, date: str | None = "2026-03-03", **how: object) -> DailyReport:
    """The day of a story."""
    return daily_report(story.journal, date, **how)  # type: ignore[arg-type]


def only(frame: pd.DataFrame) -> dict[str, object]:
    """The one row of a frame."""
    [row] = frame.to_dict("records")
    return {str(name): value for name, value in row.items()}


def over_night(story: Story, contract: FutureContract = OATS, parent_id: str = "P-0001") -> Story:
    """An order of two slices of 2 lots: one fills half an hour before the day's end, one half an hour after it."""
    quote, plan = top(contract, "370", "371"), plan_for(contract, 2, 2)
    story.submitted(parent_id, plan, quote, at=TO_THE_END_S - 2_000)
    for number, at in ((1, TO_THE_END_S - 1_800), (2, TO_THE_END_S + 1_800)):
        ref = story.gated(parent_id, number, plan=plan, price="371", quote=quote, at=at, predicted="0.5")
        story.sent(ref, at=at)
        story.filled(ref, f"{parent_id}{number}.01.01", 2, "371", at=at + 1, quote=quote)
        story.charged(f"{parent_id}{number}.01.01", "2.50", at=at + 1)
        story.slice_over(parent_id, number, filled=2, carried=0, status=SliceStatus.FILLED, at=at + 2)
    story.over(parent_id, status=ParentStatus.FILLED, at=TO_THE_END_S + 1_803)
    return story


# Which day a fact belongs to


def test_an_order_over_the_end_of_a_day_is_in_both_and_says_so() -> None:
    """Each day has its own fills; state, lots and messages are those of its end."""
    story = over_night(Story())

    first, second = report(story), report(story, NEXT_DAY)

    before, after = only(first.orders), only(second.orders)
    assert (before["status"], before["filled_lots"], before["filled_in_day_lots"]) == ("working", 2, 2)
    assert (after["status"], after["filled_lots"], after["filled_in_day_lots"]) == ("filled", 4, 2)
    assert [(one["began_before"], one["goes_on"]) for one in (before, after)] == [(False, True), (True, False)]
    assert (before["messages"], after["messages"], after["messages_budget"]) == (1, 2, 8)
    assert [one.fills["fill_id"].tolist() for one in (first, second)] == [["P-00011.01"], ["P-00012.01"]]
    assert [only(one.summary)["at_work"] for one in (first, second)] == [1, 0]
    assert [one.slices["slice"].tolist() for one in (first, second)] == [[1, 2], [2]]


def test_a_day_that_is_over_says_the_same_whatever_comes_later() -> None:
    """A bust, fees and a kill of the next day change nothing of it; the next day tells of them."""
    story = over_night(Story())
    before = report(story)
    ref = story.ref("P-0001", 1)
    story.filled(ref, "P-00011.01.02", 0, "371", at=TO_THE_END_S + 7_200)
    story.charged("P-00011.01.01", "99", at=TO_THE_END_S + 7_200)
    story.tell(ev.Killed(time_ns=ns(TO_THE_END_S + 7_201), reason="enough"))

    after, next_day = report(story), report(story, NEXT_DAY)

    for name, frame in before.frames.items():
        pd.testing.assert_frame_equal(after.frames[name], frame)
    assert before.is_over
    assert "bust" in only(next_day.events)["words"]  # type: ignore[operator]
    assert only(next_day.orders)["filled_lots"] == 2
    assert only(next_day.halts)["what"] == "killed"


def test_an_order_of_an_earlier_day_is_shown_only_if_it_was_at_work() -> None:
    """One that was over is not; one that waits for a person is, until it is over."""
    story = over_night(Story())
    story.submitted("P-0002", plan_for(PALLADIUM, 1), None, at=10)
    story.tell(ev.ParentInterrupted(time_ns=ns(20), parent_id="P-0002", since_ns=ns(15), reason="a dead kernel"))
    story.tell(ev.Reconciled(time_ns=ns(3 * TO_THE_END_S + TO_THE_END_S), breaks=0, message=AGREE))

    third = report(story, "2026-03-05")

    assert third.orders["parent_id"].tolist() == ["P-0002"]
    assert (only(third.summary)["needs_human"], only(third.summary)["at_work"]) == (1, 0)
    assert only(third.orders)["reason"] == "a dead kernel"


@pytest.mark.parametrize("at", [0, 0.6, 12, 121, TO_THE_END_S])
def test_a_journal_up_to_a_moment_is_that_of_the_moment(at: float) -> None:
    """Every frame is as of a journal that holds the earlier events alone."""
    whole, short = told(), Story()
    for _, event in whole.journal.events():
        if event.time_ns < ns(at):
            short.journal.append(event)

    cut = Until(whole.journal, ns(at))

    for make in (frames.executions, frames.slices, frames.fills, frames.orders, frames.alerts, frames.limits):
        pd.testing.assert_frame_equal(make(cut), make(short.journal))  # type: ignore[operator]
    assert [row.payload for row in cut.event_rows()] == [row.payload for row in short.journal.event_rows()]
    assert len(cut.quotes_rows()) == (frames.quotes(whole.journal)["time"] < pd.Timestamp(ns(at), tz="UTC")).sum()


# Money


def test_amounts_of_two_currencies_are_never_added_up() -> None:
    """The summary has none then; a row a currency has each."""
    euros = dataclasses.replace(OATS, con_id=303, symbol="EBM", local_symbol="EBMK6", currency="EUR")
    story = over_night(over_night(Story()), euros, "P-0002")

    found = report(story)

    assert found.currencies["currency"].tolist() == ["EUR", "USD"]
    assert found.currencies["slippage_cash"].tolist() == [50.0, 50.0]  # half a point of 50 a lot, 2 lots
    assert found.currencies["predicted_cash"].tolist() == [50.0, 50.0]
    assert found.currencies["commission"].tolist() == [2.5, 2.5]
    row = only(found.summary)
    assert pd.isna([row["slippage_cash"], row["predicted_cash"], row["commission"], row["currency"]]).all()  # type: ignore[list-item]
    assert only(report(over_night(Story())).summary)["slippage_cash"] == 50.0


def test_what_was_not_told_of_a_fill_is_not_made_up() -> None:
    """No prediction, no fees: NaN, and counted."""
    found = report(one_fill(OATS, bid="370", ask="371", price="371"))

    row = only(found.currencies)
    assert pd.isna([row["predicted_cash"], row["compared_cash"], row["commission"]]).all()  # type: ignore[list-item]
    assert (row["predicted_fills"], row["without_fees"], row["slippage_cash"]) == (0, 1, 50.0)


def test_costs_are_those_of_transaction_cost_analysis() -> None:
    """Of whole orders a row each, of the day's fills alone a row a contract."""
    found = report(over_night(Story()), NEXT_DAY)

    assert only(found.costs)["filled_lots"] == 4
    assert only(found.costs)["trading_cash"] == 100.0
    assert (only(found.by_contract)["contract"], only(found.by_contract)["filled_lots"]) == ("ZOK6", 2)
    assert only(found.by_contract)["arrival_slippage_cash"] == 50.0


def test_equity_is_that_before_the_day_and_that_last_told_in_it() -> None:
    """Of a first day the first that was told; of none nothing is known."""
    story = Story()
    for at, equity in ((0, 100_000), (10, 101_000), (20, 99_000), (TO_THE_END_S + 5, 98_000)):
        figures = {"realised_pnl": None, "unrealised_pnl": Decimal(equity)}
        story.tell(ev.AccountReported(time_ns=ns(at), currency="USD", equity=Decimal(equity), **figures))
    story.tell(ev.Reconciled(time_ns=ns(4 * TO_THE_END_S), breaks=0, message=AGREE))

    first, second = (only(report(story, one).account) for one in ("2026-03-03", NEXT_DAY))

    assert [first[one] for one in ("equity_begin", "equity_end", "pnl", "lowest", "highest")] == [
        *(100_000, 99_000, -1_000),
        *(99_000, 101_000),
    ]
    assert [second[one] for one in ("equity_begin", "equity_end", "pnl")] == [99_000, 98_000, -1_000]
    assert second["pnl_percent"] == pytest.approx(-100 / 99)
    assert pd.isna(only(report(over_night(Story())).account)["pnl"])  # type: ignore[arg-type]


def test_positions_have_the_days_that_they_have_left() -> None:
    """At the day's end and its last mid; a notice day is known where a person has told it."""
    story = over_night(Story())
    story.journal.append_quote(top(OATS, "372", "374", time_ns=ns(TO_THE_END_S - 60)), "ZOK6")
    story.journal.append_quote(top(OATS, "400", "402", time_ns=ns(TO_THE_END_S + 60)), "ZOK6")
    facts = {"ZOK6": ContractFacts(first_notice=dt.date(2026, 4, 30))}

    plain, known = report(story), report(story, facts=facts)

    row = only(known.positions)
    assert (row["position"], row["mid"], row["value"]) == (2, 373.0, 37_300.0)
    assert (row["days_to_last_trade"], row["days_to_notice"], row["first_notice"]) == (72, 58, "2026-04-30")
    assert pd.isna(only(plain.positions)["days_to_notice"])  # type: ignore[arg-type]


# What befell the desk


def test_breaks_are_told_with_what_became_of_them() -> None:
    """A lock until it is opened, a difference until another comparison, lots of others at once."""
    story = Story()
    story.tell(ev.ContractLocked(time_ns=ns(1), con_id=1, local_symbol="ZOK6", order_ref=None, reason="2 lots more"))
    story.tell(ev.Reconciled(time_ns=ns(2), breaks=1, message="two orders nobody knows"))
    story.tell(ev.Reconciled(time_ns=ns(3), breaks=1, message="two orders nobody knows"))
    story.tell(ev.Reconciled(time_ns=ns(4), breaks=0, message=f"{AGREE}; the broker did not tell"))
    story.tell(ev.PositionAdopted(time_ns=ns(5), con_id=2, local_symbol="PAM6", others_lots=3, reason="theirs"))
    story.tell(ev.ContractUnlocked(time_ns=ns(TO_THE_END_S + 9), con_id=1, local_symbol="ZOK6", reason="I looked"))
    story.tell(ev.Reconciled(time_ns=ns(TO_THE_END_S + 99), breaks=1, message="a stray fill"))

    first, second = report(story), report(story, NEXT_DAY)

    assert first.breaks[["kind", "outcome"]].to_numpy().tolist() == [
        ["locked", "stood at the end of the day"],
        ["differs", "a later comparison found agreement"],
        ["adopted", "3 lots are held to be others' from then on"],
    ]
    assert second.breaks[["kind", "outcome"]].to_numpy().tolist() == [
        ["locked", "unlocked: I looked"],
        ["differs", "stood at the end of the day"],
    ]
    assert [(only(one.summary)["breaks"], only(one.summary)["breaks_open"]) for one in (first, second)] == [
        (3, 1),
        (1, 1),
    ]


def test_breakers_are_as_they_stood_and_halts_as_they_came() -> None:
    """Re-arming one leaves the others and the kill switch; re-arming all does not."""
    story = Story()
    trip = {"observed": 12.0, "limit": 10.0, "unit": "lots", "reason": "12 lots"}
    story.tell(ev.BreakerTripped(time_ns=ns(1), breaker="position_lots", con_id=1, local_symbol="ZOK6", **trip))
    story.tell(ev.BreakerTripped(time_ns=ns(2), breaker="daily_loss", **trip))
    story.tell(ev.Killed(time_ns=ns(3), reason="enough"))
    story.tell(ev.Rearmed(time_ns=ns(4), reason="looked at it", breaker="daily_loss"))
    story.tell(ev.Rearmed(time_ns=ns(TO_THE_END_S + 1), reason="a new day"))

    first, second = report(story), report(story, NEXT_DAY)

    states = first.breakers.set_index("breaker")
    assert states.loc[["position_lots", "daily_loss", "kill", "drawdown"], "state"].tolist() == [
        *("tripped", "rearmed"),
        *("tripped", "closed"),
    ]
    assert (states.loc["position_lots", "local_symbol"], states.loc["position_lots", "observed"]) == ("ZOK6", 12.0)
    assert first.halts["what"].tolist() == ["tripped", "tripped", "killed", "rearmed"]
    assert set(second.breakers["state"]) == {"closed", "rearmed"}
    assert second.breakers.set_index("breaker").loc["kill", "reason"] == "a new day"
    assert (only(second.summary)["trips"], only(first.summary)["trips"], only(first.summary)["kills"]) == (0, 2, 1)


def test_limits_are_told_with_who_changed_them_and_which_way() -> None:
    """Fewer days before the close-out are looser, fewer ticks tighter; back to the limit of all is neither."""
    story = Story()
    changes = (("collar_ticks", 120, 40), ("close_out_days", 20, 5), ("collar_ticks", 40, None))
    for at, (limit, old, new) in enumerate(changes):
        event = ev.LimitsChanged(time_ns=ns(at), limit=limit, symbol="ZO", old=old, new=new, reason="why", who="ann")
        story.tell(event)

    found = report(story).limits

    assert found["change"].tolist() == ["tightened", "loosened", "other"]
    assert found["unit"].tolist() == ["ticks", "days", "ticks"]
    assert set(found["who"]) == {"ann"}


def test_a_connection_is_lost_once_until_it_is_back() -> None:
    """Counted within the day; that a desk opens without one, or closes it with itself, is no loss."""
    story = Story()
    for at, state, message in (
        (-9, ConnectionState.DOWN, "not yet"),
        (-8, ConnectionState.UP, "here"),
        (10, ConnectionState.DEGRADED, "1100"),
        (20, ConnectionState.DOWN, "gone"),
        (40, ConnectionState.UP, "back"),
        (TO_THE_END_S - 60, ConnectionState.DOWN, "reset"),
        (TO_THE_END_S + 30, ConnectionState.UP, "back again"),
        (TO_THE_END_S + 90, ConnectionState.DOWN, CLOSED_BY_US),
        (TO_THE_END_S + 99, ConnectionState.UP, "a new desk"),
    ):
        story.tell(ev.ConnectionChanged(time_ns=ns(at), state=state, message=message))
    story.journal.append_quote(top(OATS, "370", "371", time_ns=ns(TO_THE_END_S - 1)), "ZOK6")

    first, second = report(story).connection, report(story, NEXT_DAY).connection

    assert first[["state", "message", "down_s"]].to_numpy().tolist() == [["down", "1100", 30], ["down", "reset", 59]]
    assert first["back"].isna().tolist() == [False, True]
    assert second["down_s"].tolist() == [30]


def test_refusals_are_counted_and_late_slices_told() -> None:
    """The same check of the same order is one row with its last words."""
    story = over_night(Story())
    for at, message in ((1, "31 s old"), (6, "36 s old")):
        refused = ev.ChildRefused(
            time_ns=ns(at),
            action=Action.PLACE,
            parent_id="P-0001",
            slice=1,
            order_ref=story.ref("P-0001", 1),
            check="quote_age",
            transient=True,
            message=message,
        )
        story.tell(refused)
    story.tell(ev.SliceDelayed(time_ns=ns(7), parent_id="P-0001", slice=2, late_ns=90 * NS_PER_S))

    found = report(story)

    row = only(found.refusals)
    assert [row[one] for one in ("check", "action", "times", "message")] == ["quote_age", "place", 2, "36 s old"]
    assert [only(found.late)[one] for one in ("slice", "late_s", "local_symbol")] == [2, 90.0, "ZOK6"]
    assert (only(found.summary)["gate_refusals"], only(found.summary)["late_slices"]) == (2, 1)


# Shape


def test_a_day_without_anything_is_empty_and_whole() -> None:
    """Every frame has its columns and dtypes, as of a full day."""
    story = over_night(Story())

    full, empty = report(story), report(story, NEXT_DAY, now_ns=None)
    nothing = daily_report(story.journal, "2026-03-05", now_ns=ns(6 * TO_THE_END_S))

    for name in COLUMNS:
        assert nothing.frames[name].dtypes.equals(full.frames[name].dtypes), name
        assert list(nothing.frames[name]) == [one.name for one in COLUMNS[name]]
    assert (only(nothing.summary)["orders"], only(empty.summary)["orders"]) == (0, 1)
    assert nothing.positions["position"].tolist() == [4]


def test_every_frame_is_an_attribute_and_on_the_page_of_columns() -> None:
    """By the name that it has among the frames; those that others have too are described there."""
    found = report(told())

    assert all(getattr(found, name) is frame for name, frame in found.frames.items())
    assert {f"daily.{name}" for name in OWN} <= set(FRAMES)
    assert set(COLUMNS) - set(OWN) <= {*FRAMES, "costs", "predictions"}
