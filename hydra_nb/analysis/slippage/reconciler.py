"""Holds predictions against what was paid, and proposes what own fills speak for."""

from collections.abc import Mapping

import pandas as pd

from hydra_nb.analysis import slippage_columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.slippage.evidence import ALL, checked, gather
from hydra_nb.analysis.slippage.fitting import samples
from hydra_nb.analysis.slippage.proposal import Refit, propose
from hydra_nb.analysis.slippage.scores import summary_row
from hydra_nb.analysis.slippage.verdict import CalibrationVerdict, judge
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.errors import AnalysisError

_NOTHING: Mapping[str, SlippageCalibration] = {}


class SlippageReconciler:
    """Predicted slippage against actual slippage of fills, per symbol and over all; see ``docs/slippage.md``.

    Parameters
    ----------
    fills
        The columns of ``desk.fills()``, of this journal or from elsewhere. Without ``parent_id`` every fill counts as
        an order of its own. Fills without a prediction, or without an arrival mid, are left out and counted.
    unit
        ``"bps"``, ``"ticks"``, ``"price"`` or ``"cash"``, for `summary` and `is_calibrated`; all but cash are of a lot.
    level
        Confidence of all intervals.
    seed
        Of the bootstrap: equal seeds give equal intervals.
    in_force
        Calibrations that hold now, by symbol, which a refit compares with; None are the assumed constants.

    Raises
    ------
    AnalysisError
        Unit or level is none.
    InvalidFrame
        The frame lacks columns, or holds rows that would give a wrong number.
    """

    def __init__(
        self,
        fills: pd.DataFrame,
        *,
        unit: str = "bps",
        level: float = 0.95,
        seed: int = 0,
        in_force: Mapping[str, SlippageCalibration] = _NOTHING,
    ) -> None:
        if not 0 < level < 1:
            raise AnalysisError(f"level={level!r} is none; a number between 0 and 1, such as 0.95")
        self._fills = checked(fills, unit=unit)
        self._unit = unit
        self._level = level
        self._seed = seed
        self._in_force = in_force
        self._summary: pd.DataFrame | None = None

    def summary(self) -> pd.DataFrame:
        """One row for all symbols (``*``), then one a symbol; below 10 fills NaN, and the reason in words.

        Columns as of ``slippage`` in ``docs/columns.md``. Bias is actual less predicted, the multiplier mean actual
        over mean predicted. Means are over fills; `unit` ``"cash"`` counts their lots.
        """
        if self._summary is None:
            rows = (
                summary_row(one, unit=self._unit, level=self._level, seed=self._seed)
                for one in gather(self._fills, unit=self._unit)
            )
            self._summary = make_frame(slippage_columns.SLIPPAGE, rows)
        return self._summary.copy()

    def is_calibrated(self, max_bias: float, min_correlation: float, *, symbol: str = ALL) -> CalibrationVerdict:
        """Whether the predictions may be believed; the reason names figures, intervals and bounds.

        Parameters
        ----------
        max_bias
            Largest mean difference of actual and predicted, either way, in the unit of the reconciler.
        min_correlation
            Smallest correlation of the two.
        symbol
            Of one symbol. Of all by default: then no symbol by itself may be biased more, either.

        Raises
        ------
        AnalysisError
            A bound is none, or there is no fill of the symbol.
        """
        if not max_bias >= 0 or not -1 <= min_correlation <= 1:
            raise AnalysisError(
                f"max_bias={max_bias!r}, min_correlation={min_correlation!r}: a bias from 0, a correlation from −1 to 1"
            )
        rows = self.summary().to_dict("records")
        known = [row["symbol"] for row in rows]
        if symbol not in known:
            raise AnalysisError(f"there is no fill of {symbol}; there are {', '.join(known[1:]) or 'none at all'}")
        return judge([*rows], symbol=symbol, max_bias=max_bias, min_correlation=min_correlation)

    def refit(self) -> Refit:
        """Fit spread factor and k of each symbol to its fills, with before and after; nothing is in force by it.

        Raises
        ------
        InvalidFrame
            The frame lacks a column that a fit needs; those of another desk's fills may.
        """
        made = [
            propose(sample, before=self._in_force.get(sample.symbol), level=self._level)
            for sample in samples(self._fills)
        ]
        return Refit(
            table=make_frame(slippage_columns.REFIT, [row for row, _ in made]),
            calibrations={one.symbol: one for _, one in made if one is not None},
        )

    def __repr__(self) -> str:
        """Say how many fills there are, in one line."""
        return f"<SlippageReconciler: {len(self._fills)} fills, {self._unit}, level {self._level:g}>"
