"""The page of a trading day: whole, of nobody's account, without a script, and the same each time."""

import re
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb.analysis.daily import daily_report, read_daily_report
from hydra_nb.analysis.daily.picture import MOST_ORDERS
from hydra_nb.domain import events as ev
from hydra_nb.errors import AnalysisError

from .report_story import MARKUP, OTHER_ACCOUNT, told
from .story import ACCOUNT, OATS, Story, ns, plan_for, top
from .test_daily import NEXT_DAY, over_night
from .test_report import Outline


def page_of(story: Story, tmp_path: Path, date: str = "2026-03-03") -> str:
    """The page of a day, as text."""
    path = daily_report(story.journal, date).save(tmp_path / "day.html", overwrite=True)
    return path.read_text(encoding="utf-8")


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(tmp_path: Path) -> None:
    """No address that a browser would load, no script, and a policy that allows none."""
    page = page_of(told(), tmp_path)

    outline = Outline(page)
    assert all((one.get("href") or "").startswith("#") for one in outline.of("a"))
    assert not [one for tag, one in outline.found if tag != "a" and ({"src", "href", "srcset"} & one.keys())]
    assert not outline.of("link", "iframe", "object", "embed", "img")
    assert [one.get("type") for one in outline.of("script")] == ["application/json"]
    assert "default-src 'none'; script-src 'none'" in page
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"url\(|@import| on\w+=", page)


def test_the_account_is_nowhere_on_the_page(tmp_path: Path) -> None:
    """Nor is another one that the broker named; nor in the short form of a notebook."""
    story = told(tag=f"for {ACCOUNT}")
    story.tell(ev.Killed(time_ns=ns(500), reason=f"stop {ACCOUNT} and {OTHER_ACCOUNT}"))

    page, card = page_of(story, tmp_path), daily_report(story.journal)._repr_html_()

    for shown in (page, card):
        assert ACCOUNT not in shown
        assert OTHER_ACCOUNT not in shown
        assert "SIM•••QF" in shown


def test_what_people_write_is_text(tmp_path: Path) -> None:
    """A reason with markup neither ends the data nor makes an element."""
    story = told(tag=MARKUP)
    story.tell(ev.Killed(time_ns=ns(500), reason=MARKUP))

    page, card = page_of(story, tmp_path), daily_report(story.journal)._repr_html_()

    assert MARKUP not in page + card
    assert not Outline(page).of("b")
    assert len(Outline(card).of("b")) == 1  # the date
    assert read_daily_report(tmp_path / "day.html")["halts"]["reason"].tolist() == [MARKUP]


def test_the_same_journal_gives_the_same_bytes_also_later(tmp_path: Path) -> None:
    """Of a day that is over, whatever the next one brings; of one that goes on, until more is told."""
    story = over_night(Story())

    first = page_of(story, tmp_path)
    story.tell(ev.Killed(time_ns=ns(12 * 3_600), reason="the next day"))

    assert page_of(story, tmp_path) == first
    with pd.option_context("display.precision", 1):
        assert page_of(story, tmp_path) == first


def test_the_frames_are_read_back_as_they_were(tmp_path: Path) -> None:
    """Every value, dtype and column; a number that was changed is noticed."""
    report = daily_report(told().journal)
    path = report.save(tmp_path / "day.html")

    found = read_daily_report(path)

    assert list(found) == list(report.frames)
    for name, frame in report.frames.items():
        pd.testing.assert_frame_equal(found[name], frame)
    path.write_text(path.read_text(encoding="utf-8").replace("370.5,", "369.5,"), encoding="utf-8")
    with pytest.raises(AnalysisError, match="were changed"):
        read_daily_report(path)


def test_it_takes_the_place_of_its_own_day_only(tmp_path: Path) -> None:
    """Another day, or notes of somebody, stay unless told."""
    story, path = over_night(Story()), tmp_path / "day.html"
    first, second = daily_report(story.journal, "2026-03-03"), daily_report(story.journal, NEXT_DAY)
    first.save(path)

    first.save(path)
    with pytest.raises(FileExistsError, match=r"no report of 2026-03-04.*overwrite"):
        second.save(path)
    second.save(path, overwrite=True)

    assert "Wednesday 4 March 2026" in path.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["day.html"]


def test_it_says_what_to_look_at_first(tmp_path: Path) -> None:
    """What stands before what is over; of a quiet day nothing."""
    story = told()
    story.tell(ev.Killed(time_ns=ns(500), reason="enough"))

    loud, quiet = page_of(story, tmp_path), page_of(over_night(Story()), tmp_path, NEXT_DAY)

    listed = re.search(r'<ul class="looks">.*?</ul>', loud)
    assert listed is not None
    words = re.findall(r'<li class="(\w+)"><a href="#(\w+)">(.*?)</a>', listed[0])
    assert words[:2] == [
        ("stands", "safety", "the kill switch is on: enough"),
        ("stands", "alerts", "1 alert not over"),
    ]
    assert ("over", "orders", "1 order ended short: P-0001") in words
    assert '<span class="status stands">2 matters open</span>' in loud
    assert '<span class="status quiet">quiet</span>' in quiet
    assert 'class="looks"' not in quiet


def test_it_says_which_interval_it_is_of_and_until_when_it_tells(tmp_path: Path) -> None:
    """A day that goes on may bring more; one that is over does not."""
    going, over = page_of(told(), tmp_path), page_of(over_night(Story()), tmp_path)

    interval = "Mon 02 Mar, 17:00 CST to Tue 03 Mar 2026, 17:00 CST."
    for page in (going, over):
        assert interval in page
        assert "A trading day goes from 17:00 in Chicago on the day before up to 17:00 in Chicago" in page
    assert "No later day is known yet: more may come." in going
    assert "more may come" not in over
    assert "1 order went on after it. The other day shows the same order" in over


def test_a_day_without_anything_has_an_honest_page(tmp_path: Path) -> None:
    """It says that the journal tells nothing of it, and makes no figure up."""
    story = told()

    report = daily_report(story.journal, "2026-03-05", now_ns=ns(3 * 24 * 3_600))
    page = report.save(tmp_path / "day.html").read_text(encoding="utf-8")

    assert "The journal tells nothing of this day; its last word is of" in page
    assert "Orders of the day: none." in page
    assert "<svg" not in page
    assert not re.search(r"\bnan\b|NaT|&lt;NA", page)


def test_every_table_can_be_read_without_a_script_or_an_eye(tmp_path: Path) -> None:
    """Headings in order, a caption for each table, a scope for each head, words for the picture, links that lead on."""
    page = page_of(told(), tmp_path)

    outline = Outline(page)
    headings = [int(tag[1]) for tag, _ in outline.found if re.fullmatch(r"h[1-6]", tag)]
    assert headings == [1, *[2] * 12]
    assert outline.of("html")[0]["lang"] == "en"
    assert len(outline.of("table")) == len(outline.of("caption")) >= 10
    assert {one.get("scope") for one in outline.of("th")} == {"col", "row"}
    assert all(one["role"] == "img" and one["aria-label"] for one in outline.of("svg"))
    targets = {one.get("id") for _, one in outline.found}
    assert {(one["href"] or "")[1:] for one in outline.of("a")} <= targets


def test_a_picture_of_very_many_orders_says_what_it_leaves_out(tmp_path: Path) -> None:
    """The table has them all."""
    story, plan = Story(), plan_for(OATS, 1)
    for number in range(MOST_ORDERS + 3):
        story.submitted(f"P-{number:04d}", plan, top(OATS, "370", "371"), at=number)

    page = page_of(story, tmp_path)

    assert "3 more orders are in the table." in page
    assert page.count('class="id"') == MOST_ORDERS
    assert page.count('<th scope="row">P-00') >= MOST_ORDERS + 3
