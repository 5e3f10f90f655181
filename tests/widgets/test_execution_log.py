"""The log of an execution: which events are told, in which words, and how often."""

import re
from decimal import Decimal

from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ChildOrder, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.units import Side
from hydra_nb.widgets.execution_log import lines, log_pane

from .hand_made import OATS, order, utc

PARENT = "P-0412"
REF = "hy:0a1b:P-0412:2:1"


def at(time: str) -> int:
    """UTC nanoseconds of a time of the day of the samples."""
    return int(utc(time).value)


def told(*story: ev.Event) -> list[str]:
    """The words of the lines, newest first."""
    return [line.words for line in lines(story, order(), checks=18)]


def refused(time: str, *, transient: bool = True, check: str = "quote_age") -> ev.ChildRefused:
    """The gate refused an order of the second slice."""
    return ev.ChildRefused(
        time_ns=at(time),
        action=Action.PLACE,
        parent_id=PARENT,
        slice=2,
        order_ref=REF,
        check=check,
        transient=transient,
        message="the quote is 31.0 s old, 30 s allowed",
    )


def fill(time: str, *, lots: int = 1, revision: int = 1, side: Side = Side.BUY) -> ev.ExecutionReported:
    """A fill of the second slice, or a correction of it."""
    return ev.ExecutionReported(
        time_ns=at(time),
        order_ref=REF,
        order_id=7,
        perm_id=9,
        exec_id=f"0001.{revision:02d}",
        family="0001",
        revision=revision,
        con_id=OATS.con_id,
        side=side,
        lots=lots,
        price=Decimal("369.75"),
        executed_ns=at(time),
        quote=None,
    )


def slice_over(time: str, *, status: SliceStatus, reason: str, carried: int = 0) -> ev.SliceFinished:
    """The second slice ended with two lots filled."""
    return ev.SliceFinished(
        time_ns=at(time),
        parent_id=PARENT,
        slice=2,
        filled_lots=2,
        carried_lots=carried,
        status=status,
        reason=reason,
    )


def test_a_fill_names_lots_price_stage_and_slice() -> None:
    """The stage is that of the terms in force, which tell nothing themselves."""
    child = ChildOrder(
        order_ref=REF,
        order_id=7,
        parent_id=PARENT,
        slice=2,
        account="SIM0007QF",
        contract=OATS,
        side=Side.BUY,
        lots=3,
        limit_price=Decimal("369.75"),
        expires_ns=at("15:34:00"),
        stage=Stage.STEP,
    )
    terms = ev.ChildReserved(
        time_ns=at("15:28:00"),
        action=Action.PLACE,
        child=child,
        client_id=1,
        content_hash=child.content_hash,
        quote=None,
        predicted_slippage=None,
        predictor_version=None,
    )

    assert told(terms, fill("15:28:02")) == ["Bought 1 at 369.75, step, slice 2."]
    assert told(fill("15:28:02", side=Side.SELL)) == ["Sold 1 at 369.75, slice 2."]


def test_corrections_and_broken_fills_are_not_told_as_new_fills() -> None:
    """A later revision is a correction, one of no lots a bust."""
    assert told(fill("15:28:02", revision=2)) == ["Corrected: 1 at 369.75, slice 2."]
    assert told(fill("15:28:02", revision=3, lots=0)) == [
        "The exchange broke a fill, slice 2: its lots count as not filled."
    ]


def test_the_same_refusal_again_and_again_is_one_line() -> None:
    """Asked every five seconds, told once, with how often and since when."""
    pane = log_pane(
        lines([refused("15:28:00"), refused("15:28:05"), refused("15:28:10")], order(), checks=0),
        time_zone=OATS.time_zone,
    )

    words = re.sub(r"<[^>]+>", " ", pane)
    assert words.count("was refused") == 1
    assert "3 times since 09:28:00." in words


def test_another_refusal_is_another_line() -> None:
    """What is refused by another check, or for good, is told apart."""
    lines_told = told(refused("15:28:00"), refused("15:28:05", check="spread"), refused("15:28:10", transient=False))

    assert len(lines_told) == 3
    assert not lines_told[0].endswith("Asked again until the slice ends.")


def test_a_slice_that_a_busy_cell_delayed_is_told_once_and_fully() -> None:
    """The sentence of the design; the shorter one, told a moment before, gives way to it."""
    delayed = ev.SliceDelayed(time_ns=at("15:47:01"), parent_id=PARENT, slice=2, late_ns=41_000_000_000)
    reason = "A busy cell delayed slice 2 by 41 s; its lots were re-spread."

    assert told(delayed) == ["A busy cell delayed slice 2 by 41 s."]
    assert told(delayed, slice_over("15:47:01", status=SliceStatus.MISSED, reason=reason)) == [reason]


def test_a_slice_that_ended_short_says_where_its_lots_went() -> None:
    """Carried lots are told; a filled slice shows by its fills."""
    short = slice_over("15:34:26", status=SliceStatus.PARTIAL, reason="the ladder ended", carried=1)

    assert told(short) == ["Slice 2 ended short, 2 filled: the ladder ended. 1 lot added to later slices."]
    assert told(slice_over("15:34:26", status=SliceStatus.FILLED, reason="")) == []


def test_faults_are_told_in_words_and_never_with_the_text_of_a_foreign_error() -> None:
    """An unforeseen error may name paths: only its kind is shown."""
    failed = ev.TaskFailed(
        time_ns=at("15:34:26"), parent_id=PARENT, where="Propose", error="ValueError: /home/someone/secret"
    )
    down = ev.ConnectionChanged(time_ns=at("15:34:27"), state=ConnectionState.DOWN, message="127.0.0.1:4002 refused")
    said = ev.BrokerErrorReported(time_ns=at("15:34:28"), order_ref=REF, code=201, message="Order rejected")
    news = ev.BrokerErrorReported(time_ns=at("15:34:29"), order_ref=None, code=2104, message="Farm is OK:usfarm")

    assert told(failed, down, said, news) == [
        "The broker said 201: Order rejected.",
        "The link to the broker is down.",
        "An unexpected error (ValueError) halted the order. See the journal.",
    ]


def test_no_account_number_is_in_what_the_broker_said() -> None:
    """A log is saved with its notebook: neither the desk's own account stands in it, nor one of another form."""
    words = "201: Order rejected: account SIM0007QF of U1234567 has no permission"
    said = ev.BrokerErrorReported(time_ns=at("15:34:28"), order_ref=REF, code=201, message=words)
    over = ev.ParentFinished(time_ns=at("15:34:29"), parent_id=PARENT, status=ParentStatus.PARTIAL, reason=words)

    shown = told(said, slice_over("15:34:28", status=SliceStatus.PARTIAL, reason=words), over)

    assert len(shown) == 3
    for line in shown:
        assert "account SIM•••QF of U•••67 has no permission." in line


def test_gestures_and_the_end_are_told() -> None:
    """Pause, resume, cancel, kill, and how it ended."""
    story = (
        ev.ParentPaused(time_ns=at("15:30:00"), parent_id=PARENT),
        ev.ParentResumed(time_ns=at("15:31:00"), parent_id=PARENT),
        ev.ParentCancelAsked(time_ns=at("15:32:00"), parent_id=PARENT, reason="cancelled by hand"),
        ev.Killed(time_ns=at("15:33:00"), reason="wrong contract"),
        ev.ParentFinished(
            time_ns=at("15:34:00"), parent_id=PARENT, status=ParentStatus.CANCELLED, reason="2 of 13 lots filled"
        ),
    )

    assert told(*story) == [
        "Cancelled: 2 of 13 lots filled.",
        "Killed: wrong contract.",
        "Cancel: cancelled by hand.",
        "Resumed; what is left moved by the time it stood.",
        "Paused by hand.",
    ]


def test_the_newest_lines_show_and_the_others_fold() -> None:
    """Eight lines beside five rows of slices: five show, three fold; words from outside are escaped."""
    story = [fill(f"15:28:0{second}") for second in range(7)]
    odd = ev.BrokerErrorReported(time_ns=at("15:29:00"), order_ref=REF, code=201, message="<script>")

    pane = log_pane(lines([*story, odd], order(), checks=0), time_zone=OATS.time_zone)

    shown, _, folded = pane.partition("<details>")
    assert (shown.count("<li>"), folded.count("<li>")) == (5, 3)
    assert "<summary>Show the other 3</summary>" in folded
    assert "<script>" not in pane


def test_a_limit_that_changed_is_told_where_it_is_that_of_all_or_of_the_symbol() -> None:
    """With its reason, and without who changed it: what a cell shows is saved, and seen by others."""

    def change(symbol: str, old: float | None, new: float | None, reason: str) -> ev.LimitsChanged:
        who = "somebody"
        return ev.LimitsChanged(
            time_ns=at("14:40:00"), limit="collar_ticks", symbol=symbol, old=old, new=new, reason=reason, who=who
        )

    words = told(change("*", 120, 40, ""), change("ZO", None, 60, "wider spreads"), change("PA", 120, 40, "thin"))

    assert words == ["Limit collar_ticks of ZO, none → 60: wider spreads.", "Limit collar_ticks, 120 → 40."]


def test_a_tripped_breaker_and_its_re_arming_are_told() -> None:
    """With what it found, and with the words of who looked."""
    trip = ev.BreakerTripped(
        time_ns=at("15:00:00"),
        breaker="daily_loss",
        observed=10_250.0,
        limit=10_000.0,
        unit="USD",
        reason="Lost 10,250.00 USD today, 10,000.00 allowed",
    )
    rearmed = ev.Rearmed(time_ns=at("15:10:00"), reason="a slip of the feed", breaker="daily_loss")

    assert told(trip, rearmed) == [
        "Re-armed: a slip of the feed.",
        "Breaker daily_loss tripped: Lost 10,250.00 USD today, 10,000.00 allowed.",
    ]
