"""What ``hydra-nb audit`` and ``hydra-nb verify`` say: a journal is proven first, and believed as far as that goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from hydra_nb.analysis.audit import Life, must_be_known, rows_of
from hydra_nb.analysis.audit_words import utc_text
from hydra_nb.domain.accounts import mask_account
from hydra_nb.errors import JournalUnreadable
from hydra_nb.journal import JournalReader
from hydra_nb.journal.heads import ExportedHeads, heads_path, read_heads
from hydra_nb.journal.proof import Proof, Prover, readable_decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A journal, or one life of it: what was proven in a sentence, the rows to be believed, and what is wrong.

    `warning` is None where nothing is.
    """

    title: str
    warning: str | None
    rows: Sequence[dict[str, Any]] = ()


def examine_life(journal: Path, parent_id: str) -> Examined:
    """The life of a parent, from a journal whose chain, decisions and heads beside it are looked at first.

    Raises
    ------
    InvalidOrder
        The journal holds, and has no such parent.
    JournalUnreadable, JournalTooNew
        There is no journal that this version can read.
    """
    exported = _exported_heads(heads_path(journal))  # before the journal, which may grow meanwhile
    with JournalReader.open(journal, even_torn=True) as reader:
        life = Life(parent_id)
        proof = Prover(reader, heads=exported, parent_id=parent_id).prove(life.note)
        if proof.holds:
            must_be_known(life)
        decisions = readable_decisions(reader, parent_id=parent_id)
        rows = list(rows_of(reader, life, decisions=decisions, through=None if proof.holds else proof.through))
        title = f"Life of {parent_id}. {_title(reader, proof)}"
    warning = _damage_words(proof)
    if warning is not None and not rows:
        warning += f" Nothing of {parent_id} is among them."
    return Examined(title=title, warning=warning, rows=rows)


def examine_journal(journal: Path, *, heads: Path | None) -> Examined:
    """A whole journal, with the heads beside it or a copy of them; that there are none is a warning.

    Raises
    ------
    JournalUnreadable, JournalTooNew
        There is no journal that this version can read, or no file where `heads` says.
    """
    where = heads_path(journal) if heads is None else heads
    exported = _exported_heads(where)
    if exported is None and heads is not None:
        raise JournalUnreadable(f"there are no heads at {heads}")
    with JournalReader.open(journal, even_torn=True) as reader:
        proof = Prover(reader, heads=exported).prove()
        title = _title(reader, proof)
    warning = _damage_words(proof)
    if exported is None:
        missing = f"There are no heads at {where}: whether the journal was cut or written anew cannot be told."
        warning = missing if warning is None else f"{warning} {missing}"
    return Examined(title=title, warning=warning)


def life_table(found: Examined) -> Table:
    """The rows of a life as a table; plain text, as the words of a broker or a person may look like markup."""
    table = Table(title=Text(found.title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name, justify in (("row", "right"), ("UTC", "left"), ("exchange", "left"), ("clock, s", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # both are ways to justify
    table.add_column("what", justify="left")
    for row in found.rows:
        number = str(row["seq"]) if row["decision"] is None else f"d{row['decision']}"
        low_s, high_s = row["clock_low_s"], row["clock_high_s"]
        clock = "–" if low_s is None else f"{low_s:+.2f} {high_s:+.2f}"
        utc = utc_text(row["time"]).replace("T", " ").removesuffix("Z")
        table.add_row(*map(Text, (number, utc, row["local_time"][11:], clock, row["words"])))
    return table


def _exported_heads(file: Path) -> ExportedHeads | None:
    """The heads in a file; None where there is none."""
    try:
        return read_heads(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalUnreadable(f"the heads at {file} cannot be read: {error.strerror}") from error


def _title(reader: JournalReader, proof: Proof) -> str:
    """Which journal it is, and what of it was looked at."""
    decisions = f"{proof.sealed} decisions sealed" + (f", {proof.unsealed} not" if proof.unsealed else "")
    heads = (
        f"heads of {proof.days} day{'s' if proof.days > 1 else ''} compared"
        if proof.days
        else "no heads to compare with"
    )
    return (
        f"Journal {reader.journal_id} of {mask_account(reader.account)}: {proof.rows} rows chained, head "
        f"{proof.head[:12]}; {decisions}; {heads}."
    )


def _damage_words(proof: Proof) -> str | None:
    if proof.holds:
        return None
    believed = (
        f"Rows 1 to {proof.through} of its events can be believed." if proof.through else "No row can be believed."
    )
    return " ".join([*(f"{damage[:1].upper()}{damage[1:]}." for damage in proof.damages), believed])
