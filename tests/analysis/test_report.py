"""The report of an order: whole, on one page, of nobody's account, and the same each time."""

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import plotly.io as pio
import pytest

from hydra_nb.analysis import frames
from hydra_nb.analysis.report import read_report, write_report
from hydra_nb.analysis.report.facts import AUDIT, gather
from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.plan import Prediction
from hydra_nb.domain.rehearsed_cost import RehearsedCost
from hydra_nb.errors import AnalysisError, InvalidOrder

from .report_story import MARKUP, OTHER_ACCOUNT, page_of, told
from .story import ACCOUNT, OATS, Story, ns, plan_for, top

REHEARSED = RehearsedCost(
    paths=130,
    known_paths=130,
    mean_error_ticks=0.1,
    low_ticks=-1.0,
    high_ticks=4.0,
    level=0.9,
    completed=1.0,
    market="ThinMarket",
    world="0f0f0f",
    seed=1,
    formula_slippage=Decimal("0.4"),
)


def without_plotly(page: str) -> str:
    """The page without the library, which is full of addresses that nothing asks for."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


class Outline(HTMLParser):
    """What stands on a page: its elements in order, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element down."""
        self.found.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of these kinds."""
        return [attributes for tag, attributes in self.found if tag in tags]


# What it needs, and what it says of the account


def test_a_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    """No address that a browser would load, and a policy by which it loads none."""
    page = page_of(told(), tmp_path)

    outline, text = Outline(without_plotly(page)), without_plotly(page)
    assert all((href or "").startswith("#") for one in outline.of("a") for href in [one.get("href")])
    assert not [one for tag, one in outline.found if tag != "a" and ({"src", "href", "srcset"} & one.keys())]
    assert not outline.of("link", "iframe", "object", "embed", "img")
    assert "http:" not in text
    assert "https:" not in text
    assert not re.search(r"url\(|@import", text)
    assert "content=\"default-src 'none'; script-src 'sha256-" in text
    assert page.count("<script>") == 2  # plotly once, and what calls it


def test_the_account_is_nowhere_on_the_page(tmp_path: Path) -> None:
    """Not in the tag, not in what the broker wrote, not in the data; nor any other that looks like one."""
    story = told(tag=f"for {ACCOUNT}")

    page = page_of(story, tmp_path)

    assert ACCOUNT not in page
    assert OTHER_ACCOUNT not in page
    assert "SIM•••QF" in page
    assert "tagged “for SIM•••QF”" in page


def test_no_hash_on_the_page_tells_the_account(tmp_path: Path) -> None:
    """Of a child order all but the account is on the page, so that its hash would tell it to who tries all numbers."""
    story = told()

    page = page_of(story, tmp_path)

    rows = list(story.journal.event_rows())
    contents = {event.content_hash for _, event in story.journal.events(kinds=(ev.ChildReserved,))}  # type: ignore[attr-defined]
    assert len(contents) == 3
    assert not [one for one in contents if one[:12] in page]
    shown = [row.seq for row in rows if row.hash[:12] in page]
    assert shown == [2, rows[-1].seq]  # the submission and the end


def test_what_people_write_is_text(tmp_path: Path) -> None:
    """A tag with markup neither ends the data nor makes an element."""
    story = told(tag=MARKUP)

    page = page_of(story, tmp_path)

    assert MARKUP not in page
    assert "&lt;/script&gt;&lt;b&gt;x &amp; &#x27;y&#x27;" in page
    assert not Outline(without_plotly(page)).of("b")
    assert read_report(tmp_path / "report.html").frames["executions"]["tag"].tolist() == [MARKUP]


# What it tells


def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the page is of the moment in which it was made."""
    story = told()

    first = write_report(story.journal, "P-0001", tmp_path / "a.html")
    second = write_report(story.journal, "P-0001", tmp_path / "b.html")

    assert first.read_bytes() == second.read_bytes()


def test_the_settings_of_who_makes_it_do_not_change_the_page(tmp_path: Path) -> None:
    """Plotly's default template is the notebook's own, and pandas' way of showing numbers too."""
    story, before = told(), pio.templates.default
    plain = write_report(story.journal, "P-0001", tmp_path / "a.html")

    pio.templates.default = "plotly_dark"
    try:
        with pd.option_context("display.precision", 1):
            other = write_report(story.journal, "P-0001", tmp_path / "b.html")
    finally:
        pio.templates.default = before

    assert plain.read_bytes() == other.read_bytes()


def test_the_frames_are_read_back_as_they_were(tmp_path: Path) -> None:
    """Every value, dtype and column; of texts those with the account masked."""
    story = told()
    page_of(story, tmp_path)

    report = read_report(tmp_path / "report.html")

    for name, make in (("fills", frames.fills), ("slices", frames.slices), ("decisions", frames.decisions)):
        pd.testing.assert_frame_equal(report.frames[name], make(story.journal, parent_id="P-0001"))
    pd.testing.assert_frame_equal(report.frames["quotes"], frames.quotes(story.journal, until=ns(170)))
    assert (report.parent_id, report.account) == ("P-0001", "SIM•••QF")
    assert report.as_of == pd.Timestamp(ns(170), tz="UTC")
    rows = list(story.journal.event_rows())
    assert report.chain == {
        name: {"seq": row.seq, "hash": row.hash} for name, row in (("first", rows[1]), ("last", rows[-1]))
    }
    assert report.contract["tick"] == "0.25"
    assert list(report.frames["audit"]) == [one.name for one in AUDIT]


def test_a_number_that_was_changed_is_noticed(tmp_path: Path) -> None:
    """The error says what to do; a page of somebody else is none of ours."""
    page = page_of(told(), tmp_path)
    changed, strange = tmp_path / "changed.html", tmp_path / "strange.html"
    changed.write_text(page.replace("370.5,", "369.5,"), encoding="utf-8")
    strange.write_text("<html></html>", encoding="utf-8")

    with pytest.raises(AnalysisError, match=r"were changed.*make the report anew"):
        read_report(changed)
    with pytest.raises(AnalysisError, match="not a report"):
        read_report(strange)


def test_the_page_tells_the_order_in_words_and_figures(tmp_path: Path) -> None:
    """Order, state, fills, slippage, limits at submission, refusals, disturbances: from the journal, and by hand."""
    page = page_of(told(), tmp_path)

    for words in (
        "Buy 5 lots of Oats May 2026 at CBOT, as TWAP in 2 slices over 3 min 20 s, without a price limit.",
        "Submitted Tue 03 Mar 2026, 09:00:00 CST (15:00:00 UTC).",
        "partly filled",
        "3 of 5 lots",
        "370.8333",  # (370.5 + 2 × 371) / 3
        "+1.33 ticks",  # a third of a point over 370.5
        "+50.00 USD",  # one point over all, 50 USD a point
        "collar_ticks",
        "50 ticks, 40 allowed",
        "Connection down: gone",
        "No way to the broker of SIM•••QF.",
    ):
        assert words in page, words


def test_limits_are_those_of_the_submission() -> None:
    """What was changed half a second later holds for later orders."""
    story = told()

    limits = gather(story.journal, "P-0001").frame("limits")

    assert limits["value"].tolist() == [40.0]
    assert frames.limits(story.journal)["value"].tolist() == [90.0]


def alert_about(parent_id: str | None, *, at: float, symbol: str = "ZOK6", subject: str) -> ev.AlertRaised:
    """An alert that stands from then on."""
    return ev.AlertRaised(
        time_ns=ns(at),
        kind=AlertKind.UNKNOWN_ORDER,
        subject=subject,
        severity=Severity.CRITICAL,
        local_symbol=symbol,
        parent_id=parent_id,
        sentence=subject,
    )


def test_alerts_are_its_own_and_those_that_stood_over_it() -> None:
    """Its own count after its end too, as some are raised by it; others only of its time and of its contract."""
    story = told()
    story.tell(alert_about("P-0001", at=171, subject="its own, late"))
    story.tell(alert_about(None, at=160, subject="its contract"))
    story.tell(alert_about(None, at=171, subject="its contract, late"))
    story.tell(alert_about(None, at=160, symbol="PAM6", subject="another contract"))
    story.tell(alert_about("P-0002", at=160, subject="another order"))

    alerts = gather(story.journal, "P-0001").frame("alerts")

    assert alerts["message"].tolist() == ["No way to the broker of SIM•••QF.", "its own, late", "its contract"]


def test_breaks_are_disturbances_and_agreement_is_none(tmp_path: Path) -> None:
    """A comparison that found nothing stands in the trail alone; a kill in force at the begin is told."""
    story = Story()
    story.tell(ev.Killed(time_ns=ns(-9), reason="enough for today"))
    story.tell(ev.ConnectionChanged(time_ns=ns(-8), state=ConnectionState.UP, message="connected before"))
    story.submitted("P-0001", plan_for(OATS, 2), top(OATS, "370", "371"))
    story.tell(ev.Reconciled(time_ns=ns(1), breaks=0, message="ledger and broker agree"))
    story.tell(ev.Reconciled(time_ns=ns(2), breaks=2, message="two orders nobody knows"))
    story.over("P-0001", status=ParentStatus.REFUSED, at=3)

    page = page_of(story, tmp_path)

    disturbed = page.partition('<section id="disturbances"')[2].partition("</section>")[0]
    assert "enough for today" in disturbed
    assert "two orders nobody knows" in disturbed
    assert "agree" not in disturbed
    assert "connected before" not in disturbed
    assert "ledger and broker agree" in page


def test_an_order_at_work_says_so_and_as_of_when(tmp_path: Path) -> None:
    """The last time that the journal tells, not that of any clock."""
    page = page_of(told(is_over=False), tmp_path)

    assert "Still working as of Tue 03 Mar 2026, 09:02:40 CST (15:02:40 UTC):" in page
    assert "Still" not in page_of(told(), tmp_path, overwrite=True)


def test_an_order_without_anything_has_a_page(tmp_path: Path) -> None:
    """Refused as a whole, with no quote, no check and no limit in the journal."""
    story = Story()
    story.submitted("P-0001", plan_for(OATS, 2), None)
    story.tell(ev.ParentRefused(time_ns=ns(0), parent_id="P-0001", check="kill_switch", message="killed"))
    story.over("P-0001", status=ParentStatus.REFUSED, at=0)

    page = page_of(story, tmp_path)

    assert "0 of 2 lots" in page
    assert "Fills, latest corrections applied: none." in page
    assert "nan" not in without_plotly(page).lower().replace("financ", "")


def test_an_order_that_was_over_before_its_start_worked_for_no_time(tmp_path: Path) -> None:
    """Cancelled ten minutes before it was to begin."""
    story = Story()
    story.submitted("P-0001", replace(plan_for(OATS, 2), start_ns=ns(900)), None)
    story.over("P-0001", status=ParentStatus.CANCELLED, at=300)

    page = page_of(story, tmp_path)

    assert "<dt>Time at work</dt><dd>0 s</dd>" in page


def test_evidence_of_a_rehearsal_is_of_paths_and_not_of_own_fills(tmp_path: Path) -> None:
    """Nobody who reads the page may take simulated fills for fills."""
    story, plan = Story(), plan_for(OATS, 2)
    prediction = Prediction(
        slippage=Decimal("0.5"),
        half_spread=Decimal("0.5"),
        impact=Decimal(0),
        daily_volatility=0.02,
        adv_lots=400.0,
        version="rehearsal-1",
        assumed_slippage=Decimal("0.4"),
        rehearsed=REHEARSED,
    )
    story.submitted("P-0001", replace(plan, prediction=prediction), None)
    story.over("P-0001", status=ParentStatus.CANCELLED, at=30)

    page = without_plotly(page_of(story, tmp_path))

    assert "resting on 130 paths" in page
    assert "own fill" not in page


def test_an_order_that_there_is_not_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    """And no file is written."""
    with pytest.raises(InvalidOrder, match="'P-0002' in this journal; known: P-0001"):
        write_report(told().journal, "P-0002", tmp_path / "report.html")

    assert list(tmp_path.iterdir()) == []


def test_every_table_can_be_read_without_a_script_or_an_eye(tmp_path: Path) -> None:
    """Headings in order, a caption for each table, a scope for each head, a language, and words for each figure."""
    page = without_plotly(page_of(told(), tmp_path))

    outline = Outline(page)
    headings = [int(tag[1]) for tag, _ in outline.found if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert set(headings[1:]) == {2}
    assert outline.of("html")[0]["lang"] == "en"
    assert len(outline.of("table")) == len(outline.of("caption")) >= 10
    assert {one.get("scope") for one in outline.of("th")} == {"col", "row"}
    drawn = [one for one in outline.of("div") if one.get("role") == "img"]
    assert len(drawn) == len(outline.of("noscript")) == 4
    assert all(one["aria-label"] for one in drawn)
    targets = {one.get("id") for _, one in outline.found}
    assert {(one["href"] or "")[1:] for one in outline.of("a")} <= targets


def test_the_shortfall_stands_in_its_parts(tmp_path: Path) -> None:
    """Three filled a point above arrival in all, two missed as the mid rose by 2.5, and fees: at 50 dollars a point."""
    story = told()
    story.charged("0002.01.01", "5.00", at=11)

    page = page_of(story, tmp_path)

    parent = read_report(tmp_path / "report.html").frames["tca.parent"].iloc[0]
    parts = [parent[f"{part}_cash"] for part in ("delay", "trading", "opportunity", "fees", "shortfall")]
    assert parts == pytest.approx([0, 50, 250, 7.5, 307.5])
    assert '"id":"figure-costs"' in page
    assert "+307.50 USD" in page


def test_a_shortfall_that_is_not_known_is_not_made_up(tmp_path: Path) -> None:
    """One of two fees was not told: the page says which number lacks."""
    page = page_of(told(), tmp_path)

    assert "Not known:" in page
    assert "fees (1 of 2 fills)" in page
