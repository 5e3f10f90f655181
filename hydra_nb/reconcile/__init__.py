"""Our ledger against the broker's own account of executions, orders, positions and results."""

from hydra_nb.reconcile.finding import Break
from hydra_nb.reconcile.reconciler import Reconciler
from hydra_nb.reconcile.rounds import Rounds

__all__ = ["Break", "Reconciler", "Rounds"]
