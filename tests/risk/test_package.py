"""What the room shows to others."""

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
