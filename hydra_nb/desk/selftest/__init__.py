"""The self-test: what a trader should know of a gateway before trusting it, tried on the account that is connected."""

from hydra_nb.desk.selftest.finding import Finding, Findings
from hydra_nb.desk.selftest.instruments import try_contracts
from hydra_nb.desk.selftest.questions import Questions
from hydra_nb.desk.selftest.trial import Trial

__all__ = ["Finding", "Findings", "Questions", "Trial", "try_contracts"]
