"""What the report of a day tells of the cycles of runners, and of alerts that are over."""

import datetime as dt
import math
import re
from pathlib import Path
from typing import Any

from hydra_nb.analysis.cycles import cycles
from hydra_nb.analysis.daily import read_daily_report
from hydra_nb.analysis.daily.facts import gather
from hydra_nb.analysis.daily.sections import head
from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events import CycleStatus
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentStatus, SliceStatus
from hydra_nb.domain.units import Side
from hydra_nb.reconcile.reconciler import AGREE

from .story import OATS, Story, ns, plan_for, top
from .test_daily import NEXT_DAY, TO_THE_END_S, only, report
from .test_daily_page import page_of

TRADE_DATE = dt.date(2026, 3, 3)


def began(story: Story, *, at: float) -> None:
    """The cycle of the day began."""
    due_ns = ns(at)
    cycle = ev.CycleBegan(time_ns=due_ns, cycle_id="C-0001", name="oats", day=TRADE_DATE, dry_run=False, due_ns=due_ns)
    story.tell(cycle)


def ended(
    story: Story,
    status: CycleStatus,
    *,
    at: float,
    cycle_id: str = "C-0001",
    dry_run: bool = False,
    basket_id: str | None = None,
    message: str = "so it was",
) -> None:
    """A cycle is over, or does not begin."""
    story.tell(
        ev.CycleEnded(
            time_ns=ns(at),
            cycle_id=cycle_id,
            name="oats",
            day=TRADE_DATE,
            dry_run=dry_run,
            status=status,
            basket_id=basket_id,
            orders=0,
            message=message,
        )
    )


def with_a_basket(story: Story, *quotes: Quote | None) -> None:
    """The cycle of the day ordered two lots for each quote, which filled a tick above 370.5; and it ended well."""
    plans = [plan_for(OATS, 2, tag=f"row {number}") for number in range(len(quotes))]
    rows = tuple(
        ev.BasketRow(
            row=str(number),
            local_symbol=OATS.local_symbol,
            side=Side.BUY,
            lots=2,
            target=None,
            is_at_target=False,
            parent_id=f"P-000{number + 1}",
            plan_id=plan.plan_id,
            reason="",
        )
        for number, plan in enumerate(plans)
    )
    began(story, at=0)
    story.tell(ev.CycleOrdered(time_ns=ns(0), cycle_id="C-0001", basket_id="B-1", orders=len(rows)))
    story.tell(ev.BasketSubmitted(time_ns=ns(0), basket_id="B-1", on_refusal="continue", rows=rows))
    for number, (plan, quote) in enumerate(zip(plans, quotes, strict=True), 1):
        parent_id = f"P-000{number}"
        story.submitted(parent_id, plan, quote)
        ref = story.gated(parent_id, 1, plan=plan, price="370.75", quote=quote, at=1)
        story.sent(ref, at=1)
        story.filled(ref, f"000{number}.01.01", 2, "370.75", at=2, quote=quote)
        story.slice_over(parent_id, 1, filled=2, carried=0, status=SliceStatus.FILLED, at=3)
        story.over(parent_id, status=ParentStatus.FILLED, at=3)
    ended(story, CycleStatus.DONE, at=4, basket_id="B-1")


def test_a_cost_of_a_cycle_is_not_known_where_one_of_its_orders_has_no_arrival() -> None:
    """An order that filled nothing has no cost; one that did, and whose arrival nobody saw, is no order for nothing."""
    known, unknown, halved = Story(), Story(), Story()
    quote = top(OATS, "370", "371")

    with_a_basket(known, quote)
    with_a_basket(unknown, None)
    with_a_basket(halved, None, quote)

    costs = [only(cycles(story.journal))["slippage_cash"] for story in (known, unknown, halved)]
    assert costs[0] == 25.0  # a tick of 12.50 USD, two lots
    assert all(map(math.isnan, costs[1:]))


def until_the_next_day(story: Story) -> Story:
    """So that the day is over."""
    story.tell(ev.Reconciled(time_ns=ns(TO_THE_END_S + 9_000), breaks=0, message=AGREE))
    return story


def headline(story: Story, date: str = "2026-03-03") -> tuple[str, list[tuple[str, str, str]]]:
    """What the page of a day says in short, and what to look at: whether it stands, the section, the words."""
    shown = head(gather(story.journal, date))
    [short] = re.findall(r'<span class="status \w+">(.*?)</span>', shown)
    return short, re.findall(r'<li class="(\w+)"><a href="#(\w+)">(.*?)</a>', shown)


def test_a_day_whose_cycles_went_wrong_is_not_quiet(tmp_path: Path) -> None:
    """It says of each which one and why, also of a dry run and where it never began."""
    story, ends = (
        Story(),
        {
            CycleStatus.FAILED: "failed",
            CycleStatus.MISSED: "was missed",
            CycleStatus.SKIPPED: "was skipped",
            CycleStatus.SHORT: "ended short",
            CycleStatus.REFUSED: "was refused",
            CycleStatus.INTERRUPTED: "was interrupted",
        },
    )
    for number, status in enumerate(ends, 1):
        ended(story, status, cycle_id=f"C-{number:04d}", at=number, dry_run=status is CycleStatus.REFUSED)

    page_of(until_the_next_day(story), tmp_path)

    short, looks = headline(story)
    kinds = ["dry run" if status is CycleStatus.REFUSED else "cycle" for status in ends]
    assert short == "nothing open"
    assert looks == [
        ("over", "cycles", f"{kind} C-{number:04d} of oats, 2026-03-03, {words}: so it was")
        for number, (kind, words) in enumerate(zip(kinds, ends.values(), strict=True), 1)
    ]
    assert re.findall(r"<li>○ (.*?)</li>", report(story)._repr_html_()) == [words for *_, words in looks]
    assert read_daily_report(tmp_path / "day.html")["cycles"]["status"].tolist() == list(ends)
    assert (only(report(story).summary)["cycles"], only(report(story).summary)["cycles_not_well"]) == (6, 6)


def test_a_day_whose_cycles_went_well_is_quiet() -> None:
    """They stand in their section; the next day knows nothing of them."""
    story = Story()
    began(story, at=60)
    ended(story, CycleStatus.DONE, at=90)
    ended(story, CycleStatus.DRY_RUN, cycle_id="C-0002", at=91, dry_run=True)

    row = only(report(until_the_next_day(story)).summary)

    assert headline(story) == ("quiet", [])
    assert (row["cycles"], row["cycles_not_well"]) == (2, 0)
    assert report(story, NEXT_DAY).cycles.empty


def test_a_cycle_without_an_end_stands_once_the_day_is_over(tmp_path: Path) -> None:
    """Until then it may be at work. What is told of it later changes nothing of its day, and stands in that one."""
    story = Story()
    began(story, at=60)
    going = headline(story)
    over = headline(until_the_next_day(story))
    page = page_of(story, tmp_path)
    ended(story, CycleStatus.INTERRUPTED, at=TO_THE_END_S + 9_100, message="w" * 900)

    after = headline(story, NEXT_DAY)

    name = "cycle C-0001 of oats, 2026-03-03"
    assert going == ("nothing open", [("over", "cycles", f"{name}, was not over yet")])
    assert over == ("1 matter open", [("stands", "cycles", f"{name}, was not over when the day ended")])
    assert page_of(story, tmp_path) == page
    assert after[1] == [("over", "cycles", f"{name}, was interrupted: {'w' * 200}…")]
    assert only(report(story, NEXT_DAY).cycles)["message"] == "w" * 900


def test_a_day_with_an_alert_that_is_over_is_not_quiet() -> None:
    """Of several those that stand are told apart; the day after is quiet again."""
    story = Story()
    about: dict[str, Any] = {
        "kind": AlertKind.BEHIND_SCHEDULE,
        "local_symbol": "ZOK6",
        "parent_id": "P-0001",
        "sentence": "2 lots due",
    }
    for number in range(2):
        story.tell(ev.AlertRaised(time_ns=ns(number), subject=f"{number}", severity=Severity.WARNING, **about))
    story.tell(ev.AlertCleared(time_ns=ns(400), subject="0", **about))
    going = headline(story)
    story.tell(ev.AlertCleared(time_ns=ns(500), subject="1", **about))

    over, after = headline(until_the_next_day(story)), headline(story, NEXT_DAY)

    assert going == (
        "1 matter open",
        [("stands", "alerts", "1 alert not over"), ("over", "alerts", "1 alert raised and over")],
    )
    assert over == ("nothing open", [("over", "alerts", "2 alerts raised and over")])
    assert after == ("quiet", [])


def test_what_is_out_of_the_ordinary_is_told_and_what_the_broker_notes_is_not() -> None:
    """Each sign-on brings notices that are about no order; a head that could not be written is nobody's notice."""
    story = Story()
    story.tell(ev.BrokerErrorReported(time_ns=ns(1), order_ref=None, code=2104, message="farm is OK"))
    noted = headline(story)
    story.tell(ev.HeadExportFailed(time_ns=ns(2), reason="no room"))

    odd = headline(story)

    assert noted == ("quiet", [])
    assert odd == ("nothing open", [("over", "connection", "1 other event out of the ordinary")])
