"""The journal: everything that happened, durable before anything is sent, readable by anyone at any time."""

from hydra_nb.journal.journal import Journal, Receipt
from hydra_nb.journal.reader import DecisionRow, JournalReader, JournalReading, QuoteRow

__all__ = ["DecisionRow", "Journal", "JournalReader", "JournalReading", "QuoteRow", "Receipt"]
