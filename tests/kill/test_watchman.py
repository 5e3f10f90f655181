"""The watchman of a desk in this process: its door, its list, and the way back."""

import asyncio
import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import hydra_nb
from hydra_nb import errors
from hydra_nb.desk import halting, open_desks, watchman
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.killing import kill_desks
from hydra_nb.domain.events import Killed
from hydra_nb.journal import Journal, JournalReader
from hydra_nb.sim import requests as ask
from tests.kill.floor import FOREIGN, Floor, floor, press, rest_three


async def open_desk(market: Floor, journal: Path | str) -> Desk:
    """Open a desk on the floor."""
    return await hydra_nb.connect(f"127.0.0.1:{market.port}", journal=journal)


async def until(holds: Callable[[], bool], *, within_s: float = 20) -> None:
    """Wait, the loop running, until something is true."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110  a test looks from outside
            await asyncio.sleep(0.02)


def address_of(desk: Desk) -> str:
    """The address of the button."""
    address = desk.kill_address
    assert address is not None
    return address


def while_blocked(work: Callable[[], None], *, seconds: float) -> None:
    """Hold up this thread, as a cell does, while another works."""
    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(seconds)
    thread.join()


class TestTheDoor:
    """Loopback, POST, the token, our own name: nothing less kills."""

    def test_nothing_but_the_very_address_kills(self, tmp_path: Path) -> None:
        """A wrong token, another method, a name that was made to lead here, no name at all: all refused."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            address = address_of(desk)
            port = int(address.split(":")[2].split("/")[0])
            token = address.split("/")[3]
            ask_there = asyncio.to_thread

            wrong = address.replace(token, token[:-1] + ("a" if token[-1] != "a" else "b"))
            assert await ask_there(press, wrong) == 403
            assert await ask_there(press, address.replace(token, "")) == 403
            assert await ask_there(press, address.replace("/kill", "/other")) == 403
            assert await ask_there(press, address, method="GET") == 405
            assert await ask_there(press, address, method="OPTIONS") == 405
            assert await ask_there(press, address, host="evil.example:80") == 403
            assert await ask_there(press, address, host=f"evil.example:{port}") == 403
            assert desk.killed is None
            assert not desk._rooms.broker.halt.is_set

            assert await ask_there(press, address, host=f"localhost:{port}") == 200
            await until(lambda: desk.killed is not None)
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))

    def test_no_answer_can_be_read_by_another_page(self, tmp_path: Path) -> None:
        """No header allows another origin, and none is sent back that it named."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            path = "/" + address_of(desk).split("/", 3)[3]
            port = int(address_of(desk).split(":")[2].split("/")[0])

            def visit() -> list[tuple[str, str]]:
                line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                line.request("POST", path.replace("/kill", "/status"), headers={"Origin": "https://evil.example"})
                answer = line.getresponse()
                assert answer.status == 200
                assert json.loads(answer.read())["halted"] is False
                return answer.getheaders()

            names = {name.lower() for name, _ in await asyncio.to_thread(visit)}
            assert not {name for name in names if name.startswith("access-control")}
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))

    def test_long_slow_and_many_visitors_are_shown_out(self, tmp_path: Path) -> None:
        """A head without end, a head that never comes, forty at once: the button works all the same."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            port = int(address_of(desk).split(":")[2].split("/")[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /" + b"a" * 100_000)
            with contextlib.suppress(OSError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
            waited = await asyncio.wait_for(asyncio.gather(*[one.read() for one, _ in many]), 5)
            assert set(waited) == {b""}
            for _, one in many:
                one.close()

            assert await asyncio.to_thread(press, address_of(desk)) == 200
            await until(lambda: desk.killed is not None)
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))


def test_a_press_that_cannot_be_written_down_kills_whatever_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without another thread, or a folder that is not to be entered: the kill goes to the desk itself."""

    def fail(_journal: Path, _reason: str) -> int:
        raise RuntimeError("can't start new thread")

    async def scenario(market: Floor) -> None:
        desk = await open_desk(market, tmp_path / "journal.sqlite")
        monkeypatch.setattr(Journal, "request_kill", staticmethod(fail))

        assert await asyncio.to_thread(press, address_of(desk)) == 200

        await until(lambda: desk.killed is not None)
        assert not desk._halting.is_awaited
        await desk.rearm("drill over")
        assert desk.killed is None
        await desk.close()

    with floor() as market:
        asyncio.run(scenario(market))


class TestTakingOver:
    """While this very loop is held up, and what it finds when it runs again."""

    @pytest.mark.parametrize("journal", ["file", "memory"])
    def test_the_loop_finds_all_done_and_told(self, tmp_path: Path, journal: str) -> None:
        """Killed, cancels in the ledger by the wire's own word, connected and reconciled again, and one notice."""

        async def scenario(market: Floor) -> None:
            path = ":memory:" if journal == "memory" else tmp_path / "journal.sqlite"
            desk = await open_desk(market, path)
            await rest_three(desk)
            address = address_of(desk)
            pressed_s = time.monotonic()

            while_blocked(lambda: assert_equal(press(address), 200), seconds=1.5)

            assert market.at_work() == []
            assert market.at_work(FOREIGN) == [FOREIGN]
            await until(lambda: desk.kill_progress == (3, 3))
            back_s = time.monotonic() - pressed_s - 1.5
            await until(lambda: bool(desk.status["reconciled"]))
            print(f"{journal}: all proven dead {back_s:.2f} s after the loop ran again")
            events = [event for _, event in desk._rooms.journal.events()]
            assert len([event for event in events if isinstance(event, Killed)]) == 1
            told = [str(getattr(event, "message", "")) for event in events]
            assert (
                len([words for words in told if words.startswith("the kernel was busy: killed beside it, 3 of 3")]) == 1
            )
            assert market.asked_since(pressed_s, ask.PlaceOrder) == []
            assert {str(state) for state in desk.orders()["state"]} == {"dead"}

            await desk.rearm("drill over")

            again = await desk.submit(await desk.preview("BUY", 1, "ZO", tag="again"))
            await until(lambda: again.working_lots == 1)
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))

    def test_an_order_on_its_way_to_the_disk_is_not_sent(self, tmp_path: Path) -> None:
        """Submitted, then the loop is held up before the intent is durable; killed meanwhile: no place frame, ever."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            plan = await desk.preview("BUY", 1, "ZO", strategy="limit_patience")
            address, pressed_s = address_of(desk), time.monotonic()
            execution = await desk.submit(plan)

            while_blocked(lambda: assert_equal(press(address), 200), seconds=1.0)

            await until(lambda: execution.status.is_over)
            assert market.asked_since(pressed_s, ask.PlaceOrder) == []
            assert str(execution.status) == "cancelled"
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))

    def test_a_loop_that_has_ended_is_no_obstacle(self, tmp_path: Path) -> None:
        """The desk was left open by a program whose loop is gone: the watchman alone cancels."""

        async def leave(market: Floor) -> tuple[Desk, str]:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            await rest_three(desk)
            return desk, address_of(desk)

        with floor() as market:
            loop = asyncio.new_event_loop()
            desk, address = loop.run_until_complete(leave(market))

            assert press(address) == 200

            market.seconds_until(lambda: not market.at_work(), at_most_s=2.0)
            loop.run_until_complete(until(lambda: desk.kill_progress == (3, 3)))
            loop.run_until_complete(desk.close())
            loop.close()


class TestOnePress:
    """A press of the button arrives twice: through the door, and through the kernel."""

    @pytest.mark.parametrize("first", ["door", "kernel"])
    def test_one_press_is_one_kill(self, tmp_path: Path, first: str) -> None:
        """Whichever comes first, it is journalled once, and nothing of it is left in the journal's requests."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            await rest_three(desk)

            if first == "door":
                assert await asyncio.to_thread(press, address_of(desk)) == 200
                await until(lambda: desk.killed is not None)
                await desk.kill("by the view")
            else:
                await asyncio.gather(desk.kill("by the view"), asyncio.to_thread(press, address_of(desk)))

            await asyncio.sleep(1.5)  # the beat of the desk looks for requests as well
            events = [event for _, event in desk._rooms.journal.events(kinds=[Killed])]
            assert len(events) == 1
            assert desk.kill_progress == (3, 3)
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))
        with JournalReader.open(tmp_path / "journal.sqlite") as reader:
            assert reader.pending_kill() is None

    def test_a_press_later_on_cancels_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A cancel that got lost is not the end of it."""
        monkeypatch.setattr(halting, "ONE_PRESS_S", 0.0)

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            await desk.kill("once")
            await desk.kill("twice")
            events = [event for _, event in desk._rooms.journal.events(kinds=[Killed])]
            assert [event.reason for event in events if isinstance(event, Killed)] == ["once", "twice"]
            await desk.close()

        with floor() as market:
            asyncio.run(scenario(market))


class TestTheList:
    """Which desks a terminal finds."""

    def test_a_desk_is_listed_while_it_is_open(self, tmp_path: Path) -> None:
        """With its account masked, readable by its user alone; gone once it is closed."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")

            (entry,) = open_desks.known()
            assert entry.is_alive
            assert entry.account == desk.masked_account
            assert entry.place.port == market.port
            (path,) = open_desks.folder().glob("*.json")
            assert path.stat().st_mode & 0o077 == 0
            assert desk.account not in path.read_text(encoding="utf-8")
            await desk.close()
            assert open_desks.known() == []

        with floor() as market:
            asyncio.run(scenario(market))

    def test_what_is_left_to_expire_can_still_be_cancelled(self, tmp_path: Path) -> None:
        """Closed with its orders left at work: the terminal connects in its place."""

        async def scenario(market: Floor) -> None:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            await rest_three(desk)
            await desk.close(working="expire")

        said: list[str] = []
        with floor() as market:
            asyncio.run(scenario(market))
            assert len(market.at_work()) == 3

            assert kill_desks(None, reason="home time", say=said.append)

            assert market.at_work("") == [FOREIGN]
        assert "3 of 3 own orders confirmed cancelled" in said[-1]
        assert open_desks.known() == []

    def test_a_process_that_ended_with_nothing_at_work_is_let_be(self, tmp_path: Path) -> None:
        """Its journal shows nothing open: nobody connects, and the next desk on it does not open killed."""

        async def scenario(market: Floor) -> Desk:
            desk = await open_desk(market, tmp_path / "journal.sqlite")
            await rest_three(desk)
            await desk.kill("drill")
            await desk.rearm("over")
            entry = desk._entry
            assert entry is not None
            await desk.close()
            entry.write()  # as a process leaves it that is killed
            return desk

        said: list[str] = []
        with floor() as market:
            asyncio.run(scenario(market))
            asked_s = time.monotonic()

            assert kill_desks(None, reason="home time", say=said.append)

            assert market.asked_since(asked_s, ask.StartApi) == []
        assert open_desks.known() == []
        assert len(said) == 1
        assert said[0].startswith("No desk of yours is open")
        with JournalReader.open(tmp_path / "journal.sqlite") as reader:
            assert reader.pending_kill() is None

    def test_a_gateway_that_is_gone_is_said_soon(self, tmp_path: Path) -> None:
        """Three desks ended with orders at work, and their gateways too: all are told at once, none is confirmed."""

        async def scenario(market: Floor, number: int) -> None:
            desk = await open_desk(market, tmp_path / f"{number}.sqlite")
            await rest_three(desk)
            await desk.close(working="expire")

        for number in range(3):
            with floor() as market:
                asyncio.run(scenario(market, number))
        said: list[str] = []
        began_s = time.monotonic()

        assert not kill_desks(None, reason="home time", say=said.append)

        assert time.monotonic() - began_s < 6
        assert sum("NOT CONFIRMED: the gateway at 127.0.0.1" in words for words in said) == 3
        assert len(open_desks.known()) == 3

    def test_a_list_that_cannot_be_read_is_cleaned_away(self, tmp_path: Path) -> None:
        """Nonsense in the folder neither stops a kill nor stays."""
        open_desks.folder().mkdir(parents=True)
        (open_desks.folder() / "torn.json").write_text('{"pid": 1', encoding="utf-8")

        assert open_desks.known() == []

        assert list(open_desks.folder().glob("*.json")) == []
        assert kill_desks(None, reason="drill", say=lambda _words: None)
        assert not (tmp_path / "journal.sqlite").exists()


def test_a_request_in_the_journal_is_heard_within_a_fifth_of_a_second(tmp_path: Path) -> None:
    """From the moment it is written until the desk, whose loop runs, has recorded the kill."""

    async def scenario(market: Floor) -> list[float]:
        desk = await open_desk(market, tmp_path / "journal.sqlite")
        took_s = []
        for number in range(5):
            await asyncio.sleep(0.03 * number)
            asked_s = time.monotonic()
            Journal.request_kill(tmp_path / "journal.sqlite", f"drill {number}")
            await until(lambda: desk.killed is not None)
            took_s.append(time.monotonic() - asked_s)
            await desk.rearm("next drill")
        await desk.close()
        return took_s

    with floor() as market:
        took_s = asyncio.run(scenario(market))

    print("heard after " + ", ".join(f"{one:.3f}" for one in took_s) + " s")
    assert sorted(took_s)[2] < 0.2
    with JournalReader.open(tmp_path / "journal.sqlite") as reader:
        reader.verify()
        kills = [event.reason for _, event in reader.events(kinds=[Killed]) if isinstance(event, Killed)]
    assert kills == [f"drill {number}" for number in range(5)]


def test_a_request_that_the_desk_carried_out_first_is_seen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks of the watchman: a terminal that asked would else be told that the desk does not answer."""
    monkeypatch.setattr(watchman, "POLL_S", 0.5)
    path = tmp_path / "journal.sqlite"

    async def scenario(market: Floor) -> bool:
        desk = await open_desk(market, path)
        await asyncio.sleep(0.6)  # just after a look
        told: list[str] = []
        request_kill = Journal.request_kill

        def carried_out_first(journal: Path, reason: str) -> int:
            number = request_kill(journal, reason)
            heeded = threading.Event()
            desk._loop.call_soon_threadsafe(lambda: (desk._halting.heed_requests(), heeded.set()))
            assert heeded.wait(5)
            asyncio.run_coroutine_threadsafe(desk._rooms.journal.commit(), desk._loop).result(5)
            return number

        monkeypatch.setattr(Journal, "request_kill", staticmethod(carried_out_first))
        confirmed = await asyncio.to_thread(kill_desks, path, reason="by terminal", say=told.append)
        assert desk.killed == "by terminal"
        assert told[-1].endswith("no own order works (killed by the desk itself)")
        await desk.close()
        return confirmed

    with floor() as market:
        assert asyncio.run(scenario(market))


def test_what_an_earlier_desk_carried_out_is_not_carried_out_again(tmp_path: Path) -> None:
    """The file keeps its requests; a desk that opens on it later, and was armed again, is not halted by them."""
    path = tmp_path / "journal.sqlite"

    async def scenario(market: Floor) -> None:
        desk = await open_desk(market, path)
        Journal.request_kill(path, "yesterday")
        await until(lambda: desk.killed is not None)
        await desk.rearm("over")
        await desk.close()

        desk = await open_desk(market, path)
        await asyncio.sleep(0.3)
        watching = desk._watchman
        assert watching is not None
        assert watching.status()["request"] == 1
        assert not watching.status()["halted"]
        assert desk.killed is None
        await desk.close()

    with floor() as market:
        asyncio.run(scenario(market))


def test_the_thread_ends_with_the_desk(tmp_path: Path) -> None:
    """Opening and closing leaves no thread, and its door is shut."""

    async def scenario(market: Floor) -> str:
        desk = await open_desk(market, tmp_path / "journal.sqlite")
        address = address_of(desk)
        assert [one for one in threading.enumerate() if one.name == "hydra_nb watchman"]
        await desk.close()
        return address

    with floor() as market:
        address = asyncio.run(scenario(market))

    assert not [one for one in threading.enumerate() if one.name == "hydra_nb watchman"]
    with pytest.raises(OSError, match="refused"):
        press(address)


def test_no_button_where_no_browser_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a shared hub the kernel's loopback is not the browser's: the views show the command instead."""

    async def scenario(market: Floor) -> None:
        desk = await open_desk(market, tmp_path / "journal.sqlite")
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/jo/")
        assert desk.kill_address is None
        assert desk.kill_command == "hydra-nb kill"
        await desk.close()

    with floor() as market:
        asyncio.run(scenario(market))


def test_the_global_cancel_hits_all_and_only_when_confirmed(tmp_path: Path) -> None:
    """Any word but ALL is refused and sends nothing; then the stranger's order is gone as well."""

    async def scenario(market: Floor) -> None:
        desk = await open_desk(market, tmp_path / "journal.sqlite")
        await rest_three(desk)
        began_s = time.monotonic()
        for words in ("", "all", "yes"):
            with pytest.raises(errors.InvalidOrder, match="ALL"):
                await desk.cancel_everything(words)
        assert market.asked_since(began_s, ask.GlobalCancel) == []

        await desk.cancel_everything("ALL")

        await until(lambda: market.at_work("") == [])
        kinds = [type(event).__name__ for _, event in desk._rooms.journal.events()]
        assert kinds.count("GlobalCancelAsked") == 1
        await desk.kill("and stay out")
        await desk.close()

    with floor() as market:
        asyncio.run(scenario(market))


def assert_equal(one: object, other: object) -> None:
    """In a thread of its own, for which a bare assert is a statement and no expression."""
    assert one == other
