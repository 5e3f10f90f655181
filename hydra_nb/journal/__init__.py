"""The journal: everything that happened, durable before anything is sent, readable by anyone at any time."""

from hydra_nb.journal.journal import Journal, Receipt
from hydra_nb.journal.port import JournalPort
from hydra_nb.journal.reader import JournalReader
from hydra_nb.journal.rows import DecisionRow, EventRow, JournalReading, QuoteRow

__all__ = [
    "DecisionRow",
    "EventRow",
    "Journal",
    "JournalPort",
    "JournalReader",
    "JournalReading",
    "QuoteRow",
    "Receipt",
]
