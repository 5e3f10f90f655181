"""What each check decides in each of many situations, figure by figure and word by word.

``decisions.txt`` is read by people: a line a situation, with the verdict, what was found, what is allowed, what would
pass, and the words. ``python -m tests.risk.test_decisions > tests/risk/decisions.txt`` writes it anew; look at every
line that changes as you would at a screen with money behind it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra_nb.risk.checks import CHECKS
from hydra_nb.risk.verdict import Decision

from .situations import SITUATIONS

PAGE = Path(__file__).with_name("decisions.txt")
FUNCTIONS = {check.name: check.function for check in CHECKS}


def lines() -> Iterator[str]:
    """All situations and what is decided in them."""
    for check, situations in SITUATIONS.items():
        for so, case in situations.items():
            yield f"{check}: {so} | {told(FUNCTIONS[check](case))}"


def told(decision: Decision) -> str:
    """One decision with everything in it."""
    verdict = "passes" if decision.allowed is True else "refuses" if decision.allowed is False else "?"
    cured = "may pass later" if decision.transient is True else "hard" if decision.transient is False else "?"
    figures = f"{_figure(decision.observed)} of {_figure(decision.limit)} {decision.unit!r}"
    return (
        f"{decision.check} {verdict}, {cured} | {figures} | would pass {_figure(decision.would_pass)} "
        f"| {decision.source} | {decision.message}"
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.10g}"


def test_every_check_is_in_every_kind_of_situation() -> None:
    """None is forgotten, and each both passes and refuses somewhere."""
    assert list(SITUATIONS) == list(FUNCTIONS)
    for check, situations in SITUATIONS.items():
        assert {FUNCTIONS[check](case).allowed for case in situations.values()} == {True, False}, check


@pytest.mark.parametrize("check", SITUATIONS)
def test_a_check_decides_as_the_page_says(check: str) -> None:
    """Verdict, figures, units, what would pass, source and words."""
    page = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"{check}: ")]

    assert [line for line in lines() if line.startswith(f"{check}: ")] == page


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
