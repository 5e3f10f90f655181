"""Markets, functions and desks on which a runner runs."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.runner.asking import Day
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.market import Market
from hydra_nb.sim.records import ExchangeEvent
from tests.whole_stack import ScriptedExchange, Stack, steady

DAY_S = 86_400
FIRST_DAY = "2027-03-02"
"""The first day of the market of the tests, a Tuesday; it begins at 09:00 in Chicago."""
AT = "09:05"


class StillExchange(ScriptedExchange):
    """A market whose touch stands for ever, and which is looked at every ten minutes only, so that days cost little."""

    def _activate(self, con_id: int, events: list[ExchangeEvent]) -> Market:
        active = super()._activate(con_id, events)
        active._flow.wait_ns = lambda *, busy: 600 * NS_PER_S  # type: ignore[method-assign]  # noqa: ARG005
        return active


def market(*, days_later: int = 0, start: dt.time | None = None) -> ScriptedExchange:
    """A market in which an order fills as soon as it crosses, and which costs little while nothing happens."""
    exchange = StillExchange(script=steady("370.00", "370.25", lots=50), is_quiet=True, start=start)
    exchange.start_ns += days_later * DAY_S * NS_PER_S
    exchange._now_ns = exchange.start_ns
    return exchange


class Asked:
    """A function that remembers the days with which it was called, and answers with targets of oats."""

    def __init__(self, answer: Callable[[Day], Any] | None = None) -> None:
        self.days: list[Day] = []
        self._answer = answer or (lambda _: oats(len(self.days)))

    def __call__(self, day: Day) -> Any:
        """Take the day down and answer."""
        self.days.append(day)
        return self._answer(day)


def oats(target: int) -> pd.DataFrame:
    """A target of oats."""
    return pd.DataFrame({"instrument": ["ZO"], "target": [target]})


def a_runner(desk: Desk, function: Any, **how: Any) -> hydra_nb.Runner:
    """A runner at 09:05, whose orders take a minute or so."""
    settings = {"at": AT, "strategy": "limit_patience", "patience": 40, **how}
    return hydra_nb.Runner(desk, function, **settings)


async def over(stack: Stack, runner: hydra_nb.Runner, *, cycles: int = 1, within_s: float = 3600) -> pd.DataFrame:
    """Let market time pass until so many cycles are told and none runs; gives the history."""

    def is_over() -> bool:
        history = runner.history()
        return len(history) >= cycles and not history["status"].eq("running").any()

    for _ in range(int(within_s / 10)):
        if is_over():
            return runner.history()
        await stack.sleep(10)
    raise AssertionError(f"not over within {within_s} s: {runner.history().to_dict('records')}")
