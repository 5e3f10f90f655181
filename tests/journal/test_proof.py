"""A journal is believed as far as its chain, its decisions and its exported heads bear it out."""

import dataclasses
import math
import re
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain.events import ChildRefused, ChildReserved, DecisionsSeal, ParentPaused
from hydra_nb.domain.orders import Action
from hydra_nb.journal import EventRow, Journal, JournalReader
from hydra_nb.journal.codec import encode_event
from hydra_nb.journal.heads import ExportedHeads, heads_path, read_heads
from hydra_nb.journal.proof import Proof, Prover
from hydra_nb.risk.verdict import Decision

from .conftest import ACCOUNT, START_NS
from .test_heads import write_anew

FIGURES = st.none() | st.floats() | st.integers(-(10**6), 10**6)
WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
DECISIONS = st.builds(
    Decision,
    check=WORDS,
    allowed=st.booleans(),
    observed=FIGURES,
    limit=FIGURES,
    unit=WORDS,
    message=WORDS,
    source=WORDS,
    would_pass=FIGURES,
    transient=st.booleans(),
)


def check(number: int, *, allowed: bool = True) -> Decision:
    """One check of the gate."""
    return Decision(
        check=f"check_{number}",
        allowed=allowed,
        observed=number,
        limit=10.0,
        unit="lots",
        message=f"{number} of 10 lots",
        source="limits",
    )


def decide(journal: Journal, *checks: int, parent_id: str = "P-0001") -> DecisionsSeal:
    """Have the gate's decisions taken down."""
    return journal.append_decisions(
        [check(number) for number in checks], time_ns=START_NS, parent_id=parent_id, slice=1, action=Action.PLACE
    )


def a_day(path: Path, reserved: ChildReserved) -> None:
    """Seven events, three of which rest on decisions, of two parents; decisions 1 to 3, 4 to 5, 6 to 7."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
    journal.append(ParentPaused(time_ns=START_NS, parent_id="P-0001"))
    journal.append(dataclasses.replace(reserved, decisions=decide(journal, 1, 2, 3)))
    journal.append(ParentPaused(time_ns=START_NS, parent_id="P-0002"))
    seal = decide(journal, 1, 2, parent_id="P-0002")
    journal.append(
        ChildRefused(
            time_ns=START_NS,
            action=Action.PLACE,
            parent_id="P-0002",
            slice=1,
            order_ref="hy:abcd1234:P-0002:1:1",
            check="check_2",
            transient=False,
            message="no",
            decisions=seal,
        )
    )
    journal.append(ParentPaused(time_ns=START_NS, parent_id="P-0001"))
    journal.append(dataclasses.replace(reserved, decisions=decide(journal, 8, 9)))
    journal.append(ParentPaused(time_ns=START_NS, parent_id="P-0001"))
    journal.close()


def tamper(path: Path, *statements: str) -> None:
    """Change the file as whoever has it can."""
    connection = sqlite3.connect(path, isolation_level=None)
    for trigger in ("events_stay", "events_remain", "decisions_stay", "decisions_remain"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def proof_of(path: Path, *, parent_id: str | None = None, heads: ExportedHeads | None = None) -> Proof:
    """What can be said of a journal."""
    with JournalReader.open(path, even_torn=True) as reader:
        return Prover(reader, heads=heads, parent_id=parent_id).prove()


def test_an_untouched_journal_holds(path: Path, reserved: ChildReserved) -> None:
    """Every row is believed, every decision is sealed, and the head is the last row's hash."""
    a_day(path, reserved)

    proof = proof_of(path, heads=read_heads(heads_path(path)))

    with sqlite3.connect(path) as connection:
        ((last,),) = connection.execute("SELECT hash FROM events WHERE seq = 7").fetchall()
    connection.close()
    assert proof == Proof(through=7, rows=7, head=last, sealed=7, unsealed=0, days=1, damages=())


@pytest.mark.parametrize(
    ("statement", "group", "through"),
    [
        ("UPDATE decisions SET allowed = 0 WHERE seq = 2", "1 to 3, on which row 2", 1),
        ("UPDATE decisions SET observed = 2.5 WHERE seq = 2", "1 to 3, on which row 2", 1),
        ("UPDATE decisions SET message = 'all is well' WHERE seq = 5", "4 to 5, on which row 4", 3),
        ("UPDATE decisions SET parent_id = 'P-0009' WHERE seq = 6", "6 to 7, on which row 6", 5),
        ("DELETE FROM decisions WHERE seq = 7", "6 to 7, on which row 6", 5),
        ("DELETE FROM decisions", "1 to 3, on which row 2", 1),
    ],
)
def test_decisions_that_were_changed_are_found_by_the_event_that_rests_on_them(
    path: Path, reserved: ChildReserved, statement: str, group: str, through: int
) -> None:
    """The chain of the events holds, and what comes before the first such event is believed."""
    a_day(path, reserved)

    tamper(path, statement)

    proof = proof_of(path)
    assert not proof.holds
    (damage,) = proof.damages
    assert f"decisions {group} of its events" in damage
    assert proof.through == through
    with JournalReader.open(path) as reader:
        reader.verify()


def test_of_one_parent_only_its_own_decisions_are_looked_at(path: Path, reserved: ChildReserved) -> None:
    """What was done to another's does not speak against its life."""
    a_day(path, reserved)
    tamper(path, "UPDATE decisions SET allowed = 0 WHERE seq = 2")

    proofs = [proof_of(path, parent_id=parent_id) for parent_id in ("P-0001", "P-0002")]

    assert [proof.holds for proof in proofs] == [False, True]
    assert proofs[1].sealed == 2


def test_decisions_that_no_event_rests_on_are_counted(path: Path, reserved: ChildReserved) -> None:
    """Those of an older version, or slipped in behind: nothing proves them."""
    a_day(path, reserved)
    tamper(
        path,
        "INSERT INTO decisions VALUES (8, 1, 'P-0001', 1, 'place', 'check_1', 1, NULL, NULL, '', '', '', NULL, 0)",
    )

    proof = proof_of(path)
    assert proof.holds
    assert (proof.sealed, proof.unsealed) == (7, 1)


def test_rows_are_noted_up_to_the_one_that_breaks(path: Path, reserved: ChildReserved) -> None:
    """What follows a changed row is not told on, and is not believed."""
    a_day(path, reserved)
    tamper(path, "UPDATE events SET payload = replace(payload, 'P-0001', 'P-0003') WHERE seq = 5")
    noted: list[EventRow] = []

    with JournalReader.open(path) as reader:
        proof = Prover(reader, heads=None).prove(noted.append)

    assert [row.seq for row in noted] == [1, 2, 3, 4]
    assert (proof.through, proof.rows) == (4, 4)
    assert "row 5 of its events (ParentPaused) was changed" in proof.damages[0]


@pytest.mark.parametrize("payload", ["{", "[]", '{"time_ns":1}', '{"decisions":{"first":1}}'])
def test_a_forged_row_that_is_no_event_is_named(path: Path, reserved: ChildReserved, payload: str) -> None:
    """Its hash fits, and nothing can be read from it: it is told as broken, without another error."""
    a_day(path, reserved)
    write_anew(path, keep=7, replace=(encode_event(ParentPaused(time_ns=START_NS, parent_id="P-0002")), payload))
    tamper(path, "UPDATE events SET kind = 'ChildReserved' WHERE seq = 3")
    write_anew(path, keep=7)

    proof = proof_of(path)

    assert len(proof.damages) == 1
    assert "row 3 of the journal's events cannot be read" in proof.damages[0]
    assert (proof.through, proof.rows) == (2, 2)


def test_everything_that_is_wrong_is_said_and_the_least_is_believed(path: Path, reserved: ChildReserved) -> None:
    """A broken chain, a changed decision before it, and heads that end behind."""
    a_day(path, reserved)
    heads = read_heads(heads_path(path))
    tamper(
        path,
        "DELETE FROM events WHERE seq = 6",
        "UPDATE decisions SET unit = '' WHERE seq = 4",
    )

    proof = proof_of(path, heads=heads)

    assert [
        word in damage for word, damage in zip(("row 6", "decisions 4 to 5", "differs"), proof.damages, strict=True)
    ]
    assert proof.through == 0  # the only head is not borne out, so that no row is proven


@given(st.lists(DECISIONS, min_size=1, max_size=5))
def test_a_seal_is_the_same_from_the_disk(made: list[Decision]) -> None:
    """Whatever the figures and words: what SQLite gives back is what was sealed."""
    journal = Journal.open(":memory:", account=ACCOUNT, now_ns=START_NS, inline=True)

    seal = journal.append_decisions(made, time_ns=START_NS, parent_id="P-0001", slice=None, action=Action.PARENT)
    journal.append(
        ChildRefused(
            time_ns=START_NS,
            action=Action.PARENT,
            parent_id="P-0001",
            slice=1,
            order_ref="x",
            check="x",
            transient=False,
            message="",
            decisions=seal,
        )
    )
    journal.commit_now()

    proof = Prover(journal._reader, heads=None).prove()
    assert proof.damages == ()
    assert proof.sealed == len(made)
    kept = [row.observed for row in journal.decisions_rows()]
    assert [None if one.observed is None or math.isnan(one.observed) else one.observed for one in made] == kept


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("is_cut", [True, False], ids=["its end torn off", "a page torn out"])
def test_a_torn_file_is_believed_up_to_where_it_is_torn(
    path: Path, reserved: ChildReserved, share: float, is_cut: bool
) -> None:
    """The first row that is not there, or cannot be read, is named; those before it hold together."""
    journal = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
    for number in range(300):
        journal.append(dataclasses.replace(reserved, decisions=decide(journal, 1, 2, 3)))
        if number % 20 == 0:
            journal.commit_now()
    journal.close()

    content = path.read_bytes()
    torn = round(len(content) * share) // 4096 * 4096
    path.write_bytes(content[:torn] if is_cut else content[:torn] + b"\xff" * 4096 + content[torn + 4096 :])

    proof = proof_of(path)
    assert not proof.holds
    assert 300 * share * 0.5 < proof.through < 300
    named = [int(found[1]) for damage in proof.damages if (found := re.search(r"row (\d+) of its events", damage))]
    assert proof.through + 1 in named
    with JournalReader.open(path, even_torn=True) as reader:
        rows = reader.event_rows()
        assert [next(rows).seq for _ in range(proof.through)] == list(range(1, proof.through + 1))
