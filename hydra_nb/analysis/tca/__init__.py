"""What executions cost, and why: transaction cost analysis of fills, quotes and trades."""

from hydra_nb.analysis.tca.analysis import tca
from hydra_nb.analysis.tca.asof import asof
from hydra_nb.analysis.tca.interval import trades_of
from hydra_nb.analysis.tca.journal import journal_tca
from hydra_nb.analysis.tca.shortfall import Shortfall, implementation_shortfall

__all__ = ["Shortfall", "asof", "implementation_shortfall", "journal_tca", "tca", "trades_of"]
