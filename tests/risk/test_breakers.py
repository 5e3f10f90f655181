"""What a screen says of the breakers agrees with the checks of the gate."""

from decimal import Decimal

import pytest

from hydra_nb.risk.breakers import breakers
from hydra_nb.risk.checks_account import daily_loss, drawdown, last_trade_loss
from hydra_nb.risk.limits import Limits

from .making import make_case, make_snapshot

LIMITS = Limits(max_daily_loss=10_000.10, max_drawdown_percent=5.0, max_parent_loss=500.0)


@pytest.mark.parametrize("equity", ["1000000", "989999.90", "989999.89", "950000", "949999", "NaN"])
@pytest.mark.parametrize("pnl", ["250", "-500", "-500.01", "NaN"])
def test_breakers_agree_with_the_checks_of_the_gate(equity: str, pnl: str) -> None:
    """Use and verdict are those of the checks, at the limit, beyond it, and where nothing is known."""
    whole = Decimal(1_000_000)
    snapshot = make_snapshot(
        equity=Decimal(equity), day_start_equity=whole, peak_equity=whole, last_parent_pnl=Decimal(pnl)
    )
    case = make_case(limits=LIMITS, snapshot=snapshot)

    shown = {
        one.check: one
        for one in breakers(
            LIMITS,
            equity=Decimal(equity),
            day_start=whole,
            peak=whole,
            last_pnl=Decimal(pnl),
            largest=Decimal(0),
            currency="USD",
        )
    }

    for check in (daily_loss, drawdown, last_trade_loss):
        decision = check(case)
        assert (shown[decision.check].observed, shown[decision.check].allowed) == (decision.observed, decision.allowed)
        assert shown[decision.check].limit == decision.limit


@pytest.mark.parametrize(
    ("largest", "observed", "allowed"),
    [(Decimal(500_000), 50.0, True), (Decimal(500_001), 50.0001, False), (None, None, False)],
)
def test_the_largest_position_is_a_share_of_equity(
    largest: Decimal | None, observed: float | None, allowed: bool
) -> None:
    """In percent; not known without a mid."""
    whole = Decimal(1_000_000)

    shown = breakers(
        Limits(), equity=whole, day_start=whole, peak=whole, last_pnl=None, largest=largest, currency="USD"
    )

    share = next(one for one in shown if one.check == "position_share")
    assert share.observed == (observed if observed is None else pytest.approx(observed))
    assert share.allowed is allowed
