"""Our ledger against the broker's own account of executions, orders and positions."""

from hydra_nb.reconcile.finding import Break
from hydra_nb.reconcile.reconciler import Reconciler

__all__ = ["Break", "Reconciler"]
