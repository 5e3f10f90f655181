"""What a tick and a point of each month are worth, and where its exchange is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hydra_nb.analysis.tca.asof import Reals
from hydra_nb.analysis.tca.inputs import Fills, keys_of, real, refuse, require

PER_SYMBOL = ("tick", "point_value", "multiplier", "price_magnifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms of each month, in the order of the symbols of the fills; NaN where not told.

    Attributes
    ----------
    tick
        Smallest price step, in the quoted unit.
    point_value
        Cash that one lot gains when the price rises by 1: multiplier / price magnifier.
    time_zone
        IANA name of the exchange's zone; ``UTC`` where not told.
    """

    tick: Reals
    point_value: Reals
    time_zone: npt.NDArray[np.object_]

    @classmethod
    def of(cls, fills: Fills, instruments: pd.DataFrame | None) -> "Terms":
        """Take terms from a frame of instruments, and for months that it lacks from the fills themselves.

        Parameters
        ----------
        fills
            They may carry `tick`, and `point_value` or `multiplier` and `price_magnifier`.
        instruments
            One row a month: `local_symbol`, `tick`, `point_value` or `multiplier` and `price_magnifier` (1 for prices
            in the currency itself), optionally `time_zone`. A magnifier that is not told is never taken for 1.

        Raises
        ------
        InvalidFrame
            A month is told twice, or differently by its fills, or a figure is not positive.
        """
        count = len(fills.symbols)
        terms = [np.full(count, np.nan), np.full(count, np.nan)]
        zones = np.full(count, "UTC", dtype=object)
        for known, told in zip(terms, _terms(fills.frame, "fills"), strict=True):
            given = np.isfinite(told)
            known[fills.keys[given]] = told[given]
            refuse(
                given & (known[fills.keys] != told), "fills", "that tell terms of a month which others tell otherwise"
            )
        if instruments is not None:
            worth = ("point_value",) if "point_value" in instruments else ("multiplier", "price_magnifier")
            require(instruments, "instruments", ("local_symbol", "tick", *worth))
            refuse(instruments["local_symbol"].duplicated(keep=False), "instruments", "of a month told more than once")
            keys = keys_of(instruments, fills.symbols)
            named = keys >= 0
            for known, told in zip(terms, _terms(instruments, "instruments"), strict=True):
                known[keys[named]] = told[named]
            if "time_zone" in instruments:
                zones[keys[named]] = instruments["time_zone"].to_numpy(dtype=object)[named]
        return cls(tick=terms[0], point_value=terms[1], time_zone=zones)


def _terms(frame: pd.DataFrame, name: str) -> tuple[Reals, Reals]:
    """Tick and point value of each row; NaN where the frame does not tell."""
    told = {column: real(frame, column, name) for column in PER_SYMBOL if column in frame}
    for column, values in told.items():
        refuse(values <= 0, name, f"whose {column} is not positive")
    unknown = np.full(len(frame), np.nan)
    value = told.get("multiplier", unknown) / told.get("price_magnifier", unknown)
    return told.get("tick", unknown), told.get("point_value", value)
