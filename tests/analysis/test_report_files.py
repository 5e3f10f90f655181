"""Where a report is put: its own place, whole or not at all, and never that of anything else."""

import re
from pathlib import Path

import pytest

from hydra_nb.analysis.report import read_report, write_report

from .report_story import page_of, told
from .story import OATS, plan_for


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


@pytest.mark.parametrize("folder", ["no/such", "report.txt"])
def test_where_nothing_can_be_written_the_error_names_the_file_that_was_asked_for(tmp_path: Path, folder: str) -> None:
    """And not the one beside it, of which nobody knows."""
    (tmp_path / "report.txt").write_text("a file, and no folder")
    target = tmp_path / folder / "report.html"

    with pytest.raises(OSError, match=re.escape(str(target))) as caught:
        write_report(told().journal, "P-0001", target)

    assert ".part" not in str(caught.value)
    assert caught.value.filename == str(target)


def test_what_cannot_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    """A folder of that name stays, and no half page lies beside it."""
    (tmp_path / "report.html").mkdir()

    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path / "report.html"))) as caught:
        page_of(told(), tmp_path, overwrite=True)

    assert ".part" not in str(caught.value)

    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
