"""A runner trades a live account only where the environment says so as well."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import hydra_nb
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.surroundings import RUN_LIVE, runner_obstacle
from hydra_nb.errors import LiveNotConfirmed
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop, run_virtual
from tests.runner.scenes import Asked, a_runner, market
from tests.whole_stack import WitnessCore

ACCOUNT = "U1234567"


def on_a_live_desk(scenario: Callable[[Desk], Awaitable[None]], *, folder: Path) -> WitnessCore:
    """Run a scenario on a desk whose gateway reports a live account; gives what the gateway heard."""
    exchange = market()
    exchange.account = ACCOUNT
    core = WitnessCore(exchange)

    async def whole(loop: VirtualLoop) -> None:
        loop.attach(core)
        async with hydra_nb.connect(
            f"{SIM_HOST}:4001", account=ACCOUNT, confirm_live="4567", journal=folder / "live.sqlite"
        ) as desk:
            await scenario(desk)

    run_virtual(whole)
    return core


@pytest.mark.parametrize("value", [None, "", "1", "true", "1234", "U1234567"])
def test_without_the_variable_it_neither_starts_nor_runs(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is said, and the account is not; the function is never called."""
    monkeypatch.delenv(RUN_LIVE, raising=False)
    if value is not None:
        monkeypatch.setenv(RUN_LIVE, value)
    function = Asked()

    async def scenario(desk: Desk) -> None:
        runner = a_runner(desk, function)
        with pytest.raises(LiveNotConfirmed, match=RUN_LIVE) as caught:
            runner.start()
        with pytest.raises(LiveNotConfirmed, match="last four characters"):
            await runner.run_once()
        assert "1234567" not in str(caught.value)
        assert desk.cycles().empty

    core = on_a_live_desk(scenario, folder=tmp_path)

    assert core.placed() == []
    assert function.days == []


def test_a_dry_run_of_a_live_account_needs_no_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends nothing, and is how a person begins."""
    monkeypatch.delenv(RUN_LIVE, raising=False)

    async def scenario(desk: Desk) -> None:
        row = await a_runner(desk, Asked(), dry_run=True).run_once()
        assert row["status"].item() == "dry_run"

    core = on_a_live_desk(scenario, folder=tmp_path)

    assert core.placed() == []


def test_with_the_variable_it_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set by who starts the program, to the last four characters."""
    monkeypatch.setenv(RUN_LIVE, "4567")

    async def scenario(desk: Desk) -> None:
        row = await a_runner(desk, Asked()).run_once()
        assert row["orders"].item() == 1

    core = on_a_live_desk(scenario, folder=tmp_path)

    assert core.placed()[0].account == ACCOUNT
    assert runner_obstacle(ACCOUNT) is None
    assert runner_obstacle("U7654321") is not None
