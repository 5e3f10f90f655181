"""The audit trail, asked at the very end: what was journalled under faults can be proven, and is told whole."""

from pathlib import Path

import pandas as pd

from hydra_nb.journal.heads import heads_path, read_heads
from hydra_nb.journal.proof import Prover
from tests.analysis.by_event import FRAMES, difference
from tests.audit.wholeness import what_is_wrong
from tests.simulation.facts import Facts, Life


def journal_is_proven(_facts: Facts, life: Life) -> str | None:
    """17. The journal is borne out by its chain, by the seals of its decisions, and by the heads exported of it."""
    journal = life.journal
    heads = None
    if isinstance(journal.path, Path) and heads_path(journal.path).exists():
        heads = read_heads(heads_path(journal.path))
    proof = Prover(journal._reading(), heads=heads).prove()
    if not proof.holds:
        return "; ".join(proof.damages)
    return f"{proof.unsealed} decisions are not sealed" if proof.unsealed else None


def lives_are_whole(desk: object, life: Life) -> str | None:
    """22. The life of each parent tells every event that names it, each once, in order, and each decision made."""
    journalled = list(life.journal.events())
    for parent_id in life.ledger.parents:
        frame: pd.DataFrame = desk.audit(parent_id)  # type: ignore[attr-defined]
        decisions = [row.seq for row in life.journal.decisions_rows(parent_id=parent_id)]
        wrong = what_is_wrong(frame, journalled, decisions, parent_id)
        if wrong is not None:
            return wrong
    return None


def frames_are_of_the_events(desk: object, life: Life) -> str | None:
    """22. Executions, slices and fills, carried on in bulk while a desk lives, are those of a fold of all events."""
    return difference({name: getattr(desk, name)() for name in FRAMES}, life.journal)
