"""Stages of child orders: what was open, what filled and when, and what ended them, as the journal tells it."""

from decimal import Decimal

import pandas as pd
import pytest

from hydra_nb.analysis import frames
from hydra_nb.analysis.patience_columns import STAGES
from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import Action, Stage

from .story import OATS, PALLADIUM, Story, ns, one_fill, plan_for, top

QUOTE = top(OATS, "370", "372")


def placed(lots: int = 5) -> tuple[Story, str]:
    """An order of the first slice, sent at 1 s at the mid, with a spread of 8 ticks."""
    story, plan = Story(), plan_for(OATS, lots)
    story.submitted("P-0001", plan, QUOTE)
    ref = story.gated("P-0001", 1, plan=plan, price="371", quote=QUOTE, at=0.5)
    story.sent(ref, at=1)
    return story, ref


def modified(story: Story, *, stage: Stage, price: str, at: float, lots: int = 5, is_sent: bool = True) -> None:
    """The order of the first slice went to another stage."""
    ref = story.gated("P-0001", 1, plan=plan_for(OATS, lots), price=price, quote=QUOTE, at=at, stage=stage)
    if is_sent:
        story.sent(ref, at=at, action=Action.MODIFY)


def cancelled(story: Story, ref: str, *, at: float, is_asked: bool = True) -> None:
    """The wire calls the order cancelled, half a second after it was asked for."""
    if is_asked:
        story.tell(ev.CancelRequested(time_ns=ns(at - 0.5), order_ref=ref, reason="the ladder ended"))
    story.tell(
        ev.OrderStatusReported(
            time_ns=ns(at),
            order_ref=ref,
            order_id=12,
            perm_id=9001,
            status="Cancelled",
            filled_lots=0,
            remaining_lots=5,
        )
    )


def proven_dead(story: Story, ref: str, *, at: float, executed: int = 0) -> None:
    """All answers say that it is gone."""
    story.tell(
        ev.DeathProbed(time_ns=ns(at), order_ref=ref, still_open=False, executed_lots=executed, broker_ns=ns(int(at)))
    )


def refused(story: Story, ref: str, *, at: float) -> None:
    """The broker refuses the last place or modify."""
    story.tell(ev.BrokerErrorReported(time_ns=ns(at), order_ref=ref, code=201, message="Order rejected"))


def facts(frame: pd.DataFrame, *names: str) -> list[tuple[object, ...]]:
    """The rows of these columns."""
    return [tuple(row) for row in frame[list(names)].astype(object).itertuples(index=False)]


def test_a_ladder_gives_a_row_a_stage_with_the_lots_that_were_open() -> None:
    """Five lots: two fill at mid, one a step better, two across."""
    story, ref = placed()
    story.filled(ref, "0001.01.01", 2, "371", at=11)
    modified(story, stage=Stage.STEP, price="371.25", at=21)
    story.filled(ref, "0002.01.01", 1, "371.25", at=22.5)
    modified(story, stage=Stage.CROSS, price="372", at=31)
    story.filled(ref, "0003.01.01", 1, "372", at=31.25)
    story.filled(ref, "0004.01.01", 1, "372", at=32)

    frame = frames.stages(story.journal)

    assert facts(frame, "stage", "lots", "filled_lots", "limit_price", "ended_by") == [
        ("mid", 5, 2, 371.0, "next_stage"),
        ("step", 3, 1, 371.25, "next_stage"),
        ("cross", 2, 2, 372.0, "filled"),
    ]
    assert facts(frame, "worked_s", "first_fill_s", "last_fill_s", "filled_at") == [
        (20.0, 10.0, 10.0, "2@10.000000"),
        (10.0, 1.5, 1.5, "1@1.500000"),
        (1.0, 0.25, 1.0, "1@0.250000 1@1.000000"),
    ]
    assert frame["spread_ticks"].tolist() == [8.0, 8.0, 8.0]
    assert facts(frame, "weekday", "hour")[0] == (2, 9)  # a Tuesday, 15:00 UTC, in Chicago
    assert frame["ended"].tolist() == pd.to_datetime([ns(21), ns(31), ns(32)], utc=True).tolist()


def test_columns_and_dtypes_are_the_same_with_and_without_rows() -> None:
    """An empty journal gives the same frame."""
    for story in (Story(), placed()[0]):
        frame = frames.stages(story.journal)

        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {one.name: str(one.kind) for one in STAGES}


@pytest.mark.parametrize(
    ("is_asked", "at", "ended_by", "ended_at"), [(True, 20.5, "cancelled", 20.5), (False, 31.5, "expired", 30)]
)
def test_an_order_that_ends_unfilled_was_cancelled_or_expired(
    is_asked: bool, at: float, ended_by: str, ended_at: float
) -> None:
    """Without a cancel of ours the wire's word after its expiry (30 s) is the expiry; a proof of death adds nothing."""
    story, ref = placed()
    cancelled(story, ref, at=at, is_asked=is_asked)
    proven_dead(story, ref, at=at + 5)

    frame = frames.stages(story.journal)

    assert facts(frame, "ended_by", "filled_lots", "worked_s") == [(ended_by, 0, ended_at - 1)]
    assert frame["first_fill_s"].isna().all()
    assert frame["filled_at"].tolist() == [""]


def test_an_order_that_both_clocks_prove_dead_ended_at_its_expiry() -> None:
    """No word of the wire came."""
    story, ref = placed()
    proven_dead(story, ref, at=60)

    assert facts(frames.stages(story.journal), "ended_by", "worked_s") == [("expired", 29.0)]


def test_a_stage_at_work_has_no_end_and_counts_up_to_the_newest_fact() -> None:
    """So that its open lots count as unfilled until then, and no longer."""
    story, _ = placed()
    story.journal.append_quote(top(OATS, "370", "372", time_ns=ns(16)), "ZOK6")

    frame = frames.stages(story.journal)

    assert facts(frame, "ended_by", "worked_s") == [("working", 15.0)]
    assert frame["ended"].isna().all()


def test_an_order_nobody_answers_for_is_unknown_since_it_was_last_heard_of() -> None:
    """What came of it meanwhile is not made up."""
    story, ref = placed()
    story.tell(ev.AckTimedOut(time_ns=ns(9), order_ref=ref))
    story.journal.append_quote(top(OATS, "370", "372", time_ns=ns(90)), "ZOK6")

    frame = frames.stages(story.journal)

    assert facts(frame, "ended_by", "worked_s") == [("unknown", 8.0)]


def test_a_modify_that_was_refused_began_no_stage() -> None:
    """The order stayed where it was, and so do its fills."""
    story, ref = placed()
    modified(story, stage=Stage.STEP, price="371.25", at=21)
    story.filled(ref, "0001.01.01", 1, "371", at=21.2)
    refused(story, ref, at=21.5)
    story.filled(ref, "0002.01.01", 4, "371", at=26)

    frame = frames.stages(story.journal)

    assert facts(frame, "stage", "filled_at", "ended_by") == [("mid", "1@20.200000 4@25.000000", "filled")]


def test_a_modify_that_never_left_began_no_stage() -> None:
    """It was gated, and its sending failed."""
    story, ref = placed()
    modified(story, stage=Stage.STEP, price="371.25", at=21, is_sent=False)
    story.tell(ev.SendFailed(time_ns=ns(21.5), order_ref=ref, action=Action.MODIFY, reason="the link is down"))

    assert frames.stages(story.journal)["stage"].tolist() == ["mid"]


def test_an_order_that_was_never_sent_has_no_stage_but_one_that_the_broker_knows_has() -> None:
    """A crash between the sending and its note is no proof that nothing left."""
    silent, known = Story(), Story()
    for story in (silent, known):
        plan = plan_for(OATS, 2)
        story.submitted("P-0001", plan, QUOTE)
        ref = story.gated("P-0001", 1, plan=plan, price="371", quote=QUOTE, at=1)
    known.filled(ref, "0001.01.01", 2, "371", at=4)

    assert frames.stages(silent.journal).empty
    assert facts(frames.stages(known.journal), "filled_at", "ended_by") == [("2@3.000000", "filled")]


def test_a_correction_counts_as_if_it_had_always_been_so() -> None:
    """Three lots at mid become two, so that three were open when the next stage began; a bust filled nothing."""
    story, ref = placed()
    story.filled(ref, "0001.01.01", 3, "371", at=11)
    story.filled(ref, "0009.01.01", 1, "371", at=12)
    modified(story, stage=Stage.STEP, price="371.25", at=21)
    story.filled(ref, "0001.01.02", 2, "371", at=25)
    story.filled(ref, "0009.01.02", 0, "371", at=26)
    story.filled(ref, "0001.01.01", 3, "371", at=27)  # told once more

    frame = frames.stages(story.journal)

    assert facts(frame, "stage", "lots", "filled_at") == [("mid", 5, "2@10.000000"), ("step", 3, "")]


def test_a_fill_told_after_the_cancel_is_a_fill() -> None:
    """And the stage lasted until then."""
    story, ref = placed()
    cancelled(story, ref, at=20)
    story.filled(ref, "0001.01.01", 2, "371", at=21)
    proven_dead(story, ref, at=25, executed=2)

    assert facts(frames.stages(story.journal), "filled_lots", "worked_s", "ended_by") == [(2, 20.0, "cancelled")]


def test_filters_are_those_of_the_other_frames() -> None:
    """By parent, symbol and the time at which the stage began."""
    story, _ = placed()
    plan = plan_for(PALLADIUM, 2, mid="1000")
    quote = top(PALLADIUM, "999.5", "1000.5")
    story.submitted("P-0002", plan, quote, at=50)
    story.sent(story.gated("P-0002", 1, plan=plan, price="1000", quote=quote, at=60), at=60)

    for wanted, found in (
        ({"parent_id": "P-0002"}, ["P-0002"]),
        ({"symbol": "ZO"}, ["P-0001"]),
        ({"symbol": "PAM6"}, ["P-0002"]),
        ({"since": pd.Timestamp(ns(30), tz="UTC")}, ["P-0002"]),
        ({"until": pd.Timestamp(ns(30), tz="UTC")}, ["P-0001"]),
        ({}, ["P-0001", "P-0002"]),
    ):
        assert frames.stages(story.journal, **wanted)["parent_id"].tolist() == found  # type: ignore[arg-type]


def test_a_spread_that_did_not_show_is_not_known() -> None:
    """A crossed quote has none either."""
    crossed = one_fill(OATS, bid="371", ask="371", price="371")

    assert frames.stages(crossed.journal)["spread_ticks"].isna().all()
    assert Decimal("371") == Decimal(str(frames.stages(crossed.journal)["limit_price"].iloc[0]))
