"""The report of an order: whole, on one page, of nobody's account, and the same each time."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis import frames
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.report import read_report, write_report
from hydra_nb.analysis.report.benchmarks import time_weighted_mid
from hydra_nb.analysis.report.facts import AUDIT, gather
from hydra_nb.analysis.tca.columns import PARENT_LEVEL
from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import AnalysisError, InvalidFrame, InvalidOrder
from hydra_nb.risk.verdict import Decision

from .story import ACCOUNT, OATS, START_NS, Story, ns, plan_for, top

OTHER_ACCOUNT = "U7654321"
MARKUP = "</script><b>x & 'y'"


def told(*, side: Side = Side.BUY, is_over: bool = True, tag: str | None = None) -> Story:
    """Two slices: the first filled in two parts and with fees, the second modified and missed; the link went down."""
    story, quote = Story(), top(OATS, "370", "371")
    plan = plan_for(OATS, 3, 2, side=side, tag=tag)
    for seconds, bid, ask in ((-30, "370", "371"), (30, "371", "372"), (150, "372", "374")):
        story.journal.append_quote(top(OATS, bid, ask, time_ns=ns(seconds)), "ZOK6")
    of_all = ev.LimitValue(symbol="*", limit="collar_ticks", value=40)
    story.tell(ev.LimitsOpened(time_ns=ns(-20), values=(of_all,), who="somebody"))
    check = Decision(
        check="order_lots", allowed=True, observed=3, limit=10, unit="lots", message="3 of 10 lots", source="limits"
    )
    refused = check._replace(check="collar_ticks", allowed=False, message="50 ticks, 40 allowed")
    story.journal.append_decisions((check, refused), time_ns=ns(1), parent_id="P-0001", slice=1, action=Action.PLACE)
    story.submitted("P-0001", plan, quote)
    story.tell(
        ev.LimitsChanged(time_ns=ns(0.5), limit="collar_ticks", symbol="*", old=40, new=90, reason="wide", who="me")
    )
    ref = story.gated("P-0001", 1, plan=plan, price="370.5", quote=quote, at=1, predicted="0.75")
    story.sent(ref, at=1.25)
    story.filled(ref, "0001.01.01", 1, "370.5", at=2, quote=quote)
    story.charged("0001.01.01", "2.50", at=2)
    story.filled(ref, "0002.01.01", 2, "371", at=9, quote=quote)
    story.slice_over("P-0001", 1, filled=3, carried=0, status=SliceStatus.FILLED, at=10)
    words = f"order of {ACCOUNT} refused, see {OTHER_ACCOUNT}"
    story.tell(ev.BrokerErrorReported(time_ns=ns(11), order_ref=ref, code=201, message=words))
    story.tell(ev.ConnectionChanged(time_ns=ns(12), state=ConnectionState.DOWN, message="gone"))
    story.tell(
        ev.AlertRaised(
            time_ns=ns(12),
            kind=AlertKind.DISCONNECTED,
            subject="",
            severity=Severity.CRITICAL,
            local_symbol="",
            parent_id=None,
            sentence=f"No way to the broker of {ACCOUNT}.",
        )
    )
    second = story.gated("P-0001", 2, plan=plan, price="371.5", quote=quote, at=101)
    story.sent(second, at=101)
    story.gated("P-0001", 2, plan=plan, price="372", quote=quote, at=121, stage=Stage.STEP)
    story.slice_over("P-0001", 2, filled=0, carried=0, status=SliceStatus.MISSED, at=160)
    if is_over:
        story.over("P-0001", status=ParentStatus.PARTIAL, at=170)
    return story


def page_of(story: Story, tmp_path: Path, **how: Any) -> str:
    """The page of the story's order, as text."""
    return write_report(story.journal, "P-0001", tmp_path / "report.html", **how).read_text(encoding="utf-8")


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
    assert len(drawn) == len(outline.of("noscript")) == 3
    assert all(one["aria-label"] for one in drawn)
    targets = {one.get("id") for _, one in outline.found}
    assert {(one["href"] or "")[1:] for one in outline.of("a")} <= targets


def test_an_analysis_brings_its_parts_and_its_benchmarks(tmp_path: Path) -> None:
    """With a row of transaction cost analysis the waterfall is drawn, and TWAP and VWAP are those of that row."""
    known = {
        "parent_id": "P-0001",
        "currency": "USD",
        "filled_lots": 3,
        "delay_cash": 4,
        "trading_cash": 6,
        "opportunity_cash": 6,
        "fees_cash": 4,
        "shortfall_cash": 20,
        "shortfall_bps": 200,
        "vwap": 370.9,
        "vwap_slippage_ticks": -0.25,
        "lacks": "volume of 2 minutes",
    }
    rows = [{one.name: None for one in PARENT_LEVEL} | known | {"parent_id": name} for name in ("P-0001", "P-0002")]

    page = page_of(told(), tmp_path, parents=make_frame(PARENT_LEVEL, rows))

    report = read_report(tmp_path / "report.html")
    held = report.frames["report.benchmarks"].set_index("benchmark")
    assert list(held.index) == ["arrival", "order", "interval TWAP", "interval VWAP", "decision"]
    assert held.loc["interval VWAP", ["price", "slippage_ticks", "lots"]].tolist() == [370.9, -0.25, 3]
    assert held.loc["interval TWAP", "lots"] == 0
    assert report.frames["tca.parent"]["parent_id"].tolist() == ["P-0001"]
    assert '"id":"figure-costs"' in page
    assert "+20.00 USD" in page
    assert "Not known: volume of 2 minutes." in page
    with pytest.raises(InvalidFrame, match="lacks begun"):
        page_of(told(), tmp_path, parents=pd.DataFrame({"parent_id": ["P-0001"]}))


# Benchmarks


def test_benchmarks_are_paid_against_each_reference() -> None:
    """One lot at 370.5 and two at 371: a point in all over arrival, 50 USD a point; TWAP of 20 s, 120 s and 20 s."""
    held = gather(told().journal, "P-0001").frame("report.benchmarks").set_index("benchmark")

    assert held["slippage_cash"].round(6).to_dict() == {
        "arrival": 50.0,
        "decision": 50.0,
        "order": 50.0,
        "interval TWAP": pytest.approx((1112.5 - 3 * held.loc["interval TWAP", "price"]) * 50),
    }
    twap = (30 * 370.5 + 120 * 371.5 + 20 * 373) / 170
    assert held.loc["interval TWAP", "price"] == pytest.approx(twap)
    assert held.loc["arrival", "slippage_ticks"] == pytest.approx(4 / 3)
    assert held.loc["arrival", "slippage_bps"] == pytest.approx(1 / 3 / 370.5 * 1e4)
    assert "known for 100.0" in held.loc["interval TWAP", "words"]


def test_what_a_buy_pays_a_sell_gains() -> None:
    """The same fills on the other side have every cost with the other sign."""
    bought, sold = (gather(told(side=side).journal, "P-0001").frame("report.benchmarks") for side in Side)

    for unit in ("ticks", "bps", "cash"):
        assert sold[f"slippage_{unit}"].tolist() == pytest.approx([-cost for cost in bought[f"slippage_{unit}"]])


def quotes_of(*rows: tuple[float, float | None, float | None]) -> pd.DataFrame:
    """Quotes at seconds after the start."""
    frame = pd.DataFrame(rows, columns=["time", "bid", "ask"])
    times = pd.to_datetime([ns(seconds) for seconds in frame["time"]], utc=True)
    return frame.assign(time=times, bid_size=1.0, ask_size=1.0).astype({"bid": "float64", "ask": "float64"})


def test_a_mid_counts_for_as_long_as_both_sides_show() -> None:
    """Ten of forty seconds have no ask, ten are crossed: of the rest the mean, and that half is known."""
    quotes = quotes_of((-5, 10, 12), (10, 10, None), (20, 12, 12), (30, 14, 16))

    mid, share = time_weighted_mid(quotes, begin_ns=START_NS, end_ns=ns(40))

    assert (mid, share) == (13.0, 0.5)


def test_a_quote_speaks_for_ten_minutes_at_most() -> None:
    """What stood for an hour is taken for known for ten minutes only; where nothing is known the mid is NaN."""
    mid, share = time_weighted_mid(quotes_of((0, 10, 12)), begin_ns=START_NS, end_ns=ns(3_600))
    unknown = time_weighted_mid(quotes_of((-3_600, 10, 12)), begin_ns=START_NS, end_ns=ns(60))

    assert (mid, share) == (11.0, pytest.approx(1 / 6))
    assert np.isnan(unknown[0])
    assert unknown[1] == 0.0


@given(
    rows=st.lists(st.tuples(st.integers(-100, 200), st.integers(1, 50), st.none() | st.integers(1, 50)), min_size=1),
    length_s=st.integers(1, 150),
)
def test_a_mean_of_mids_lies_between_them(rows: list[tuple[int, int, int | None]], length_s: int) -> None:
    """For quotes in any order, one-sided and crossed ones among them; and no more than all of the time is known."""
    quotes = quotes_of(*rows)

    mid, share = time_weighted_mid(quotes, begin_ns=START_NS, end_ns=START_NS + length_s * NS_PER_S)

    mids = [(bid + ask) / 2 for _, bid, ask in rows if ask is not None and bid < ask]
    assert 0 <= share <= 1
    assert np.isnan(mid) == (share == 0)
    assert np.isnan(mid) or min(mids) - 1e-9 <= mid <= max(mids) + 1e-9


# Files


def test_an_earlier_report_of_the_same_order_is_replaced(tmp_path: Path) -> None:
    """A report that is made again while the order runs needs no word."""
    before = page_of(told(is_over=False), tmp_path)

    after = page_of(told(), tmp_path)

    assert "Still working" in before
    assert "Still working" not in after
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("there", ["notes of mine", ""])
def test_another_file_is_left_alone_unless_told(tmp_path: Path, there: str) -> None:
    """The error says how to replace it."""
    target = tmp_path / "report.html"
    target.write_text(there)

    with pytest.raises(FileExistsError, match="overwrite"):
        write_report(told().journal, "P-0001", target)
    kept = target.read_text()
    write_report(told().journal, "P-0001", target, overwrite=True)

    assert kept == there
    assert read_report(target).parent_id == "P-0001"


def test_a_report_of_another_order_is_left_alone(tmp_path: Path) -> None:
    """P-0001 does not take the place of P-0002."""
    story = told()
    story.submitted("P-0002", plan_for(OATS, 1), None, at=200)
    write_report(story.journal, "P-0002", tmp_path / "report.html")

    with pytest.raises(FileExistsError, match="no report of P-0001"):
        page_of(story, tmp_path)

    assert read_report(tmp_path / "report.html").parent_id == "P-0002"


def test_what_cannot_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    """A folder of that name stays, and no half page lies beside it."""
    (tmp_path / "report.html").mkdir()

    with pytest.raises(OSError, match=re.escape("report.html")):
        page_of(told(), tmp_path, overwrite=True)

    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
