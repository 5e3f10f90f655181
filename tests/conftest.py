"""Begins what takes long before its turn, where all tests are run: most of them wait more than they compute."""

import pytest

MANY = 3_000
"""Tests from which on all are meant, and not some that somebody looks into."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the seeds of the simulation run beside the tests, last at the processor, and the notebooks as well."""
    if len(session.items) < MANY or session.config.option.collectonly:
        return
    names = {getattr(item, "originalname", "") for item in session.items}
    if "test_no_seed_breaks_a_promise" in names:
        from tests.simulation import beside

        beside.begin()
    if "test_an_executed_notebook_keeps_no_secret" in names:
        from tests.cells.stories import NOTEBOOKS, begin_executing

        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            begin_executing(path.name)
