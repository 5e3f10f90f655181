"""Whatever is wrong: an error of the tree with value, limit and remedy; nothing is sent, nothing journalled is lost."""

import asyncio
import contextlib
import datetime as dt
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hydra_nb
from hydra_nb import errors
from hydra_nb.desk.arguments import How
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import Event
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop, run_virtual
from tests.whole_stack import SEED, ScriptedExchange, Stack, WitnessCore, on_a_desk, steady

START_API, REQUEST_TIME = 71, 49


def nothing_sent(core: WitnessCore) -> bool:
    """Whether neither an order nor a cancel reached the gateway, and the exchange knows none."""
    known = [*core.exchange.open_orders(), *core.exchange.completed_orders()]
    return not core.heard(3) and not core.heard(4) and not known


def refused_by_preview(*what: Any, **how: Any) -> str:
    """The message with which preview refuses; nothing of it is sent or kept."""

    async def scenario(stack: Stack) -> str:
        before = len(stack.journalled(Event))
        with pytest.raises(errors.OrderError) as caught:
            await stack.desk.preview(*what, **how)
        assert stack.desk.executions().empty
        assert nothing_sent(stack.core)
        assert len(stack.journalled(Event)) == before
        assert stack.desk.is_open
        return f"{type(caught.value).__name__}: {caught.value}"

    return on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))


class TestOrders:
    """Malformed arguments raise at preview, in words that say what to write instead."""

    @pytest.mark.parametrize(
        ("symbol", "said", "remedy"),
        [
            ("LH", "LH", "HE"),
            ("OATS", "OATS", "ZO"),
            ("zo zo", "ZO ZO", "ZO"),
            ("ZOF7", "ZOF7", "read as January 2027: no such month of ZO is listed (it may have expired); "),
            ("ZOZ6", "ZOZ6", 'await desk.chain("ZO") shows the months that there are'),
            ("zoh17", "ZOH17", "read as March 2017: no such month of ZO is listed (it may have expired)"),
            ("KEZ6", "KEZ6", 'await desk.chain("KE") shows the months that there are'),
            ("ZSZ6", "ZSZ6", "read as December 2026, nor any month of 'ZS'; "),
            ("", "", "ZO"),
            ("ES", "ES", "of the thin futures that this package knows you may mean KE or HE"),
            ("ZS", "ZS", "of the thin futures that this package knows you may mean ZR or ZO"),
            ("XXXXXXXX", "XXXXXXXX", "ZO"),
        ],
    )
    def test_an_unknown_symbol_names_the_nearest(self, symbol: str, said: str, remedy: str) -> None:
        """With what was asked for, and what the broker may list."""
        message = refused_by_preview("BUY", 1, symbol)

        assert message.startswith("UnknownInstrument")
        assert repr(said) in message
        assert remedy in message

    @pytest.mark.parametrize("key", [None, 3.5, object(), ["ZO"]])
    def test_a_thing_that_is_no_instrument_is_said_to_be_none(self, key: object) -> None:
        """Not an AttributeError from somewhere inside."""
        assert refused_by_preview("BUY", 1, key)

    @pytest.mark.parametrize(
        "lots",
        [0, -1, 1.5, 2.0, "3", True, False, None, float("nan"), Decimal(2), Fraction(3, 2), np.float64(2), 10**20],
    )
    def test_lots_are_a_whole_number_of_at_least_one(self, lots: object) -> None:
        """Bools and whole floats too are no number of lots, nor is what no journal could keep."""
        message = refused_by_preview("BUY", lots, "ZO")

        assert message.startswith("InvalidOrder")
        assert repr(lots) in message
        assert "1" in message

    @pytest.mark.parametrize("lots", [np.int64(2), np.int32(2)])
    def test_whole_numbers_of_numpy_are_lots(self, lots: Any) -> None:
        """They come out of frames, and mean what they say."""

        async def scenario(stack: Stack) -> int:
            return (await stack.desk.preview("BUY", lots, "ZO")).parent.lots

        assert on_a_desk(scenario) == 2

    def test_numbers_out_of_a_frame_are_settings_too(self) -> None:
        """What numpy hands out is planned, sent and kept like what a person types."""
        figures = {"slices": np.int64(2), "adv": np.int64(400), "seed": np.int64(3), "duration": np.float64(900)}
        typed = {"slices": 2, "adv": 400, "seed": 3, "duration": 900.0}

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 6, "ZO", limit=np.float64(372.0), **figures)
            same = await stack.desk.preview("BUY", 6, "ZO", limit=372.0, **typed)
            assert plan.terms.slices == same.terms.slices
            execution = await (await stack.desk.submit(plan))
            assert execution.filled_lots == stack.lots_filled() == 6

        on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))

    @pytest.mark.parametrize("side", ["LONG", "B", "", None, 1, "BUY ", "buy sell"])
    def test_a_side_is_buy_or_sell(self, side: object) -> None:
        """The message names both."""
        message = refused_by_preview(side, 1, "ZO")

        assert message.startswith("InvalidOrder")
        assert repr(side) in message
        assert "'BUY'" in message
        assert "'SELL'" in message

    @pytest.mark.parametrize("duration", ["900", " 900 ", "9e2", dt.timedelta(minutes=15), pd.Timedelta("15m")])
    def test_a_bare_number_as_text_is_of_seconds_like_any_other(self, duration: Any) -> None:
        """As one types it into a ticket or a command; pandas would make nanoseconds of it."""
        assert How(duration=duration).duration_ns == 900 * 10**9

    @pytest.mark.parametrize("duration", [100, "3m", "249s", 10.5, "249"])
    def test_a_duration_shorter_than_the_slices_need_names_the_shortest(self, duration: float | str) -> None:
        """Each slice needs 35 s and 5 s for its cancel in its shortest gap; the remedy, tried, works."""
        message = refused_by_preview("BUY", 5, "ZO", strategy="twap", slices=5, duration=duration)

        assert message.startswith("DurationTooShort")
        assert "250" in message

        async def scenario(stack: Stack) -> None:
            await stack.desk.preview("BUY", 5, "ZO", strategy="twap", slices=5, duration=251)

        on_a_desk(scenario)

    @pytest.mark.parametrize(
        "duration", [0, -5, "soon", float("nan"), float("inf"), "-2h", object(), [1], 1e12, "400D"]
    )
    def test_a_duration_that_is_no_time_says_how_to_write_one(self, duration: object) -> None:
        """Not a traceback of pandas."""
        message = refused_by_preview("BUY", 5, "ZO", strategy="twap", duration=duration)

        assert message.startswith(("InvalidOrder", "DurationTooShort"))

    @pytest.mark.parametrize(
        ("limit", "nearest"), [(370.1, ("370.00", "370.25")), ("371.999", ("371.75", "372.00")), (-0.1, ("0.25", "0"))]
    )
    def test_a_limit_off_tick_names_the_ticks_around_it(self, limit: float | str, nearest: tuple[str, str]) -> None:
        """With the tick, and both neighbours in the contract's own decimals."""
        message = refused_by_preview("BUY", 1, "ZO", limit=limit)

        assert message.startswith("InvalidOrder")
        assert "0.25" in message
        assert all(tick in message for tick in nearest)

    @pytest.mark.parametrize("limit", [float("nan"), float("inf"), "NaN", "cheap", object(), True, 1e300, "1e30"])
    def test_a_limit_that_is_no_price_is_refused(self, limit: object) -> None:
        """NaN compares with nothing, so it must not get as far as a comparison."""
        message = refused_by_preview("BUY", 1, "ZO", limit=limit)

        assert message.startswith("InvalidOrder")
        assert repr(limit) in message

    @pytest.mark.parametrize(
        "how",
        [
            {"strategy": "vwap"},
            {"slices": 0},
            {"slices": 2.5},
            {"slices": 501},
            {"patience": "300"},
            {"jitter": "0.2"},
            {"adv": "1000"},
            {"patience": 0},
            {"patience": float("nan")},
            {"step": 0},
            {"step": 1},
            {"step": float("nan")},
            {"jitter": 1.5},
            {"jitter": -0.1},
            {"adv": -1},
            {"adv": float("nan")},
            {"tag": 5},
            {"tag": "x" * 201},
            {"seed": 1.5},
            {"seed": "seven"},
            {"seed": -1},
            {"seed": 2**63},
            {"seed": True},
            {"adv": True},
            {"patience": "long"},
            {"tag": "two\nlines"},
            {"tag": "\ud800"},
        ],
        ids=str,
    )
    def test_settings_out_of_their_range_are_refused(self, how: dict[str, Any]) -> None:
        """With what was given and what is allowed."""
        message = refused_by_preview("BUY", 5, "ZO", **how)

        [(name, value)] = how.items()
        assert name in message
        assert repr(value)[:20] in message

    def test_an_unknown_keyword_is_a_type_error_that_lists_the_known(self) -> None:
        """A typing error must not silently become a default."""

        async def scenario(stack: Stack) -> None:
            with pytest.raises(TypeError, match=r"'slice'.*slices"):
                await stack.desk.preview("BUY", 5, "ZO", slice=3)
            assert nothing_sent(stack.core)

        on_a_desk(scenario)

    @pytest.mark.parametrize("thing", [None, "plan", {"plan": 1}, 7])
    def test_submit_takes_a_plan_and_nothing_else(self, thing: object) -> None:
        """Said before anything else happens."""

        async def scenario(stack: Stack) -> None:
            with pytest.raises(errors.InvalidOrder, match=r"Plan.*preview"):
                await stack.desk.submit(thing)  # type: ignore[arg-type]
            assert stack.desk.executions().empty
            assert nothing_sent(stack.core)

        on_a_desk(scenario)

    def test_a_plan_of_another_account_is_refused(self) -> None:
        """A plan carries its account."""

        async def draw(stack: Stack) -> Any:
            return await stack.desk.preview("BUY", 1, "ZO")

        foreign = on_a_desk(draw, seed=8)

        async def scenario(stack: Stack) -> None:
            with pytest.raises(errors.InvalidOrder, match="drawn for"):
                await stack.desk.submit(foreign)
            assert nothing_sent(stack.core)

        on_a_desk(scenario, seed=7)

    def test_a_plan_older_than_300_seconds_is_refused_and_a_fresh_one_is_not(self) -> None:
        """Age, limit and remedy are said; at 300 s it still goes."""

        async def scenario(stack: Stack) -> str:
            old = await stack.desk.preview("BUY", 1, "ZO")
            await stack.sleep(301)
            with pytest.raises(errors.PlanExpired) as caught:
                await stack.desk.submit(old)
            assert stack.desk.executions().empty
            assert nothing_sent(stack.core)
            fresh = await stack.desk.preview("BUY", 1, "ZO")
            await stack.sleep(299)
            await stack.desk.submit(fresh)
            return str(caught.value)

        message = on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))

        assert "301 s" in message
        assert "300 s" in message
        assert "preview again" in message

    def test_a_closed_desk_says_so(self) -> None:
        """And names the way to a new one."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 1, "ZO")
            await stack.desk.close()
            for call in (stack.desk.preview("BUY", 1, "ZO"), stack.desk.submit(plan), stack.desk.reconcile()):
                with pytest.raises(errors.NotConnected, match=r"connect\(\)"):
                    await call

        on_a_desk(scenario)


HOLD = """
import sys
from pathlib import Path
from hydra_nb.journal import Journal
journal = Journal.open(Path(sys.argv[1]), account=sys.argv[2], now_ns=1)
print("held", flush=True)
sys.stdin.readline()
"""


def connecting(loop_main: Callable[[VirtualLoop, WitnessCore], Awaitable[Any]], *, exchange: Exchange) -> WitnessCore:
    """Run something against a gateway in memory that others than the embedded one's desks reach; gives the gateway."""
    core = WitnessCore(exchange)

    async def whole(loop: VirtualLoop) -> None:
        loop.attach(core)
        await loop_main(loop, core)
        await asyncio.sleep(1)

    run_virtual(whole)
    return core


def refused_by_connect(error: type[errors.HydraError], journal: Path | str, **how: Any) -> str:
    """The message with which connect refuses this journal; the gateway saw nobody stay, and no order."""
    core = WitnessCore(Exchange(seed=SEED))
    words: list[str] = []

    async def scenario(_loop: VirtualLoop, _core: WitnessCore) -> None:
        with pytest.raises(error) as caught:
            await hydra_nb.connect(f"{SIM_HOST}:4002", journal=journal, **how)
        assert type(caught.value) is error
        words.append(str(caught.value))

    async def whole(loop: VirtualLoop) -> None:
        loop.attach(core)
        await scenario(loop, core)
        await asyncio.sleep(1)

    run_virtual(whole)
    assert nothing_sent(core)
    assert core.sessions == []
    return words[0]


def written_journal(path: Path, *, seed: int = SEED) -> list[tuple[int, Event]]:
    """A journal with a finished order in it, and what it holds."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")

    on_a_desk(scenario, seed=seed, journal=path)
    return kept(path)


def kept(path: Path) -> list[tuple[int, Event]]:
    """Everything that a journal holds, with its chain of hashes verified."""
    with JournalReader.open(path) as reader:
        reader.verify()
        return list(reader.events())


class TestJournals:
    """A journal that cannot be used is left as it is, and no order is sent without one."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Where the journal is."""
        return tmp_path / "journal.sqlite"

    @pytest.fixture
    def holder(self, path: Path) -> Iterator[subprocess.Popen[str]]:
        """Another process that holds a journal with an order in it."""
        written_journal(path)
        words = [sys.executable, "-c", HOLD, str(path), Exchange(seed=SEED).account]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "held"
            yield process
            process.kill()

    def test_a_locked_journal_says_who_has_it(self, path: Path, holder: subprocess.Popen[str]) -> None:
        """The other desk's process, and what to do; that desk's journal is not touched."""
        before = kept(path)

        message = refused_by_connect(errors.JournalLocked, path)

        assert str(holder.pid) in message
        assert str(path) in message
        assert "close" in message
        assert len(before) > 10
        assert kept(path) == before

    @pytest.mark.parametrize("content", [b"not a database at all, but a letter home\n" * 50, b"\x00" * 8192])
    def test_a_file_that_is_no_journal_is_left_alone(self, path: Path, content: bytes) -> None:
        """Whatever it is, it is somebody's."""
        path.write_bytes(content)

        message = refused_by_connect(errors.JournalUnreadable, path)

        assert str(path) in message
        assert path.read_bytes() == content

    def test_a_database_of_another_kind_is_left_alone(self, path: Path) -> None:
        """Not every SQLite file is a journal."""
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")
        other.close()
        before = path.read_bytes()

        message = refused_by_connect(errors.JournalUnreadable, path)

        assert str(path) in message
        assert path.read_bytes() == before

    def test_a_torn_journal_is_not_traded_on(self, path: Path) -> None:
        """A page in its middle is overwritten."""
        written_journal(path)
        torn = bytearray(path.read_bytes())
        torn[8192:12288] = bytes(4096)
        path.write_bytes(torn)

        message = refused_by_connect(errors.JournalUnreadable, path)

        assert message
        assert path.read_bytes() == bytes(torn)

    def test_a_journal_that_was_tampered_with_names_the_row(self, path: Path) -> None:
        """The chain of hashes breaks where a price was changed."""
        written_journal(path)
        with sqlite3.connect(path) as forger:
            (seq,) = forger.execute("SELECT min(seq) FROM events WHERE kind = 'ChildReserved'").fetchone()
            forger.execute("DROP TRIGGER events_stay")
            forger.execute("UPDATE events SET payload = replace(payload, 'BUY', 'SELL') WHERE seq = ?", (seq,))
        forger.close()

        message = refused_by_connect(errors.JournalUnreadable, path)

        assert f"{seq}" in message

    def test_a_journal_of_another_account_is_refused(self, path: Path) -> None:
        """Both accounts are named, masked; the remedy is another path."""
        before = written_journal(path, seed=8)

        message = refused_by_connect(errors.JournalOfAnotherAccount, path)

        mine, other = Exchange(seed=SEED).account, Exchange(seed=8).account
        assert mine not in message
        assert other not in message
        assert "another path" in message
        assert kept(path) == before

    def test_a_journal_of_a_later_version_is_refused(self, path: Path) -> None:
        """An old program must not write what a new one will misread."""
        before = written_journal(path)
        with sqlite3.connect(path) as later:
            later.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
        later.close()

        message = refused_by_connect(errors.JournalTooNew, path)

        assert "999" in message
        assert "update" in message
        with sqlite3.connect(path) as back:
            back.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        back.close()
        assert kept(path) == before

    def test_a_number_that_no_journal_can_hold_stops_all_sending(self) -> None:
        """The desk goes on living, refuses with the reason, and says at its close what could not be kept."""
        seen: list[tuple[ParentStatus, str, bool]] = []

        async def scenario(stack: Stack) -> None:
            contract = await stack.desk.instrument("ZO")
            quote = Quote(con_id=contract.con_id, time_ns=stack.desk.now_ns(), volume=10**30)
            stack.desk._rooms.journal.append_quote(quote, contract.local_symbol)
            await stack.sleep(60)
            with contextlib.suppress(errors.JournalUnwritable):
                await stack.desk._rooms.journal.commit()
            execution = await (await stack.desk.submit(await stack.desk.preview("BUY", 1, "ZO")))
            seen.append((execution.status, execution.reason, nothing_sent(stack.core)))

        with pytest.raises(errors.JournalUnwritable, match="too large"):
            on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))

        [(status, reason, sent_nothing)] = seen
        assert status is ParentStatus.REFUSED
        assert "journal" in reason.lower()
        assert sent_nothing

    def test_a_folder_is_no_journal(self, tmp_path: Path) -> None:
        """A path given by mistake."""
        assert refused_by_connect(errors.JournalUnwritable, tmp_path)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read and write everything")
    def test_a_journal_without_permission_is_refused(self, path: Path) -> None:
        """The file is there, but it is not ours to write."""
        written_journal(path)
        path.chmod(0o000)

        assert refused_by_connect(errors.JournalUnwritable, path)


class TestGateways:
    """The way to the broker: not there, taken, live, or of several accounts."""

    def test_nobody_at_the_address_says_what_to_start(self, unused_port: int, tmp_path: Path) -> None:
        """Host and port are named, and no journal is begun."""
        path = tmp_path / "journal.sqlite"

        async def scenario() -> None:
            await hydra_nb.connect(f"127.0.0.1:{unused_port}", journal=path)

        with pytest.raises(errors.GatewayUnreachable) as caught:
            asyncio.run(scenario())

        assert str(unused_port) in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        assert not path.exists()

    @pytest.mark.parametrize("endpoint", ["", "nowhere", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "host:99999", "h:x"])
    def test_an_endpoint_that_is_no_address_names_some_that_are(self, endpoint: str) -> None:
        """With what was typed."""

        async def scenario() -> None:
            await hydra_nb.connect(endpoint)

        with pytest.raises(errors.GatewayUnreachable, match="paper") as caught:
            asyncio.run(scenario())

        assert repr(endpoint) in str(caught.value)

    def test_a_client_id_that_is_taken_names_it(self, tmp_path: Path) -> None:
        """Code 326: the second desk is told to take another id, and the first goes on trading."""

        async def scenario(stack: Stack) -> None:
            path = tmp_path / "second.sqlite"
            with pytest.raises(errors.ClientIdInUse, match="client id 1") as caught:
                await hydra_nb.connect(f"{SIM_HOST}:4002", client_id=1, journal=path)
            assert "take another" in str(caught.value)
            assert not path.exists()
            assert stack.desk.status["connection"] == "up"
            execution = await stack.desk.execute("BUY", 1, "ZO")
            assert execution.filled_lots == stack.lots_filled() == 1

        on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")))

    @pytest.mark.parametrize(
        "how",
        [
            {},
            {"account": "U1234567"},
            {"confirm_live": "4567"},
            {"account": "U1234567", "confirm_live": "1234"},
            {"account": "U1234567", "confirm_live": ""},
            {"account": "U1234567", "confirm_live": "U1234567"},
        ],
        ids=str,
    )
    def test_a_live_account_without_its_confirmation_is_asked_nothing(
        self, how: dict[str, str], tmp_path: Path
    ) -> None:
        """The socket closes after the account list: nothing but the handshake and startApi was heard."""
        path = tmp_path / "journal.sqlite"
        exchange = Exchange(seed=SEED)
        exchange.account = "U1234567"
        words: list[str] = []

        async def scenario(_loop: VirtualLoop, _core: WitnessCore) -> None:
            with pytest.raises(errors.LiveNotConfirmed) as caught:
                await hydra_nb.connect(f"{SIM_HOST}:4001", journal=path, **how)
            words.append(str(caught.value))

        core = connecting(scenario, exchange=exchange)

        assert [frame.message_id for frame in core.frames if frame.message_id is not None] == [START_API]
        assert core.sessions == []
        assert nothing_sent(core)
        assert "confirm_live=" in words[0]
        assert "1234567" not in words[0]
        assert not path.exists()

    def test_a_confirmed_live_account_opens_and_shows_what_it_is(self, tmp_path: Path) -> None:
        """The same gateway with the right four characters; a journal in memory is not for it."""
        exchange = Exchange(seed=SEED)
        exchange.account = "U1234567"
        live = {"account": "U1234567", "confirm_live": "4567"}

        async def scenario(_loop: VirtualLoop, _core: WitnessCore) -> None:
            with pytest.raises(errors.JournalError, match="simulated"):
                await hydra_nb.connect(f"{SIM_HOST}:4001", journal=":memory:", **live)
            async with hydra_nb.connect(f"{SIM_HOST}:4001", journal=tmp_path / "live.sqlite", **live) as desk:
                assert (desk.badge, desk.account, desk.masked_account) == ("LIVE", "U1234567", "U•••67")

        connecting(scenario, exchange=exchange)

    @pytest.mark.parametrize(
        ("how", "error"),
        [({}, errors.AccountRefused), ({"account": "DU9999999"}, errors.AccountRefused)],
        ids=["none named", "another named"],
    )
    def test_several_accounts_need_one_of_them_named(
        self, how: dict[str, str], error: type[errors.HydraError], tmp_path: Path
    ) -> None:
        """All are listed, masked; nothing is asked."""
        exchange = Exchange(seed=SEED)
        exchange.account = "DU1111122,DU3333344"
        words: list[str] = []

        async def scenario(_loop: VirtualLoop, _core: WitnessCore) -> None:
            with pytest.raises(error) as caught:
                await hydra_nb.connect(f"{SIM_HOST}:4002", journal=tmp_path / "journal.sqlite", **how)
            words.append(str(caught.value))

        core = connecting(scenario, exchange=exchange)

        assert [frame.message_id for frame in core.frames if frame.message_id is not None] == [START_API]
        assert "DU•••22" in words[0]
        assert "DU•••44" in words[0]
        assert core.sessions == []

    @pytest.mark.parametrize("speed", [0, -1, "fast", float("nan"), 1001, None])
    def test_a_speed_that_is_none_is_refused(self, speed: Any) -> None:
        """Before a gateway is started."""

        async def scenario() -> Desk:
            return await hydra_nb.connect(speed=speed)

        with pytest.raises(errors.InvalidOrder, match="speed"):
            asyncio.run(scenario())

    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ({"client_id": "x"}, "client_id='x' is no id of a connection; give a whole number from 0 to 2,147,483,647"),
            ({"client_id": -1}, "client_id=-1 is no id"),
            ({"client_id": 2**31}, "client_id=2147483648 is no id"),
            ({"client_id": 1.0}, "client_id=1.0 is no id"),
            ({"client_id": True}, "client_id=True is no id"),
            ({"client_id": None}, "client_id=None is no id"),
            ({"seed": "a"}, "seed='a' is no seed of a market; give a whole number, for instance 7, or None"),
            ({"seed": 7.0}, "seed=7.0 is no seed"),
            ({"seed": False}, "seed=False is no seed"),
            ({"seed": [7]}, r"seed=\[7\] is no seed"),
            ({"journal": 5}, "journal=5 is no path; give the path of a SQLite file, ':memory:', or None"),
            ({"journal": b"desk.sqlite"}, "journal=b'desk.sqlite' is no path"),
        ],
        ids=str,
    )
    def test_an_argument_that_is_none_is_refused_before_anything_is_opened(
        self, how: dict[str, Any], words: str
    ) -> None:
        """With its name, its value, and what is wanted."""

        async def scenario(_loop: VirtualLoop, _core: WitnessCore) -> None:
            with pytest.raises(errors.InvalidOrder, match=words):
                await hydra_nb.connect(f"{SIM_HOST}:4002", **{"journal": ":memory:", **how})

        core = connecting(scenario, exchange=Exchange(seed=SEED))

        assert core.frames == []

    def test_a_client_id_and_a_seed_of_numpy_open_the_desk_of_their_numbers(self) -> None:
        """They mean what they say: the same desk is found by either."""
        figures = {"client_id": np.int32(3), "seed": np.int64(SEED)}
        typed = {"client_id": 3, "seed": SEED}

        async def scenario(_loop: VirtualLoop) -> None:
            async with hydra_nb.connect(speed="max", journal=":memory:", **figures) as desk:
                assert await hydra_nb.connect(speed="max", journal=":memory:", **typed) is desk
                assert desk.account == Exchange(seed=SEED).account

        run_virtual(scenario)

    def test_virtual_time_needs_its_loop(self) -> None:
        """`speed="max"` in a notebook says who it is for."""

        async def scenario() -> Desk:
            return await hydra_nb.connect(speed="max")

        with pytest.raises(errors.InvalidOrder, match="run_virtual"):
            asyncio.run(scenario())

    @pytest.mark.parametrize(
        "text", ["max_daily_loss = 'much'", "max_daily_los = 5", "collar_ticks = 1.5", "[", "max_daily_loss = nan"]
    )
    def test_a_limits_file_with_a_fault_opens_no_desk(self, text: str, tmp_path: Path) -> None:
        """File and line are named, and nobody was connected to."""
        file = tmp_path / "limits.toml"
        file.write_text(text, encoding="utf-8")
        heard: list[str] = []

        async def scenario(_loop: VirtualLoop, _core: WitnessCore) -> None:
            with pytest.raises(errors.LimitsError) as caught:
                await hydra_nb.connect(f"{SIM_HOST}:4002", journal=":memory:", limits=file)
            heard.append(str(caught.value))

        core = connecting(scenario, exchange=Exchange(seed=SEED))

        assert str(file) in heard[0]
        assert core.frames == []


class TestSafety:
    """What a person says of a halt is kept, so it is text."""

    @pytest.mark.parametrize("reason", [None, 5, b"why"])
    def test_a_reason_that_is_no_text_is_refused(self, reason: Any) -> None:
        """Of a re-arming, and of an unlocking; nothing is changed. A kill takes any."""

        async def scenario(stack: Stack) -> None:
            await stack.desk.kill(reason)
            with pytest.raises(errors.InvalidOrder, match=f"reason={reason!r} is no text; say in words why"):
                await stack.desk.rearm(reason)
            with pytest.raises(errors.InvalidOrder, match=f"reason={reason!r} is no text; say in words why"):
                await stack.desk.unlock("ZOK7", reason=reason)
            with pytest.raises(errors.InvalidOrder, match="local_symbol=None is no text; say which contract"):
                await stack.desk.unlock(None, reason="a hedge")  # type: ignore[arg-type]
            assert stack.desk.killed is not None

        on_a_desk(scenario)


@pytest.fixture
def unused_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
