"""Collects what the benchmarks measured, and prints it at the end of the run."""

from collections.abc import Callable

import pytest

from .figures import Figure, lines

MEASURED: pytest.StashKey[list[Figure]] = pytest.StashKey()


@pytest.fixture
def note(pytestconfig: pytest.Config) -> Callable[[Figure], None]:
    """Add a figure to the table."""
    return pytestconfig.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, where anything was measured."""
    figures = config.stash.get(MEASURED, [])
    if figures:
        terminalreporter.section("measured against goals")
        for line in lines(figures):
            terminalreporter.write_line(line)
