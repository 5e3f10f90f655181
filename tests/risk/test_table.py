"""The table of checks in the docs is the one in the code."""

import runpy
from pathlib import Path

import pytest

from hydra_nb.risk.checks import CHECKS, table
from hydra_nb.risk.limits import BOUNDS

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_the_page_of_checks_is_the_table_itself():
    """What each check is called, reads, applies to and is cured by, and each limit with its default and bounds."""
    assert PAGE.read_text(encoding="utf-8") == table()


def test_the_page_of_checks_is_what_the_code_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Write it anew with ``python -m hydra_nb.risk.table > docs/checks.md``."""
    runpy.run_module("hydra_nb.risk.table", run_name="__main__")

    assert PAGE.read_text(encoding="utf-8") == capsys.readouterr().out


def test_the_module_of_the_page_prints_only_when_it_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    """To import it writes nothing."""
    runpy.run_module("hydra_nb.risk.table")

    assert capsys.readouterr().out == ""


def test_every_limit_is_read_by_a_check_and_every_check_names_true_limits():
    """No limit is set in vain."""
    read = {name for check in CHECKS for name in check.limits}

    assert read == set(BOUNDS)


def test_names_of_checks_are_unique():
    """They are keys in the frames."""
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
