"""Ledger: the pure fold of journalled events into orders, parents, exposure and the account."""

from hydra_nb.ledger.fold import Ledger
from hydra_nb.ledger.records import BookedExecution, OrderRecord, ParentRecord, SliceRecord, Traded

__all__ = ["BookedExecution", "Ledger", "OrderRecord", "ParentRecord", "SliceRecord", "Traded"]
