"""What the room shows to others."""

import subprocess
import sys

import hydra_nb.risk


def test_the_public_names_are_there() -> None:
    """No more and no fewer."""
    assert hydra_nb.risk.__all__ == [
        "Approved",
        "Decision",
        "Limits",
        "Refused",
        "RiskGate",
        "RiskSnapshot",
        "WouldPass",
    ]
    assert all(hasattr(hydra_nb.risk, name) for name in hydra_nb.risk.__all__)


def test_the_module_of_the_page_prints_only_when_it_is_run() -> None:
    """To import it writes nothing."""
    words = [sys.executable, "-c", "import hydra_nb.risk.table"]

    assert subprocess.run(words, capture_output=True, check=True).stdout == b""
