"""All frames by name, and the page of their columns."""

from hydra_nb.analysis import (
    basket_columns,
    columns,
    cycles,
    month_columns,
    patience_columns,
    rehearsal_columns,
    slippage_columns,
)
from hydra_nb.analysis.columns import Column
from hydra_nb.analysis.daily import columns as daily_columns
from hydra_nb.analysis.report import columns as report_columns
from hydra_nb.analysis.tca import columns as tca_columns

FRAMES: dict[str, tuple[Column, ...]] = {
    "executions": columns.EXECUTIONS,
    "slices": columns.SLICES,
    "decisions": columns.DECISIONS,
    "fills": columns.FILLS,
    "orders": columns.ORDERS,
    "positions": columns.POSITIONS,
    "quotes": columns.QUOTES,
    "reconcile": columns.RECONCILE,
    "instruments": columns.INSTRUMENTS,
    "limits": columns.LIMITS,
    "audit": columns.AUDIT,
    "breakers": columns.BREAKERS,
    "alerts": columns.ALERTS,
    "plan.schedule": columns.SCHEDULE,
    "plan.would_pass": columns.WOULD_PASS,
    "plan.expected_cost": columns.EXPECTED_COST,
    "tca.fill": tca_columns.FILL_LEVEL,
    "tca.slice": tca_columns.SLICE_LEVEL,
    "tca.parent": tca_columns.PARENT_LEVEL,
    "tca.group": tca_columns.GROUP_LEVEL,
    "slippage": slippage_columns.SLIPPAGE,
    "refit": slippage_columns.REFIT,
    "calibrations": slippage_columns.CALIBRATIONS,
    **patience_columns.FRAMES,
    **basket_columns.FRAMES,
    **cycles.FRAMES,
    **month_columns.FRAMES,
    **rehearsal_columns.FRAMES,
    "report.terms": report_columns.TERMS,
    "report.benchmarks": report_columns.BENCHMARKS,
    **{f"daily.{name}": daily_columns.COLUMNS[name] for name in daily_columns.OWN},
}


def columns_page() -> str:
    """The page ``docs/columns.md``: a table of columns for every frame."""
    parts = [
        "# Columns of the frames",
        "Generated from the code; regenerate with `python -m hydra_nb.analysis.columns_page`.",
        "Prices are in the quoted unit (cents where the price magnifier is 100), times UTC; unknown is NaN, NaT or NA.",
        "Cash is price difference / price magnifier × multiplier × lots, in the contract's currency.",
    ]
    for name, of_frame in FRAMES.items():
        lines = [f"## {name}\n", "| column | dtype | unit | meaning |", "|---|---|---|---|"]
        lines += [f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} |" for one in of_frame]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(columns_page(), end="")
