"""Limits of an open desk: changed while it trades, kept through restarts, and never loosened without a reason."""

import asyncio
import contextlib
import getpass
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import hydra_nb
from hydra_nb import Limits, LimitsNotice, errors
from hydra_nb.desk import limit_setting, who
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import ChildReserved, ChildSent, LimitsChanged, LimitsOpened, SendFailed
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.ledger import Ledger
from hydra_nb.risk.limit_changes import limits_of, own_limits
from hydra_nb.risk.limits import BOUNDS
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop, run_virtual
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, on_a_desk, steady

OATS = steady("370.00", "372.00")
PLACE = 3


def changes(stack: Stack) -> list[tuple[str, str, float | None, float | None, str]]:
    """What the journal says of changes of limits, in order."""
    return [(one.symbol, one.limit, one.old, one.new, one.reason) for one in stack.journalled(LimitsChanged)]


def limits_by_journal(desk: Desk) -> Limits:
    """The limits that a ledger, folded anew from the journal, takes to be in force."""
    ledger = Ledger()
    for _, event in desk._rooms.journal.events():
        ledger.apply(event)
    return limits_of(ledger.limits.in_force)


@contextmanager
def held_by_another(desk: Desk) -> Iterator[None]:
    """Let another program hold a write transaction on the journal."""
    desk._rooms.journal._connection.execute("PRAGMA busy_timeout = 1")  # 2 s of host time at each try else
    with closing(sqlite3.connect(str(desk.journal_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class TestChanging:
    """Tightening holds at once; loosening needs a reason, and holds once it is kept."""

    def test_a_tightened_limit_refuses_the_next_order_of_its_symbol_only(self) -> None:
        """No reason is needed; another symbol goes by the limit of all."""

        async def scenario(stack: Stack) -> None:
            desk = stack.desk
            before = await desk.execute("BUY", 2, "ZO", strategy="limit_patience")

            table = await desk.set_limits({"ZO.max_lots_per_order": 1})

            oats = await desk.execute("BUY", 2, "ZO", strategy="limit_patience", tag="second")
            corn = await desk.execute("BUY", 2, "KE", strategy="limit_patience")
            assert before.filled_lots == corn.filled_lots == 2
            assert oats.status is ParentStatus.REFUSED
            refused = oats.decisions[~oats.decisions["allowed"]]
            assert set(refused["check"]) == {"order_lots"}
            assert set(refused["limit"]) == {1.0}
            assert changes(stack) == [("ZO", "max_lots_per_order", None, 1, "")]
            assert (table.iloc[-1]["symbol"], table.iloc[-1]["value"]) == ("ZO", 1)

        on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))

    def test_an_order_at_work_meets_the_tightened_limit_at_its_next_slice(self) -> None:
        """What rests is not cancelled; the slice after it is refused, and the parent says why."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 6, "ZO", slices=3, duration="30m", strategy="twap")
            execution = await stack.desk.submit(plan)
            await stack.until(lambda: execution.working_lots == 2)

            await stack.desk.set_limits({"max_lots_per_order": 1})
            assert execution.working_lots == 2
            sent = len(stack.journalled(ChildSent))
            await execution

            assert len(stack.journalled(ChildSent)) == sent
            assert execution.status in (ParentStatus.PARTIAL, ParentStatus.REFUSED)
            assert "1 allowed" in execution.reason

        on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))

    @pytest.mark.parametrize("reason", [None, "", "  \n"])
    def test_loosening_without_a_reason_changes_nothing(self, reason: str | None) -> None:
        """Not even what the same call would tighten; each loosened limit is named with both values."""

        async def scenario(stack: Stack) -> None:
            asked = {"collar_ticks": 121, "reset_window_s": 60, "ZO.max_lots_per_order": 30, "max_daily_loss": 5}

            with pytest.raises(errors.LimitsError) as refusal:
                await stack.desk.set_limits(asked, reason=reason)

            for words in (
                "nothing was changed",
                "collar_ticks from 120 to 121 ticks",
                "reset_window_s from 300 to 60 s",
                "max_lots_per_order of ZO from 20 to 30 lots",
                "give reason=",
            ):
                assert words in str(refusal.value)
            assert "max_daily_loss" not in str(refusal.value)
            assert stack.desk.limits == Limits()
            assert changes(stack) == []

        on_a_desk(scenario)

    def test_a_reason_loosens_and_is_kept_with_every_change_of_the_call(self) -> None:
        """One event a limit, tightened ones first, as they hold first; listeners hear of it."""

        async def scenario(stack: Stack) -> None:
            told: list[Limits] = []
            stack.desk.subscribe(lambda: told.append(stack.desk.limits))

            await stack.desk.set_limits({"collar_ticks": 150, "ZO.max_lots_per_order": 3}, reason=" wider spreads ")
            await asyncio.sleep(0)

            assert stack.desk.limits == Limits(collar_ticks=150, symbols={"ZO": {"max_lots_per_order": 3}})
            assert changes(stack) == [
                ("ZO", "max_lots_per_order", None, 3, "wider spreads"),
                ("*", "collar_ticks", 120, 150, "wider spreads"),
            ]
            assert told[-1] == stack.desk.limits
            assert limits_by_journal(stack.desk) == stack.desk.limits

        on_a_desk(scenario)

    def test_all_limits_at_once_as_such_or_from_a_file(self, tmp_path: Path) -> None:
        """What a file does not name takes its default, as when a desk is opened with it."""
        file = tmp_path / "limits.toml"
        file.write_text("collar_ticks = 60\n[symbols.ZO]\ncollar_ticks = 40\n", encoding="utf-8")

        async def scenario(stack: Stack) -> None:
            await stack.desk.set_limits(Limits(max_lots_per_order=5))
            assert stack.desk.limits == Limits(max_lots_per_order=5)

            with pytest.raises(errors.LimitsError, match="max_lots_per_order from 5 to 20 lots"):
                await stack.desk.set_limits(file)
            await stack.desk.set_limits(str(file), reason="back to the file")

            assert stack.desk.limits == Limits(collar_ticks=60, symbols={"ZO": {"collar_ticks": 40}})

        on_a_desk(scenario)

    def test_limits_that_are_in_force_change_nothing(self) -> None:
        """Neither a reason nor an event."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.set_limits(stack.desk.limits)
            await stack.desk.set_limits({})
            await stack.desk.set_limits({"collar_ticks": 120, "ZO.collar_ticks": None})

            assert changes(stack) == []

        on_a_desk(scenario)

    @pytest.mark.parametrize(
        "asked",
        [{"collar_pct": 1}, {"ZO.max_daily_loss": 1}, {"collar_ticks": -1}, "none.toml", None, 5, ["collar_ticks"]],
        ids=str,
    )
    def test_bad_limits_change_nothing(self, asked: Any) -> None:
        """Whatever else the call holds."""

        async def scenario(stack: Stack) -> None:
            with pytest.raises(errors.LimitsError):
                await stack.desk.set_limits(asked, reason="a good reason")
            with pytest.raises(errors.LimitsError, match="no text"):
                await stack.desk.set_limits({"collar_ticks": 200}, reason=5)  # type: ignore[arg-type]

            assert stack.desk.limits == Limits()
            assert changes(stack) == []

        on_a_desk(scenario)

    def test_a_closed_desk_takes_no_limits(self) -> None:
        """Its journal is closed; what it held to can still be read."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.close()

            with pytest.raises(errors.NotConnected, match="closed"):
                await stack.desk.set_limits({"collar_ticks": 5})
            assert stack.desk.limits == Limits()
            assert len(stack.desk.limit_table()) == len(BOUNDS)

        on_a_desk(scenario)

    def test_the_table_shows_what_holds_and_when_it_was_changed(self) -> None:
        """In market time; what was never changed has none."""

        async def scenario(stack: Stack) -> None:
            await stack.sleep(60)
            now_ns = stack.desk.now_ns()

            table = await stack.desk.set_limits({"collar_ticks": 40})

            row = table.set_index("limit").loc["collar_ticks"]
            assert (row["value"], row["default"], row["symbol"]) == (40, 120, "*")
            assert row["changed"] == pd.Timestamp(now_ns, unit="ns", tz="UTC")
            assert table["changed"].notna().sum() == 1
            pd.testing.assert_frame_equal(table, stack.desk.limit_table())

        on_a_desk(scenario)


class TestTheDisk:
    """A journal that takes nothing keeps nobody from tightening, and nothing is loosened without it."""

    def test_tightening_holds_all_the_same_and_loosening_is_taken_back(self, tmp_path: Path) -> None:
        """The error says which is which; once there is room again the journal tells what was in force."""
        path = tmp_path / "journal.sqlite"

        async def scenario(stack: Stack) -> None:
            with held_by_another(stack.desk):
                with pytest.raises(errors.JournalUnwritable) as caught:
                    await stack.desk.set_limits({"collar_ticks": 150, "ZO.max_lots_per_order": 3}, reason="wider")
                with pytest.raises(errors.JournalUnwritable, match="in force all the same: max_daily_loss"):
                    await stack.desk.set_limits({"max_daily_loss": 500})

                held = Limits(max_daily_loss=500, symbols={"ZO": {"max_lots_per_order": 3}})
                assert stack.desk.limits == held
                assert "in force all the same: max_lots_per_order of ZO from 20 to 3 lots" in str(caught.value)
                assert "not loosened: collar_ticks from 120 to 150 ticks" in str(caught.value)

            await stack.sleep(10)
            assert stack.desk.status["journal_healthy"]
            assert stack.desk.limits == held
            assert [one[1:] for one in changes(stack) if one[1] == "collar_ticks"] == [
                ("collar_ticks", 120, 150, "wider"),
                ("collar_ticks", 150, 120, limit_setting.TAKEN_BACK),
            ]
            await stack.desk.set_limits({"collar_ticks": 150}, reason="wider, again")
            assert stack.desk.limits.collar_ticks == 150
            assert limits_by_journal(stack.desk) == stack.desk.limits

        on_a_desk(scenario, journal=path)

    @pytest.mark.parametrize("end", ["kept", "interrupted"])
    def test_what_is_tightened_while_a_loosening_waits_for_the_disk_stays_so(self, tmp_path: Path, end: str) -> None:
        """Whether that wait ends well or is interrupted; until it ends nothing is loosened, and then all are told."""

        async def scenario() -> None:
            async with hydra_nb.connect(seed=7, speed=60, journal=tmp_path / "journal.sqlite") as desk:
                gate, writer = desk._rooms.gate, desk._rooms.journal._writer
                commit, disk, told = writer.commit, asyncio.Event(), [Limits()]
                desk.subscribe(lambda: told.append(desk.limits))

                async def commit_late() -> None:
                    await disk.wait()
                    await commit()

                writer.commit = commit_late  # type: ignore[method-assign]
                asked = {"collar_ticks": 200, "ZO.collar_ticks": 210, "max_position_lots": 60}
                loosening = asyncio.create_task(desk.set_limits(asked, reason="wider"))
                await asyncio.sleep(0.05)
                assert gate.limits == Limits()

                tightening = asyncio.create_task(desk.set_limits({"collar_ticks": 40}))
                await asyncio.sleep(0.05)
                assert gate.limits == Limits(collar_ticks=40)

                if end == "interrupted":
                    loosening.cancel()
                disk.set()
                await asyncio.wait([loosening, tightening])
                await asyncio.sleep(0)

                assert loosening.cancelled() is (end == "interrupted")
                loosened: dict[str, Any] = {"max_position_lots": 60, "symbols": {"ZO": {"collar_ticks": 210}}}
                assert gate.limits == Limits(collar_ticks=40, **({} if loosening.cancelled() else loosened))
                assert limits_by_journal(desk) == told[-1] == gate.limits

        asyncio.run(scenario())

    def test_two_who_loosen_at_once_take_turns(self, tmp_path: Path) -> None:
        """The second sees what came of the first, and journal and gate agree in the end."""

        async def scenario() -> None:
            async with hydra_nb.connect(seed=7, speed=60, journal=tmp_path / "journal.sqlite") as desk:
                first, second = (
                    asyncio.create_task(desk.set_limits({"collar_ticks": ticks}, reason=f"to {ticks}"))
                    for ticks in (150, 200)
                )
                await asyncio.gather(first, second)

                journalled = [e for _, e in desk._rooms.journal.events() if isinstance(e, LimitsChanged)]
                assert [(one.old, one.new) for one in journalled] == [(120, 150), (150, 200)]
                assert desk.limits == limits_by_journal(desk) == Limits(collar_ticks=200)

        asyncio.run(scenario())


class TestOpening:
    """A re-run cell, a restart or a crash neither opens a second desk nor loosens what was tightened."""

    def test_the_first_opening_keeps_all_limits_and_later_ones_only_what_is_new(self, tmp_path: Path) -> None:
        """Whatever the defaults of this version are, the journal tells what was in force."""

        async def story(lives: Lives) -> None:
            given = Limits(collar_ticks=60, symbols={"ZO": {"collar_ticks": 40}})
            for _ in range(2):
                stack = await lives.open(limits=given)
                await stack.desk.close()
            [opened] = stack.journalled(LimitsOpened)
            told = {(one.symbol, one.limit): one.value for one in opened.values}
            assert told == own_limits(given)
            assert changes(stack) == []

        in_lives(story, folder=tmp_path)

    def test_a_cell_run_again_gives_the_desk_with_its_tightened_limits(self) -> None:
        """Equal arguments are the arguments that it was opened with, not the limits that it has come to."""

        async def whole(_loop: VirtualLoop) -> None:
            how: dict[str, Any] = {"seed": 7, "speed": "max", "journal": ":memory:", "limits": Limits(collar_ticks=60)}
            desk = await hydra_nb.connect(**how)
            await desk.set_limits({"collar_ticks": 40})

            again = await hydra_nb.connect(**how)

            assert again is desk
            assert again.limits.collar_ticks == 40
            await desk.close()

        run_virtual(whole)

    @pytest.mark.parametrize("crash", [True, False], ids=["crash", "close"])
    def test_what_was_tightened_outlives_the_process_and_says_so(self, tmp_path: Path, crash: bool) -> None:
        """The same cell opens a desk that is as tight; the notice names both values and the remedy."""

        async def story(lives: Lives) -> None:
            first = await lives.open(limits=Limits(collar_ticks=60))
            await first.desk.set_limits({"collar_ticks": 40, "ZO.max_lots_per_order": 2})
            await (lives.kill(first) if crash else first.desk.close())

            with pytest.warns(LimitsNotice) as told:
                second = await lives.open(limits=Limits(collar_ticks=60))

            assert second.desk.limits == Limits(collar_ticks=40, symbols={"ZO": {"max_lots_per_order": 2}})
            [notice] = [str(one.message) for one in told if one.category is LimitsNotice]
            assert "collar_ticks stays at 40, not 60 as given" in notice
            assert "max_lots_per_order of ZO stays at 2, not 20 as given" in notice
            assert "set_limits(..., reason=...)" in notice
            assert len(changes(second)) == 2
            execution = await second.desk.execute("BUY", 3, "ZO", strategy="limit_patience")
            assert execution.status is ParentStatus.REFUSED

            await second.desk.set_limits(Limits(collar_ticks=60), reason="calm again")
            await second.desk.close()
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                third = await lives.open(limits=Limits(collar_ticks=60))
            assert third.desk.limits == Limits(collar_ticks=60)
            await third.desk.close()

        in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))

    def test_what_was_loosened_ends_with_its_desk(self, tmp_path: Path) -> None:
        """The reason was one of that day; the next desk holds to what it is given, and the journal tells."""

        async def story(lives: Lives) -> None:
            first = await lives.open()
            await first.desk.set_limits({"collar_ticks": 200, "ZO.max_lots_per_order": 30}, reason="a wild day")
            await first.desk.close()

            second = await lives.open()

            assert second.desk.limits == Limits()
            assert changes(second)[2:] == [
                ("*", "collar_ticks", 200, 120, limit_setting.AT_OPENING),
                ("ZO", "max_lots_per_order", 30, None, limit_setting.AT_OPENING),
            ]
            await second.desk.close()

        in_lives(story, folder=tmp_path)

    def test_limits_that_are_given_otherwise_hold_as_given_and_loosening_them_is_no_secret(
        self, tmp_path: Path
    ) -> None:
        """Who edits the cell or the file has thought of it; each difference is an event, and what is looser is said."""

        async def story(lives: Lives) -> None:
            first = await lives.open(limits=Limits(collar_ticks=60, max_lots_per_order=5))
            await first.desk.set_limits({"collar_ticks": 40})
            await first.desk.close()

            given = Limits(collar_ticks=80, max_lots_per_order=4, symbols={"KE": {"collar_ticks": 20}})
            with pytest.warns(LimitsNotice, match="Looser than when this journal was last open: collar_ticks from 40"):
                second = await lives.open(limits=given)

            assert second.desk.limits == given
            assert changes(second)[1:] == [
                ("*", "max_lots_per_order", 5, 4, limit_setting.AT_OPENING),
                ("*", "collar_ticks", 40, 80, limit_setting.AT_OPENING),
                ("KE", "collar_ticks", None, 20, limit_setting.AT_OPENING),
            ]
            assert len(second.journalled(LimitsOpened)) == 2
            assert limits_by_journal(second.desk) == given
            await second.desk.close()

        in_lives(story, folder=tmp_path)

    def test_a_journal_that_kept_no_limits_yet_holds_to_those_given(self, tmp_path: Path) -> None:
        """One of an earlier version: it is read as ever, and begins to keep them."""
        path = tmp_path / "journal.sqlite"

        async def story(lives: Lives) -> None:
            lives.journal = path
            first = await lives.open()
            account = first.desk.account
            await first.desk.close()
            path.unlink()
            journal = hydra_nb.Journal.open(path, account=account, now_ns=1, inline=True)
            journal.close()

            second = await lives.open(limits=Limits(collar_ticks=60))

            assert second.desk.limits == Limits(collar_ticks=60)
            assert len(second.journalled(LimitsOpened)) == 1
            assert changes(second) == []
            await second.desk.close()

        in_lives(story, folder=tmp_path)


BAD_FILES = ["", "collar_ticks = -1", "collar_pct = 1", "collar_ticks = true", "[symbols.zo]\ncollar_ticks = 1", "["]


class TestBadLimits:
    """A desk does not open on them, and one that is open stays as it is."""

    @pytest.mark.parametrize("text", BAD_FILES)
    def test_nothing_is_opened_for_bad_limits(self, text: str, tmp_path: Path) -> None:
        """No connection, no journal; file and remedy are named."""
        file, journal = tmp_path / "limits.toml", tmp_path / "journal.sqlite"
        file.write_text(text, encoding="utf-8")
        core = WitnessCore(Exchange(seed=7))

        async def whole(loop: VirtualLoop) -> str:
            loop.attach(core)
            with pytest.raises(errors.LimitsError) as caught:
                await hydra_nb.connect(f"{SIM_HOST}:4002", journal=journal, limits=file)
            return str(caught.value)

        words = run_virtual(whole)

        assert str(file) in words
        assert core.frames == []
        assert core.sessions == []
        assert not journal.exists()

    @pytest.mark.parametrize("limits", [5, {"collar_ticks": 40}, ["collar_ticks"], b"limits.toml", True], ids=str)
    def test_what_is_neither_limits_nor_a_path_is_refused(self, limits: Any) -> None:
        """In words that say what is."""

        async def whole(_loop: VirtualLoop) -> None:
            await hydra_nb.connect(seed=7, speed="max", journal=":memory:", limits=limits)

        with pytest.raises(errors.LimitsError, match=r"give hydra_nb.Limits\(...\), or the path of a TOML file"):
            run_virtual(whole)

    @pytest.mark.parametrize("other", [{"fresh": True}, {}], ids=["fresh", "other arguments"])
    def test_bad_limits_close_no_open_desk(self, other: dict[str, Any], tmp_path: Path) -> None:
        """Neither one of equal arguments that is to be opened anew, nor one that others would replace."""
        file = tmp_path / "limits.toml"

        async def whole(_loop: VirtualLoop) -> None:
            file.write_text("collar_ticks = 60", encoding="utf-8")
            how: dict[str, Any] = {"seed": 7, "speed": "max", "journal": ":memory:"}
            desk = await hydra_nb.connect(**how, limits=file if other else None)
            file.write_text("collar_ticks = 'wide'", encoding="utf-8")

            with pytest.raises(errors.LimitsError, match=re.escape(f"{file}:1")):
                await hydra_nb.connect(**how, limits=file, **other)

            assert desk.is_open
            await desk.close()

        run_virtual(whole)


class TestWho:
    """The journal names the user of the operating system; nothing that a notebook shows does."""

    def test_the_user_of_the_process_is_in_the_journal_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither the frame, nor the limits, nor the desk, nor a notice shows the name."""
        name = "somebody-in-particular"
        monkeypatch.setattr("hydra_nb.desk.connect.user_name", lambda: name)
        path = tmp_path / "journal.sqlite"

        async def scenario() -> str:
            shown = []
            async with hydra_nb.connect(seed=7, speed=60, journal=path) as desk:
                table = await desk.set_limits({"collar_ticks": 40, "max_position_lots": 60}, reason="a wild day")
                with contextlib.suppress(errors.LimitsError):
                    await desk.set_limits({"collar_ticks": 60})
                shown = [
                    table.to_csv(),
                    repr(desk),
                    repr(desk.limits),
                    str(desk.status),
                    desk.view()._repr_mimebundle_(),
                ]
            return str(shown)

        shown = asyncio.run(scenario())

        assert name not in shown
        with JournalReader.open(path) as reader:
            kept = [e for _, e in reader.events() if isinstance(e, LimitsChanged | LimitsOpened)]
        assert [event.who for event in kept] == [name] * 3

    def test_the_name_is_that_of_the_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not what the environment says, which anybody can set."""
        true_name = who.user_name()

        monkeypatch.setenv("LOGNAME", "somebody-else")

        assert getpass.getuser() == "somebody-else"
        assert who.user_name() == true_name != "somebody-else"

    def test_in_virtual_time_one_seed_gives_one_journal_on_whatever_computer(self) -> None:
        """No name of a user is in it."""

        async def scenario(stack: Stack) -> set[str]:
            await stack.desk.set_limits({"collar_ticks": 40})
            return {event.who for event in [*stack.journalled(LimitsChanged), *stack.journalled(LimitsOpened)]}

        assert on_a_desk(scenario) == {who.IN_VIRTUAL_TIME}


class TestSymbols:
    """Whatever else looks at a limit looks at the symbol's."""

    def test_the_last_look_goes_by_the_quote_age_of_the_symbol(self) -> None:
        """The quote was young enough for the gate, and is too old for oats when the disk has the order."""
        limits = Limits(symbols={"ZO": {"max_quote_age_s": 0.5}})

        async def scenario(stack: Stack) -> None:
            writer = stack.desk._rooms.journal._writer
            commit = writer.commit

            async def commit_late() -> None:
                await commit()
                if stack.journalled(ChildReserved):
                    await stack.sleep(1)

            plan = await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience")
            writer.commit = commit_late  # type: ignore[method-assign]
            execution = await stack.desk.submit(plan)
            await stack.until(lambda: bool(stack.journalled(SendFailed)))
            await execution.cancel()

            assert stack.journalled(SendFailed)[0].reason == "the quote is older than 0.5 s"
            assert stack.core.heard(PLACE) == []

        on_a_desk(scenario, limits=limits, exchange=ScriptedExchange(script=OATS, is_quiet=True))

    def test_the_board_and_the_execution_show_the_limits_of_the_symbol(self) -> None:
        """Largest position, age of the quote, and share of equity, where oats have less than all others."""
        own = {"max_position_lots": 3, "max_quote_age_s": 7.0, "max_position_percent_of_equity": 8.0}

        async def scenario(stack: Stack) -> None:
            oats = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
            wheat = await stack.desk.execute("BUY", 3, "KE", strategy="limit_patience")

            board = stack.desk.board()

            assert {one.local_symbol[:2]: one.max_lots for one in board.positions} == {"ZO": 3, "KE": 50}
            assert (oats.quote_age_allowed_s, wheat.quote_age_allowed_s) == (7.0, 30.0)
            assert board.quote_age_allowed_s == 7.0
            share = next(one for one in board.breakers if one.check == "position_share")
            value = next(one.value for one in board.positions if one.local_symbol.startswith("ZO"))
            assert value is not None
            equity = stack.manager.ledger.equity
            assert equity is not None
            assert share.limit == 8.0
            assert share.observed == pytest.approx(float(value / equity * 100), rel=1e-3)

        on_a_desk(scenario, limits=Limits(symbols={"ZO": own}), exchange=ScriptedExchange(script=OATS))
