"""What each fill cost: differences of its price from benchmarks, and the market after it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hydra_nb.analysis.tca.asof import Flags, Reals
from hydra_nb.analysis.tca.columns import HORIZONS_S, REALISED_AFTER
from hydra_nb.analysis.tca.inputs import Fills
from hydra_nb.analysis.tca.terms import Terms
from hydra_nb.analysis.tca.works import Market, Meanwhile, Works
from hydra_nb.domain.units import NS_PER_S

BPS = 10_000.0
UNITS = ("ticks", "bps", "cash")


@dataclass(kw_only=True)
class Measured:
    """Numbers of every fill by the name of their column, and what lacks by the words that say so."""

    values: dict[str, Reals] = field(default_factory=dict)
    lacking: dict[str, Flags] = field(default_factory=dict)

    def lack(self, words: str, rows: Flags) -> None:
        """Note on which fills something is not known."""
        if rows.any():
            self.lacking[words] = self.lacking[words] | rows if words in self.lacking else rows


def measure(fills: Fills, *, market: Market, terms: Terms, parents: Works, meanwhile: Meanwhile) -> Measured:
    """Every number of the level of fills, each an array in the order of the fills."""
    measured = Measured()
    values = measured.values
    values.update(_mids(fills, market=market, parents=parents, meanwhile=meanwhile))
    differences = dict(_differences(fills, values))
    arrival = values["arrival_mid"]
    positive = np.where(arrival > 0, arrival, np.nan)
    tick, value = terms.tick[fills.keys], terms.point_value[fills.keys]
    scale = {"ticks": 1 / tick, "bps": BPS / positive, "cash": value * fills.lots}
    for stem, difference in differences.items():
        for unit in UNITS:
            values[f"{stem}_{unit}"] = difference * scale[unit]
    values.update(_predicted(fills, values, scale=scale))
    decision = values["decision_mid"]
    values["delay_cash"] = fills.sign * (arrival - decision) * scale["cash"]
    values["trading_cash"] = values["arrival_slippage_cash"]
    values["fees_cash"] = fills.real("commission")
    measured.lack("tick", ~np.isfinite(tick))
    measured.lack("value of a point", ~np.isfinite(value))
    _note_lacks(measured, known=differences, market=market)
    return measured


def _mids(fills: Fills, *, market: Market, parents: Works, meanwhile: Meanwhile) -> Iterator[tuple[str, Reals]]:
    """Benchmarks of every fill, in the quoted unit."""
    of = parents.of_fill
    yield "decision_mid", filled_up(fills.real("decision_mid"), parents.real("decision_mid")[of])
    yield "arrival_mid", filled_up(fills.real("arrival_mid"), arrival_mids(parents, meanwhile)[of])
    yield "order_mid", fills.real("order_mid")
    yield "twap", meanwhile.twap[of]
    yield "vwap", meanwhile.vwap[of]
    tape = market.quotes
    if tape is None:
        nothing = np.full(len(fills), np.nan)
        yield from ((name, nothing) for name in ("fill_mid", "quote_age_s", *map(_after, HORIZONS_S)))
        return
    age_s = tape.age_ns(fills.time_ns, fills.groups, strictly_before=True) / NS_PER_S
    mid = tape.at(fills.time_ns, fills.groups, tolerance_ns=market.tolerance_ns, strictly_before=True)
    yield "fill_mid", mid
    yield "quote_age_s", age_s
    last_ns = tape.last_ns(fills.groups, len(fills))
    for name, horizon_s in HORIZONS_S.items():
        after_ns = fills.time_ns + horizon_s * NS_PER_S
        later = tape.at(after_ns, fills.groups, tolerance_ns=market.tolerance_ns)
        # Where the record ends before, nobody knows whether its last quote still stood.
        yield _after(name), np.where(after_ns <= last_ns, later, np.nan)


def _after(horizon: str) -> str:
    """Name of the mid after a horizon; it is no column."""
    return f"mid_{horizon}"


def arrival_mids(parents: Works, meanwhile: Meanwhile) -> Reals:
    """Mid at the arrival of every parent: as it was told, else as the quotes tell it."""
    return filled_up(parents.real("arrival_mid"), meanwhile.arrival_mid)


def filled_up(told: Reals, looked_up: Reals) -> Reals:
    """What the frame tells, and where it does not, what the quotes tell."""
    return np.where(np.isfinite(told), told, looked_up)


def _differences(fills: Fills, values: dict[str, Reals]) -> Iterator[tuple[str, Reals]]:
    """Price differences of every fill, in the quoted unit, with the sign that their columns tell."""
    sign, price = fills.sign, fills.price
    for stem, benchmark in (("arrival", "arrival_mid"), ("order", "order_mid"), ("twap", "twap"), ("vwap", "vwap")):
        yield f"{stem}_slippage", sign * (price - values[benchmark])
    yield "effective_spread", 2 * sign * (price - values["fill_mid"])
    yield "realised_spread", 2 * sign * (price - values[_after(REALISED_AFTER)])
    for name in HORIZONS_S:
        yield f"markout_{name}", sign * (values.pop(_after(name)) - price)


def _predicted(fills: Fills, values: dict[str, Reals], *, scale: dict[str, Reals]) -> Iterator[tuple[str, Reals]]:
    """Predictions stored with the orders, in every unit, from whichever the frame has."""
    price = fills.real("predicted_slippage")
    bps = fills.real("predicted_slippage_bps")
    arrival = values["arrival_mid"]
    price = filled_up(price, bps / BPS * np.where(arrival > 0, arrival, np.nan))
    for unit in UNITS:
        yield f"predicted_slippage_{unit}", price * scale[unit]


def _note_lacks(measured: Measured, *, known: dict[str, Reals], market: Market) -> None:
    """Say what could not be known, once for each cause."""
    values = measured.values

    def unknown(name: str) -> Flags:
        return ~np.isfinite(values[name])

    measured.lack("mid at the decision", unknown("decision_mid"))
    measured.lack("mid at arrival", unknown("arrival_mid"))
    measured.lack("bps (the arrival mid is not positive)", values["arrival_mid"] <= 0)
    measured.lack("mid when the order was sent", unknown("order_mid"))
    quotes = "quotes" if market.quotes is None else None
    measured.lack(quotes or "mid just before the fill", unknown("fill_mid"))
    for name in HORIZONS_S:
        measured.lack(quotes or f"mid {name} after", ~np.isfinite(known[f"markout_{name}"]))
    measured.lack("time-weighted mid meanwhile", unknown("twap"))
    measured.lack("trades" if market.prints is None else "trades printed meanwhile", unknown("vwap"))
    measured.lack("fees", unknown("fees_cash"))
