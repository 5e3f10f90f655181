"""What was predicted held against what was paid, and the constants of the formula that own fills speak for."""

from hydra_nb.analysis.slippage.evidence import LEAST_FILLS, LEAST_ORDERS
from hydra_nb.analysis.slippage.proposal import Refit
from hydra_nb.analysis.slippage.reconciler import SlippageReconciler
from hydra_nb.analysis.slippage.verdict import CalibrationVerdict

__all__ = ["LEAST_FILLS", "LEAST_ORDERS", "CalibrationVerdict", "Refit", "SlippageReconciler"]
