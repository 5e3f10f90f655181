"""Fills of orders whose cost is known: a factor of the half spread, k times the scale, and noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.cost import IMPACT_K

START = pd.Timestamp("2026-03-03 15:00", tz="UTC")
HALF_SPREADS = (1.0, 1.5, 2.0, 3.0)
LOTS = (2, 5, 10, 20)
DAILY_MOVE_TICKS, ADV_LOTS = 40.0, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the fills are made of; noise in ticks, of each fill and shared by the fills of an order."""

    spread_factor: float = 0.7
    k: float = 0.3
    fill_noise: float = 1.0
    order_noise: float = 0.5

    @property
    def bias(self) -> float:
        """Mean of actual less predicted that any number of orders would come to, ticks."""
        return (self.spread_factor - 1) * float(np.mean(HALF_SPREADS)) + (self.k - IMPACT_K) * float(
            np.mean([scale_of(lots) for lots in LOTS])
        )


def scale_of(lots: int) -> float:
    """What k is multiplied with for an order of so many lots, ticks."""
    return DAILY_MOVE_TICKS * float(np.sqrt(lots / ADV_LOTS))


def simulated_fills(truth: Truth, *, seed: int, orders: int = 40, symbol: str = "ZO") -> pd.DataFrame:
    """Fills of orders of random sizes and spreads, one to four each, predicted by the assumed constants."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(orders):
        half_spread, scale = float(rng.choice(HALF_SPREADS)), scale_of(int(rng.choice(LOTS)))
        shared = rng.normal(0, truth.order_noise)
        for fill in range(int(rng.integers(1, 5))):
            paid = truth.spread_factor * half_spread + truth.k * scale + shared + rng.normal(0, truth.fill_noise)
            predicted = half_spread + IMPACT_K * scale
            rows.append(
                {
                    "time": START + pd.Timedelta(hours=number, seconds=fill),
                    "fill_id": f"{symbol}-{number:04d}.{fill:02d}",
                    "parent_id": f"P-{number:04d}",
                    "symbol": symbol,
                    "side": ("BUY", "SELL")[number % 2],
                    "lots": int(rng.integers(1, 5)),
                    "half_spread_ticks": half_spread,
                    "impact_scale_ticks": scale,
                    "predicted_slippage_ticks": predicted,
                    "slippage_ticks": paid,
                }
            )
    return pd.DataFrame(rows)


def with_prices(
    fills: pd.DataFrame, *, mid: float = 400.0, tick: float = 0.25, tick_value: float = 12.5
) -> pd.DataFrame:
    """The same fills with prices around a mid, in basis points, in cash and in price units."""
    sign = fills["side"].map({"BUY": 1.0, "SELL": -1.0})
    paid, predicted = fills["slippage_ticks"], fills["predicted_slippage_ticks"]
    return fills.assign(
        arrival_mid=mid,
        price=mid + sign * paid * tick,
        predicted_slippage=predicted * tick,
        slippage_bps=paid * tick / mid * 1e4,
        predicted_slippage_bps=predicted * tick / mid * 1e4,
        slippage_cash=paid * tick_value * fills["lots"],
        predicted_slippage_cash=predicted * tick_value * fills["lots"],
        currency="USD",
    )
