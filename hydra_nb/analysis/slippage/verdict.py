"""Whether predictions may be believed, with the reason in words."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from hydra_nb.analysis.slippage.evidence import ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationVerdict:
    """Whether predictions are calibrated; true or false by itself, `reason` says why."""

    is_calibrated: bool
    reason: str

    def __bool__(self) -> bool:
        """Whether they are."""
        return self.is_calibrated

    def __str__(self) -> str:
        return f"{'calibrated' if self.is_calibrated else 'not calibrated'}: {self.reason}"


def judge(
    rows: list[Mapping[Hashable, Any]], *, symbol: str, max_bias: float, min_correlation: float
) -> CalibrationVerdict:
    """Judge one row of a summary, and, where that is of all symbols, the bias of each symbol as well.

    Opposite biases of two symbols cancel in the figure of both. A correlation within one symbol is not asked for: there
    the prediction may hardly vary.
    """
    found = next(row for row in rows if row["symbol"] == symbol)
    if _unknown(found["bias"]):
        return CalibrationVerdict(is_calibrated=False, reason=f"{symbol}: {found['reason']}")
    judged = [found, *(row for row in rows if symbol == ALL and row["symbol"] != ALL and not _unknown(row["bias"]))]
    biased = [row for row in judged if abs(row["bias"]) > max_bias]
    parts = [_bias_words(row, max_bias=max_bias) for row in (biased or [found])]
    correlated = found["correlation"] >= min_correlation
    parts.append(
        f"correlation of {symbol} {found['correlation']:.2f}{_interval(found, 'correlation', decimals=2)}, "
        f"{'at least' if correlated else 'below'} {min_correlation:g}"
    )
    return CalibrationVerdict(is_calibrated=not biased and bool(correlated), reason="; ".join(parts))


def _bias_words(row: Mapping[Hashable, Any], *, max_bias: float) -> str:
    bias, unit = row["bias"], row["unit"]
    beyond = abs(bias) > max_bias
    doubt = ""
    if not beyond and not max(abs(row["bias_low"]), abs(row["bias_high"])) <= max_bias:
        doubt = ", though its interval is not" if not _unknown(row["bias_low"]) else ", its interval not known"
    return (
        f"bias of {row['symbol']} {bias:+.3g} {unit}{_interval(row, 'bias')} over {row['n']} fills of "
        f"{row['orders']} orders, {'beyond' if beyond else 'within'} ±{max_bias:g}{doubt}"
    )


def _interval(row: Mapping[Hashable, Any], name: str, *, decimals: int | None = None) -> str:
    ends = row[f"{name}_low"], row[f"{name}_high"]
    if any(_unknown(end) for end in ends):
        return ""
    low, high = (f"{end:.3g}" if decimals is None else f"{end:.{decimals}f}" for end in ends)
    return f" ({low} to {high})"


def _unknown(figure: float | None) -> bool:
    return figure is None or math.isnan(figure)
