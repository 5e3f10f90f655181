"""Alerts on their way to a person: the log, a function, a command; none of which an order ever waits for."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hydra_nb
from hydra_nb.desk import alert_delivery
from hydra_nb.desk.alert_delivery import MOST_WAITING, Delivery, Messenger, parse_command, run_command
from hydra_nb.desk.connect import Arguments
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events import AlertCleared, AlertRaised
from hydra_nb.errors import InvalidOrder
from hydra_nb.sim.loop import run_virtual
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

OATS = steady("370.00", "372.00")
TAKES_DOWN = (
    "import json, sys; "
    "open(sys.argv[1], 'a').write(json.dumps({'sentence': sys.argv[-1], 'told': json.load(sys.stdin)}) + '\\n')"
)
"""A program that takes its last argument and its standard input down in a file."""
PATIENCE_S = 10.0


def raised(sentence: str = "Something is the matter.") -> AlertRaised:
    """An alert."""
    return AlertRaised(
        time_ns=0,
        kind=AlertKind.BREAK,
        subject="ZOH7",
        severity=Severity.CRITICAL,
        local_symbol="ZOH7",
        parent_id=None,
        sentence=sentence,
    )


def delivery(sentence: str = "Something is the matter.") -> Delivery:
    """An alert on its way."""
    return Delivery(alert=raised(sentence), details={"kind": "break"})


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what other threads and processes do."""
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, f"not so within {PATIENCE_S} s"
        time.sleep(0.01)


def python(program: str, *words: str) -> tuple[str, ...]:
    """A command that runs a program of ours."""
    return (sys.executable, "-c", program, *words)


async def killed_and_rearmed(stack: Stack) -> None:
    """An alert that is raised, and one that is over."""
    await stack.desk.kill("wrong contract")
    await stack.sleep(1)
    await stack.desk.rearm("looked at it")


# The command


def test_a_command_gets_the_sentence_and_the_details_and_no_account_number(tmp_path: Path) -> None:
    """One run for the alert and one for its end; the account is masked."""
    file = tmp_path / "taken down"
    accounts = []

    async def scenario(stack: Stack) -> None:
        accounts.append(stack.desk.account)
        await killed_and_rearmed(stack)

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS), alert_command=python(TAKES_DOWN, str(file)))

    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first["sentence"] == first["told"]["sentence"]
    assert first["sentence"].startswith("Killed: “wrong contract”.")
    assert (first["told"]["state"], first["told"]["kind"], first["told"]["severity"]) == ("raised", "kill", "critical")
    assert (second["told"]["state"], second["told"]["severity"]) == ("cleared", None)
    assert second["sentence"].startswith("Over after ")
    assert first["told"]["account"].startswith("SIM•••")
    assert first["told"]["badge"] == "SIM"
    assert accounts[0] not in file.read_text()


def test_a_command_that_hangs_delays_no_order() -> None:
    """The same frames at the same nanoseconds as without one, though an alert is on its way all the time."""

    def frames(**how: Any) -> list[tuple[int, bytes]]:
        async def scenario(stack: Stack) -> list[tuple[int, bytes]]:
            await killed_and_rearmed(stack)
            await stack.desk.execute("BUY", 6, "ZO", strategy="twap", slices=3, duration="30m")
            return [(frame.time_ns, frame.data) for frame in stack.core.frames]

        return on_a_desk(scenario, exchange=ScriptedExchange(script=OATS), **how)

    began_s = time.monotonic()
    hanging = frames(alert_command=python("import time; time.sleep(12)"))
    took_s = time.monotonic() - began_s

    assert hanging == frames()
    assert len(hanging) > 100
    assert took_s < alert_delivery.COMMAND_S


def test_a_command_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    """After its time, and what is wrong is said without the place of a file."""
    program = (
        "import os, subprocess, sys, time; child = subprocess.Popen(['sleep', '60']); "
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(60)"
    )
    file = tmp_path / "pid"

    trouble = run_command(python(program, str(file)), sentence="x", details={}, timeout_s=2.0)

    assert trouble is not None
    assert "had not ended after 2 s, and was ended" in trouble
    assert "/" not in trouble
    eventually(lambda: not _is_alive(int(file.read_text())))


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked for yet does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (python("pass"), None),
        (python("import sys; sys.exit(3)"), "ended with status 3"),
        (python("import sys; sys.stdin.close()"), None),
        (("/no/such/program",), "program could not be started (FileNotFoundError)"),
    ],
)
def test_what_became_of_a_command_is_told(words: tuple[str, ...], trouble: str | None) -> None:
    """A status other than 0 is a failure, as in a shell; what it does with its input is its own affair."""
    told = run_command(words, sentence="x", details={"kind": "break"}, timeout_s=PATIENCE_S)

    assert (told is None) is (trouble is None)
    assert trouble is None or trouble in str(told)


def test_no_shell_reads_the_sentence(tmp_path: Path) -> None:
    """Words of the broker are one argument, whatever they are."""
    file = tmp_path / "taken down"
    sentence = f'rejected: $(touch {tmp_path}/pwned); `touch {tmp_path}/pwned` && "quoted"'

    trouble = run_command(python(TAKES_DOWN, str(file)), sentence=sentence, details={}, timeout_s=PATIENCE_S)

    assert trouble is None
    assert json.loads(file.read_text())["sentence"] == sentence
    assert not (tmp_path / "pwned").exists()


# What cannot sound is refused before anything is opened


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (None, None),
        (f'"{sys.executable}" -c "print(1)"', (sys.executable, "-c", "print(1)")),
        ([sys.executable, "a b", "$HOME"], (sys.executable, "a b", "$HOME")),
    ],
)
def test_a_command_is_split_as_in_a_terminal_or_taken_word_by_word(command: Any, words: Any) -> None:
    """Nothing in it is expanded."""
    assert parse_command(command) == words


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "alert_command is empty"),
        ("   ", "alert_command is empty"),
        ([], "alert_command is empty"),
        ([""], "alert_command is empty"),
        ([sys.executable, 3], "alert_command is empty"),
        ("'unbalanced", "alert_command cannot be read"),
        ("no-such-program-anywhere --loud", "no program 'no-such-program-anywhere' is found"),
    ],
)
def test_a_command_that_cannot_run_opens_no_desk(tmp_path: Path, command: Any, said: str) -> None:
    """An alarm that cannot sound is known before it is needed; no journal is begun, nothing is connected."""
    journal = tmp_path / "journal.sqlite"

    async def whole(loop: Any) -> None:
        with pytest.raises(InvalidOrder, match=said):
            await hydra_nb.connect(seed=7, speed="max", journal=journal, alert_command=command)
        assert loop._gateway is None

    run_virtual(whole)

    assert not journal.exists()


def test_another_command_is_another_desk() -> None:
    """Equal arguments give the open desk; a list and its words are equal."""

    def key(command: Any) -> tuple[object, ...]:
        settings = {"endpoint": "sim", "account": None, "client_id": 1, "journal": None, "limits": None}
        return Arguments(
            **settings, seed=None, speed=1.0, confirm_live=None, contract_facts=None, alert_command=command
        ).key

    assert key(["a", "b"]) == key(("a", "b")) != key(None)
    assert hash(key(["a", "b"])) == hash(key(("a", "b")))


# A function, the log, and what goes wrong with them


def test_a_function_hears_each_alert_on_a_thread_of_its_own() -> None:
    """It may wait for a server: no order waits for it."""
    heard: list[tuple[type, str, int]] = []

    def listen(alert: AlertRaised | AlertCleared) -> None:
        heard.append((type(alert), alert.kind, threading.get_ident()))

    async def scenario(stack: Stack) -> None:
        forget = stack.desk.on_alert(listen)
        await killed_and_rearmed(stack)
        eventually(lambda: len(heard) == 2)
        forget()
        await killed_and_rearmed(stack)

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))

    assert [(kind, of) for kind, of, _ in heard] == [(AlertRaised, "kill"), (AlertCleared, "kill")]
    assert threading.get_ident() not in {thread for _, _, thread in heard}


def test_a_function_that_fails_is_an_alert_until_one_is_handed_on_again() -> None:
    """The failure itself is handed to nobody, or it would never end."""
    calls: list[str] = []
    is_broken = True

    def listen(alert: AlertRaised | AlertCleared) -> None:
        calls.append(alert.kind)
        if is_broken:
            raise OSError("https://token@secret.example failed")

    async def scenario(stack: Stack) -> tuple[list[str], list[str]]:
        nonlocal is_broken
        stack.desk.on_alert(listen)
        await stack.desk.kill("one")
        eventually(lambda: len(calls) == 1)
        await stack.sleep(1)
        broken = [alert.sentence for alert in stack.desk.alerts_raised if alert.kind is AlertKind.DELIVERY]
        is_broken = False
        await stack.desk.rearm("two")
        eventually(lambda: len(calls) == 2)
        await stack.sleep(1)
        mended = [alert.sentence for alert in stack.desk.alerts_raised if alert.kind is AlertKind.DELIVERY]
        assert stack.desk.status["alert_delivery"] is None
        return broken, mended

    broken, mended = on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))

    assert len(broken) == 1
    assert "a function failed with OSError" in broken[0]
    assert "secret" not in broken[0]
    assert mended == []
    assert calls == ["kill", "kill"]


def test_no_more_alerts_wait_than_there_is_room_for() -> None:
    """A command that hangs must not fill the memory; what is left out is told."""
    gate, outcomes = threading.Event(), []
    messenger = Messenger(None, on_outcome=outcomes.append)
    messenger.add(lambda _: gate.wait(PATIENCE_S))

    messenger.tell(delivery())
    eventually(messenger._waiting.empty)  # the first is being handed on
    troubles = [messenger.tell(delivery(str(number))) for number in range(MOST_WAITING + 2)]
    gate.set()
    eventually(lambda: len(outcomes) == 1 + MOST_WAITING)

    assert troubles[:MOST_WAITING] == [None] * MOST_WAITING
    assert all("others wait" in str(trouble) for trouble in troubles[MOST_WAITING:])
    thread = messenger.finish()
    assert thread is not None
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_desk_that_tells_nobody_starts_no_thread() -> None:
    """Nor a process."""

    async def scenario(stack: Stack) -> None:
        before = set(threading.enumerate())
        await killed_and_rearmed(stack)
        assert set(threading.enumerate()) <= before

    on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))


def test_the_log_of_the_house_is_told_with_the_level_of_the_alert(caplog: pytest.LogCaptureFixture) -> None:
    """Error where something is halted, info where it is over; the logger `hydra_nb` hears all of it."""
    caplog.set_level(logging.INFO, logger="hydra_nb")

    on_a_desk(killed_and_rearmed, exchange=ScriptedExchange(script=OATS))

    told = [record for record in caplog.records if record.name == "hydra_nb.alerts"]
    assert [record.levelno for record in told] == [logging.ERROR, logging.INFO]
    assert told[0].getMessage().startswith("Killed: ")


def test_without_a_log_set_up_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """Views and frames tell; a notebook is not written full."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        on_a_desk(killed_and_rearmed, exchange=ScriptedExchange(script=OATS))
    finally:
        root.handlers = handlers

    assert capfd.readouterr() == ("", "")


def test_the_program_of_a_command_inherits_the_surroundings_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's own program finds its settings where it always does."""
    monkeypatch.setenv("HYDRA_TEST_TOPIC", "oats")
    file = tmp_path / "topic"
    program = "import os, sys; open(sys.argv[1], 'w').write(os.environ['HYDRA_TEST_TOPIC'])"

    assert run_command(python(program, str(file)), sentence="x", details={}, timeout_s=PATIENCE_S) is None

    assert file.read_text() == "oats" == os.environ["HYDRA_TEST_TOPIC"]
