"""All months of a symbol side by side: what the exchange knows, what nobody tells, and no line left behind."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hydra_nb.analysis.month_columns import CHAIN
from hydra_nb.desk.chains import GLANCE_S
from hydra_nb.errors import InvalidOrder, UnknownInstrument
from hydra_nb.sim import requests as ask
from hydra_nb.sim.session import Session
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import Stack, WitnessCore, on_a_desk


def watched(stack: Stack) -> set[str]:
    """Months that the gateway sends quotes of, as often as they are asked for."""
    streams = [stream for session in stack.core.sessions for stream in session.tick_streams.values()]
    names = [stack.exchange.listing(stream.con_id) for stream in streams]
    assert len(names) == len(set(names)), "a month is watched twice"
    return {name.local_symbol for name in names if name is not None}


class Mute(WitnessCore):
    """A gateway that does not answer for one month."""

    mute = "ZON7"

    def _is_mute(self, con_id: int) -> bool:
        listing = self.exchange.listing(con_id)
        return listing is not None and listing.local_symbol == self.mute

    def _subscribe_ticks(self, session: Session, request: ask.MarketData, now_ns: int) -> None:
        if not self._is_mute(request.contract.con_id):
            super()._subscribe_ticks(session, request, now_ns)

    def _answer(self, session: Session, request: ask.Request, now_ns: int) -> None:
        if not (isinstance(request, ask.HistoricalData) and self._is_mute(request.contract.con_id)):
            super()._answer(session, request, now_ns)


class Untold(WitnessCore):
    """A gateway that refuses the quotes of one month, and knows no open interest."""

    def _subscribe_ticks(self, session: Session, request: ask.MarketData, now_ns: int) -> None:
        listing = self.exchange.listing(request.contract.con_id)
        if listing is not None and listing.local_symbol == "ZON7":
            session.error(request.req_id, 354, "Requested market data is not subscribed.")
            return
        without = ask.MarketData(req_id=request.req_id, contract=request.contract, snapshot=request.snapshot)
        super()._subscribe_ticks(session, without, now_ns)


def on_a_core(scenario: Callable[[Stack], Awaitable[Any]], core: type[WitnessCore], folder: Path) -> Any:
    """Run a scenario on a gateway of another kind."""

    async def story(lives: Lives) -> Any:
        stack = await lives.open()
        try:
            return await scenario(stack)
        finally:
            await stack.desk.close()

    return in_lives(story, folder=folder, core=core)


def test_a_chain_tells_what_the_exchange_knows() -> None:
    """One row a month, nearest first; the chosen one is what the bare symbol means."""

    async def scenario(stack: Stack) -> tuple[pd.DataFrame, pd.DataFrame, str, str]:
        chain = await stack.desk.chain("zo")
        truth = []
        for listing in (one for one in stack.exchange.listings if one.symbol == "ZO"):
            top = stack.exchange.top(listing.con_id)
            assert top is not None
            bars = stack.exchange.daily_bars(listing.con_id, 20, stack.desk.now_ns())
            truth.append(
                {
                    "local_symbol": listing.local_symbol,
                    "open_interest": stack.exchange.open_interest(listing.con_id, stack.desk.now_ns()),
                    "adv_lots": sum(bar.volume for bar in bars) / len(bars),
                    "days_to_last_trade": (listing.last_trade_date - dt.date(2027, 3, 2)).days,
                    "bid": float(top.bid or 0),
                    "spread_ticks": float(((top.ask or 0) - (top.bid or 0)) / listing.min_tick),
                }
            )
        meant = await stack.desk.instrument("ZO")
        return chain, pd.DataFrame(truth), meant.local_symbol, stack.desk.why("ZO")

    chain, truth, meant, why = on_a_desk(scenario)

    assert list(chain.columns) == [one.name for one in CHAIN]
    assert {one.name: str(chain[one.name].dtype) for one in CHAIN} == {one.name: str(one.kind) for one in CHAIN}
    for column in truth.columns:
        assert chain[column].tolist() == pytest.approx(truth[column].tolist()), column
    assert chain["last_trade"].is_monotonic_increasing
    assert chain.loc[chain["chosen"], "local_symbol"].tolist() == [meant] == ["ZOK7"]
    assert chain["in_close_out"].tolist() == [True, False, False, False, False, False]
    assert chain["first_notice"].isna().all()
    assert chain["position"].tolist() == [0] * 6
    assert chain.loc[chain["chosen"], "why"].item().removeprefix("chosen: ") in why


def test_a_chain_leaves_no_line_behind_and_takes_none_away() -> None:
    """What was watched before, and what is at work, is watched afterwards, and nothing else."""

    async def scenario(stack: Stack) -> tuple[set[str], set[str], int]:
        execution = await stack.desk.submit(
            await stack.desk.preview("BUY", 1, "ZON7", strategy="limit_patience", limit="394.00")
        )
        await stack.desk.instrument("PA")
        await stack.until(lambda: execution.working_lots > 0)
        await stack.sleep(1)
        before = watched(stack)
        await stack.desk.chain("ZO")
        await stack.sleep(1)
        return before, watched(stack), execution.working_lots

    before, after, working = on_a_desk(scenario)

    assert len(before) == 2
    assert after == before
    assert working == 1


def test_an_interrupted_chain_gives_its_lines_back(tmp_path: Path) -> None:
    """A person who stops the cell is not charged for six months of quotes."""

    async def scenario(stack: Stack) -> tuple[set[str], set[str]]:
        cell = asyncio.ensure_future(stack.desk.chain("ZO"))
        await stack.sleep(1)
        meanwhile = watched(stack)
        cell.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cell
        await stack.sleep(1)
        return meanwhile, watched(stack)

    meanwhile, afterwards = on_a_core(scenario, Untold, tmp_path)

    assert len(meanwhile) == 5
    assert afterwards == set()


def test_a_month_of_which_the_broker_tells_nothing_has_no_figures(tmp_path: Path) -> None:
    """The others have theirs, and the choice is made among them."""

    async def scenario(stack: Stack) -> pd.DataFrame:
        return await stack.desk.chain("ZO")

    chain = on_a_core(scenario, Mute, tmp_path).set_index("local_symbol")

    silent = chain.loc["ZON7", ["adv_lots", "volume_today", "open_interest", "bid", "ask", "spread_ticks", "mid"]]
    assert silent.isna().all()
    assert pd.isna(chain.loc["ZON7", "data"])
    assert chain.loc["ZON7", "days_to_last_trade"] == 134
    assert chain.loc["ZON7", "why"] == "the broker tells no volume of it"
    assert chain["chosen"].sum() == chain.loc["ZOK7", "chosen"] == 1
    assert chain.drop(index="ZON7")[["adv_lots", "open_interest", "bid", "ask"]].notna().all(axis=None)


def test_what_is_refused_is_told_once_and_what_is_not_known_is_waited_for_only_so_long(tmp_path: Path) -> None:
    """Without the right to its data a month has no quote; open interest that never comes costs five seconds."""

    async def scenario(stack: Stack) -> tuple[pd.DataFrame, float, int, set[str]]:
        began_ns = stack.desk.now_ns()
        chain = await stack.desk.chain("ZO")
        took_s = (stack.desk.now_ns() - began_ns) / 1e9
        await stack.sleep(1)
        return chain.set_index("local_symbol"), took_s, len(stack.core.heard(2)), watched(stack)

    chain, took_s, cancels, left = on_a_core(scenario, Untold, tmp_path)

    assert GLANCE_S <= took_s < GLANCE_S + 1
    assert chain["open_interest"].isna().all()
    assert chain["bid"].isna().tolist() == [False, False, True, False, False, False]
    assert cancels == 5, "what was refused is not there to be cancelled"
    assert left == set()


def test_first_notice_days_that_a_person_told_are_shown_and_count(tmp_path: Path) -> None:
    """The month that they close is not chosen."""
    facts = tmp_path / "facts.csv"
    facts.write_text("local_symbol,first_notice\nZOK7,2027-03-05\nZOH7,2027-03-08\n", encoding="utf-8")

    async def scenario(stack: Stack) -> pd.DataFrame:
        return await stack.desk.chain("ZO")

    chain = on_a_desk(scenario, contract_facts=facts).set_index("local_symbol")

    assert chain["days_to_notice"].tolist()[:2] == [6, 3]
    assert chain.loc["ZOK7", "first_notice"] == pd.Timestamp("2027-03-05", tz="UTC")
    assert chain["in_close_out"].tolist() == [False, True, False, False, False, False]
    assert chain.loc["ZOK7", "why"] == "3 days before first notice, more than 3 wanted"
    assert chain.loc[chain["chosen"]].index.tolist() == ["ZOH7"]


@pytest.mark.parametrize("symbol", [None, "", 7])
def test_what_names_no_symbol_is_refused(symbol: object) -> None:
    """With what to write instead."""

    async def scenario(stack: Stack) -> None:
        with pytest.raises(InvalidOrder, match="give the broker's symbol, such as 'ZO'"):
            await stack.desk.chain(symbol)  # type: ignore[arg-type]

    on_a_desk(scenario)


def test_a_symbol_that_nobody_lists_is_an_error_with_the_nearest() -> None:
    """As everywhere on the desk."""

    async def scenario(stack: Stack) -> None:
        with pytest.raises(UnknownInstrument, match="you may mean ZO"):
            await stack.desk.chain("ZOO")

    on_a_desk(scenario)
