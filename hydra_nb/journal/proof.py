"""How far a journal can be believed: by its chain, by the seals of its decisions, and by the heads exported of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hydra_nb.domain.events import DecisionsSeal
from hydra_nb.errors import JournalUnreadable
from hydra_nb.journal.heads import Contradiction, ExportedHeads, HeadComparison
from hydra_nb.journal.reader import JournalReader, event_of
from hydra_nb.journal.rows import DecisionRow, EventRow, seal_of

_SEALED = frozenset({"ParentSubmitted", "ChildReserved", "ChildRefused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What holds and what does not.

    Parameters
    ----------
    through
        Number of the last row of events that nothing speaks against; 0 where there is none.
    head
        Hash of the last row that follows from the one before.
    rows
        Its number.
    sealed, unsealed
        How many decisions the chain guards, and how many an older version wrote without a seal.
    days
        How many exported heads were compared.
    damages
        What is broken, in words: at most one sentence of each kind.
    """

    through: int
    rows: int
    head: str
    sealed: int
    unsealed: int
    days: int
    damages: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the journal."""
        return not self.damages


class Prover:
    """Looks at one journal.

    Parameters
    ----------
    reader
        The journal.
    heads
        Exported heads, read before the journal; None compares none.
    parent_id
        Look at the decisions of this parent only; the chain is looked at whole.
    """

    def __init__(self, reader: JournalReader, *, heads: ExportedHeads | None, parent_id: str | None = None) -> None:
        self._reader = reader
        self._parent_id = parent_id
        self._comparison = HeadComparison(heads or ExportedHeads({}, None, ()), journal_id=reader.journal_id)
        self._seals: list[tuple[int, str, DecisionsSeal]] = []  # with number and kind of their event
        self._last: EventRow | None = None
        self._sealed = self._unsealed = 0

    def prove(self, *note: Callable[[EventRow], None]) -> Proof:
        """Look at all of it; each `note` is told every row that follows from the one before, in order."""
        damages: list[str] = []
        try:
            self._reader.verify(*note, self._note, self._comparison.note)
        except JournalUnreadable as error:
            damages.append(str(error))
        rows = 0 if self._last is None else self._last.seq
        broken = self._broken_decisions()
        contradiction = self._comparison.contradiction()
        damages += [] if broken is None else [broken.message]
        damages += [] if contradiction is None else [contradiction.message]
        return Proof(
            through=min([rows, *(found.agreed for found in (broken, contradiction) if found is not None)]),
            rows=rows,
            head="" if self._last is None else self._last.hash,
            sealed=self._sealed,
            unsealed=self._unsealed,
            days=len({head.day for head in self._comparison.heads}),
            damages=tuple(damages),
        )

    def _note(self, row: EventRow) -> None:
        if row.kind in _SEALED and self._parent_id in (None, row.parent_id):
            seal = getattr(event_of(row), "decisions", None)
            if seal is not None:
                self._seals.append((row.seq, row.kind, seal))
        self._last = row

    def _broken_decisions(self) -> Contradiction | None:
        """The first event whose decisions are not those that it rests on."""
        kept = readable_decisions(self._reader, parent_id=self._parent_id)
        row = next(kept, None)
        for seq, kind, seal in self._seals:
            group: list[DecisionRow] = []
            while row is not None and row.seq <= seal.last:
                if row.seq >= seal.first:
                    group.append(row)
                else:
                    self._unsealed += 1
                row = next(kept, None)
            if not group or seal_of(group) != seal:
                which = f"decisions {seal.first} to {seal.last}, on which row {seq} of its events"
                words = f"the journal is broken: {which} ({kind}) rests, were changed or taken out"
                return Contradiction(seq - 1, words)
            self._sealed += len(group)
        self._unsealed += sum(1 for _ in kept) + (row is not None)
        return None


def readable_decisions(reader: JournalReader, *, parent_id: str | None) -> Iterator[DecisionRow]:
    """Decisions, of one parent or of all, up to the first that cannot be read."""
    try:
        yield from reader.each_decision(parent_id=parent_id)
    except JournalUnreadable:
        return
