"""A desk predicts by its own fills once a person has accepted what they speak for, and after a restart still."""

from pathlib import Path

import pandas as pd
import pytest

from hydra_nb import Limits, errors
from hydra_nb.analysis import frames
from hydra_nb.desk.calibrating import TAKEN_BACK
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import CalibrationChanged, ChildReserved
from hydra_nb.journal import JournalReader
from hydra_nb.widgets import numbers
from hydra_nb.widgets.render import plan_card
from tests.recovery.lives import Lives, in_lives
from tests.test_demo import run
from tests.test_limits_of_a_desk import held_by_another
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

OATS = steady("370.00", "372.00")
ROOMY = Limits(max_adv_percent=100, max_notional_per_day=1e8, max_position_percent_of_equity=500)
SIZES = (1, 2, 4, 6)
HOW = {"strategy": "limit_patience", "patience": 60.0}


def market() -> ScriptedExchange:
    """Oats whose touch never changes: whoever crosses pays half the spread, 4 ticks."""
    return ScriptedExchange(script=OATS)


async def trade(desk: Desk, *, orders: int = 12) -> None:
    """Buy and sell in turn, in several sizes."""
    for number in range(orders):
        side, lots = ("BUY", "SELL")[number % 2], SIZES[number // 2 % len(SIZES)]
        execution = await desk.execute(side, lots, "ZO", tag=f"order {number}", **HOW)
        assert execution.filled_lots == lots


async def expected(desk: Desk, lots: int = 2) -> pd.Series:
    """What an order of two lots is expected to cost now."""
    plan = await desk.preview("BUY", lots, "ZO", tag="shown", **HOW)
    return plan.expected_cost.iloc[0]


def test_a_desk_trades_refits_accepts_and_still_knows_after_a_restart(tmp_path: Path) -> None:
    """The interval, its level, n and the date come with the figure; another process on the journal shows the same."""

    async def story(lives: Lives) -> None:
        first = await lives.open(limits=ROOMY)
        await trade(first.desk)
        before = await expected(first.desk)
        proposal = first.desk.slippage(unit="ticks").refit()
        row = proposal.table.iloc[0]

        in_force = await first.desk.accept_calibration(proposal, reason=" half a year of fills ")
        after = await expected(first.desk)
        await lives.kill(first)
        second = await lives.open(limits=ROOMY)
        restarted = await expected(second.desk)
        await second.desk.close()
        third = await lives.open(limits=ROOMY)
        again = await expected(third.desk)

        assert (before["n_evidence"], before["source"]) == (0, "Not enough own fills")
        assert before["predictor_version"] == "sqrt-1"
        fills = first.desk.fills()
        by_formula = fills["half_spread_ticks"] + 0.1 * fills["impact_scale_ticks"]
        assert fills["predicted_slippage_ticks"].to_numpy() == pytest.approx(by_formula.to_numpy())
        assert (after["n_evidence"], row["n"], row["orders"]) == (len(fills), len(fills), 12)
        date = fills["time"].max().date().isoformat()
        assert after["source"] == f"own fills of 12 orders, calibrated {date}"
        assert after["predictor_version"] == row["version"] != "sqrt-1"
        assert after["level"] == pytest.approx(1 - 2 / 13)
        assert after["low_ticks"] == pytest.approx(after["slippage_ticks"] + row["residual_low_ticks"])
        assert after["high_ticks"] == pytest.approx(after["slippage_ticks"] + row["residual_high_ticks"])
        assert after["slippage_ticks"] == pytest.approx(4.0)  # what every fill cost; the formula assumed an impact
        assert before["slippage_ticks"] > 4.2
        pd.testing.assert_series_equal(restarted, after)
        pd.testing.assert_series_equal(again, after)
        assert list(in_force["reason"]) == ["half a year of fills"]
        pd.testing.assert_frame_equal(third.desk.calibrations(), in_force)
        await third.desk.close()

    in_lives(story, folder=tmp_path, exchange=market())


def test_an_accepted_calibration_is_stored_with_its_orders_and_moves_no_breaker() -> None:
    """The fills frame and the card show it; what the breaker holds against the fills is the assumed formula's."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        await trade(desk)
        refit = desk.slippage(unit="ticks").refit()
        await desk.accept_calibration(refit, reason="tested")
        plan = await desk.preview("BUY", 2, "ZO", tag="calibrated", **HOW)

        execution = await (await desk.submit(plan))

        assumed = 4 + 0.1 * execution.fills["impact_scale_ticks"].iloc[0]
        assert set(execution.fills["predictor_version"]) == set(refit.table["version"])
        assert execution.fills["predicted_slippage_ticks"].iloc[0] == pytest.approx(4.0)
        reserved = stack.journalled(ChildReserved)[-1]
        assert float(reserved.predicted_slippage) == pytest.approx(1.0)
        assert float(reserved.assumed_slippage) == pytest.approx(assumed * 0.25)
        order = stack.manager.ledger.orders[reserved.child.order_ref]
        assert order.predicted_slippage == reserved.assumed_slippage
        card = plan_card(plan, badge=desk.badge, masked_account=desk.masked_account)
        assert "n = 13, own fills of 12 orders, calibrated 2027-03-02." in card
        assert f"{numbers.percent(11 / 13, decimals=0)} interval" in card
        assert "Not enough own fills" not in card

    on_a_desk(scenario, exchange=market(), limits=ROOMY)


def test_dropping_one_goes_back_to_what_is_assumed() -> None:
    """From the next preview on; both changes are journalled with who and why, and no frame names who."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        await trade(desk)
        before = await expected(desk)
        await desk.accept_calibration(desk.slippage().refit(), reason="good fills", symbols="ZO")

        left = await desk.drop_calibration("ZO", reason=" the market has changed ")

        after = await expected(desk)
        accepted, dropped = stack.journalled(CalibrationChanged)
        assert len(left) == 0
        pd.testing.assert_series_equal(after, before)
        assert accepted.calibration is not None
        assert (accepted.reason, accepted.who) == ("good fills", "virtual time")
        assert (dropped.symbol, dropped.calibration, dropped.reason) == ("ZO", None, "the market has changed")
        told = desk.audit("P-0012")
        assert "virtual time" not in told.to_csv()

    on_a_desk(scenario, exchange=market(), limits=ROOMY)


def test_what_cannot_be_accepted_changes_nothing() -> None:
    """No reason, no proposal, no symbol: each says what lacks."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        nothing = desk.slippage().refit()
        await trade(desk)
        refit = desk.slippage().refit()
        early = desk.slippage(until=desk.fills()["received_time"].iloc[2]).refit()

        for proposal, how, words in (
            (refit, {"reason": "  "}, "says nothing; say in words why"),
            (refit, {"reason": None}, "says nothing; say in words why"),
            (refit, {"reason": "good", "symbols": ["ZO", "HE"]}, "nothing is proposed for HE: no fills"),
            (early, {"reason": "good"}, "nothing is proposed for ZO: 3 fills; at least 10 are needed"),
            (nothing, {"reason": "good"}, "nothing is proposed for any symbol: there are no fills"),
            (refit.table, {"reason": "good"}, "DataFrame is no proposal"),
        ):
            with pytest.raises(errors.AnalysisError, match=words):
                await desk.accept_calibration(proposal, **how)
        with pytest.raises(errors.AnalysisError, match="'ZO' has no calibration; there are none"):
            await desk.drop_calibration("ZO", reason="good")

        assert stack.journalled(CalibrationChanged) == []
        assert len(desk.calibrations()) == 0

    on_a_desk(scenario, exchange=market(), limits=ROOMY)


def test_what_the_journal_does_not_keep_is_not_in_force(tmp_path: Path) -> None:
    """The change is taken back, and can be made once there is room."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        await trade(desk)
        refit = desk.slippage().refit()

        with held_by_another(desk), pytest.raises(errors.JournalUnwritable, match="no calibration was changed"):
            await desk.accept_calibration(refit, reason="good fills")
        unkept = (await expected(desk))["n_evidence"]
        await desk.accept_calibration(refit, reason="again")

        assert unkept == 0
        assert [one.reason for one in stack.journalled(CalibrationChanged)] == ["good fills", TAKEN_BACK, "again"]
        assert (await expected(desk))["n_evidence"] == 13

    on_a_desk(scenario, exchange=market(), limits=ROOMY, journal=tmp_path / "journal.sqlite")


def test_the_command_line_gives_what_the_desk_gives(tmp_path: Path) -> None:
    """As a table and as CSV, from the journal alone."""
    journal, summary, refit = (tmp_path / name for name in ("journal.sqlite", "summary.csv", "refit.csv"))

    async def scenario(stack: Stack) -> tuple[pd.DataFrame, pd.DataFrame]:
        await trade(stack.desk)
        reconciler = stack.desk.slippage(unit="ticks", level=0.9)
        return reconciler.summary(), reconciler.refit().table

    shown = on_a_desk(scenario, exchange=market(), limits=ROOMY, journal=journal)
    words = ("slippage", "--journal", str(journal), "--unit", "ticks", "--level", "0.9")
    table = run(*words)
    done = [run(*words, "--csv", str(summary)), run(*words, "--refit", "--csv", str(refit))]
    bad = run("slippage", "--journal", str(journal), "--unit", "pips")

    assert table.returncode == 0
    assert "13" in table.stdout
    assert [one.returncode for one in done] == [0, 0]
    for frame, file in zip(shown, (summary, refit), strict=True):
        read = pd.read_csv(file)
        assert list(read.columns) == list(frame.columns)
        assert read["n"].tolist() == frame["n"].tolist()
        assert read.filter(like="rmse").to_numpy() == pytest.approx(frame.filter(like="rmse").to_numpy())
    assert bad.returncode == 2
    assert "unit='pips' is none; one of bps, ticks, price, cash" in bad.stderr


def test_a_journal_at_rest_has_the_calibrations_too(tmp_path: Path) -> None:
    """By the same fold."""

    async def scenario(stack: Stack) -> pd.DataFrame:
        await trade(stack.desk)
        return await stack.desk.accept_calibration(stack.desk.slippage().refit(), reason="kept")

    shown = on_a_desk(scenario, exchange=market(), limits=ROOMY, journal=tmp_path / "journal.sqlite")
    with JournalReader.open(tmp_path / "journal.sqlite") as reader:
        read = frames.calibrations(reader)

    pd.testing.assert_frame_equal(read, shown)
    assert read["version"][0].startswith("sqrt-1.fit-20270302-")
