"""The life of a parent that ran: whole, in order, and the same whenever it is told."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pandas as pd
import pytest

from hydra_nb.analysis.audit import as_json, audit, find_life, rows_of
from hydra_nb.domain import events as ev
from hydra_nb.errors import InvalidOrder
from hydra_nb.journal import JournalReader
from tests.audit.wholeness import what_is_wrong
from tests.recovery.lives import Lives, in_lives
from tests.test_replay import RUNS
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

Story = Callable[[Stack], Awaitable[None]]
OATS = steady("370.00", "372.00")
GOLDEN = Path(__file__).parent / "life.txt"
OF_THIS_RUN = re.compile(
    r" \d{4}-\d\d-\d\dT[\d:.]+Z|(?<=content )\w{12}|(?<=plan )\w+|(?<= id )\d+|(?<=execution )[\w.]+"
    r"|\d\.\d{3}(?= s old)|(?<=decisions )\d+ to \d+"
)
"""Times, ids, hashes and ages: what is another one in another run."""


async def refused(stack: Stack) -> None:
    """An order that is too large, and one of usual size."""
    await stack.desk.execute("BUY", 60, "ZO")
    await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")


@pytest.mark.parametrize("spoil", ["left out", "told twice", "out of order", "decision left out"])
def test_a_life_that_is_not_whole_is_seen_to_be_so(spoil: str) -> None:
    """Else the comparison below would compare nothing."""

    async def scenario(stack: Stack) -> str | None:
        await refused(stack)
        journal = stack.desk._rooms.journal
        frame = stack.desk.audit("P-0002")
        events = frame.index[frame["decision"].isna() & (frame["about"] == "parent")]
        check = frame.index[frame["kind"] == "Decision"][3]
        spoilt = {
            "left out": frame.drop(events[4]),
            "told twice": pd.concat([frame.loc[: events[4]], frame.loc[events[4] :]]),
            "out of order": pd.concat([frame.loc[events[4] :], frame.loc[: events[4] - 1]]),
            "decision left out": frame.drop(check),
        }[spoil]
        decisions = [row.seq for row in journal.decisions_rows(parent_id="P-0002")]
        return what_is_wrong(spoilt, list(journal.events()), decisions, "P-0002")

    assert on_a_desk(scenario) is not None


@pytest.mark.parametrize("seed", [7, 23])
@pytest.mark.parametrize("story", [*RUNS, refused], ids=lambda story: story.__name__)
def test_every_event_of_a_parent_is_in_its_life_once(story: Story, seed: int) -> None:
    """TWAPs, patient orders, pauses, kills, refusals, two at once: nothing is left out, nothing told twice."""

    async def scenario(stack: Stack) -> None:
        await story(stack)
        journal = stack.desk._rooms.journal
        journalled = list(journal.events())
        parents = [event.parent_id for _, event in journalled if isinstance(event, ev.ParentSubmitted)]

        for parent_id in parents:
            decisions = [row.seq for row in journal.decisions_rows(parent_id=parent_id)]
            assert what_is_wrong(stack.desk.audit(parent_id), journalled, decisions, parent_id) is None
            assert len(decisions) >= 28

    on_a_desk(scenario, seed=seed)


def test_each_decision_stands_before_the_event_that_says_it_rests_on_it() -> None:
    """By the numbers that the events hold."""

    async def scenario(stack: Stack) -> pd.DataFrame:
        await refused(stack)
        journal = stack.desk._rooms.journal
        seals = {seq: event.decisions for seq, event in journal.events() if getattr(event, "decisions", None)}
        frame = pd.concat([stack.desk.audit(parent_id) for parent_id in ("P-0001", "P-0002")])
        checks = frame[frame["kind"] == "Decision"]

        told = checks.groupby("seq")["decision"].agg(["min", "max"])

        assert {seq: (seal.first, seal.last) for seq, seal in seals.items() if seal is not None} == {
            int(seq): (int(row["min"]), int(row["max"])) for seq, row in told.iterrows()
        }
        return checks

    checks = on_a_desk(scenario)
    assert not checks["allowed"].all()
    assert checks["allowed"].any()


def test_the_life_of_a_patient_order_reads_like_this() -> None:
    """In a market that stands still: at mid, a step, across; each frame with what came before and after."""

    async def scenario(stack: Stack) -> pd.DataFrame:
        await stack.desk.execute("BUY", 3, "ZO", strategy="limit_patience")
        return stack.desk.audit("P-0001")

    frame = on_a_desk(scenario, exchange=ScriptedExchange(script=OATS))

    own = frame[(frame["about"] == "parent") & ~frame["kind"].isin(["Decision", "Woke"])]
    told = [OF_THIS_RUN.sub("~", words) for words in own["words"]]
    assert told == GOLDEN.read_text(encoding="utf-8").splitlines()
    assert own["local_time"].str.endswith("-06:00").all()
    assert (own["clock_high_s"] - own["clock_low_s"]).between(0, 1.1).all()


def test_a_life_is_the_same_live_at_rest_and_in_another_process(tmp_path: Path) -> None:
    """What a desk shows while it is open is what its file says afterwards."""
    path = tmp_path / "journal.sqlite"

    async def scenario(stack: Stack) -> tuple[pd.DataFrame, pd.DataFrame]:
        execution = await stack.desk.submit(await stack.desk.preview("BUY", 6, "ZO", slices=3, strategy="twap"))
        await stack.sleep(400)
        early = stack.desk.audit("P-0001")
        await execution
        return early, stack.desk.audit("P-0001")

    early, late = on_a_desk(scenario, journal=path)

    with JournalReader.open(path) as reader:
        at_rest = audit(reader, "P-0001")
        rows = rows_of(reader, find_life(reader, "P-0001"), decisions=reader.decisions_rows(parent_id="P-0001"))
        lines = [as_json(row) for row in rows]
    pd.testing.assert_frame_equal(at_rest, late)
    assert len(lines) == len(late)
    assert 20 < len(early) < len(late)
    pd.testing.assert_frame_equal(early, late.iloc[: len(early)])


def test_a_life_goes_on_over_a_crash(tmp_path: Path) -> None:
    """Interrupted by the end of its process, resumed by a person: one life, two desks, one chain."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 6, "ZO", slices=3, duration="30m", strategy="twap")
        await stack.desk.submit(plan)
        await stack.sleep(200)
        await lives.kill(stack)
        stack = await lives.open()
        await (await stack.desk.resume("P-0001"))
        journal = stack.desk._rooms.journal

        frame = stack.desk.audit("P-0001")

        decisions = [row.seq for row in journal.decisions_rows(parent_id="P-0001")]
        assert what_is_wrong(frame, list(journal.events()), decisions, "P-0001") is None
        assert {"ParentInterrupted", "ParentResumed", "ConnectionChanged"} <= set(frame["kind"])
        assert frame["kind"].tolist().count("ClockMeasured") >= 2
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=OATS))


def test_a_desk_names_the_parents_that_it_knows() -> None:
    """In place of a life that there is not."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")

        with pytest.raises(InvalidOrder, match="known: P-0001"):
            stack.desk.audit("P-0002")

    on_a_desk(scenario)


def test_the_account_is_masked() -> None:
    """In every column of every row."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience")

        text = stack.desk.audit("P-0001").to_csv()

        assert stack.desk.account not in text
        assert stack.desk.masked_account in text

    on_a_desk(scenario)
