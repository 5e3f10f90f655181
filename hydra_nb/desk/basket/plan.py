"""A previewed basket as a notebook holds it: the plans of all rows, weighed together. Nothing is sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis.basket_plot import Lane, basket_figure
from hydra_nb.analysis.plot_traces import Theme
from hydra_nb.desk.basket import frames
from hydra_nb.desk.basket.csv_file import write_basket
from hydra_nb.desk.basket.lines import Line, in_turn
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.market import AccountState
from hydra_nb.domain.plan import PLAN_VALID_S
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.exposure import ContractExposure
from hydra_nb.widgets.basket_card import basket_card


@dataclass(frozen=True, kw_only=True)
class BasketPlan:
    """What would be done with all rows, frozen, and what the gate says of them together. Nothing is sent.

    Attributes
    ----------
    lines
        The rows, in the order of the frame.
    exposures
        What each contract may come to if all rows that pass are filled, and all that works beside them.
    margins
        Change of initial margin that the rows that pass would make, by contract id; None where not known.
    account_state
        Values and rates of the account at preview.
    previewed_ns
        When it was previewed, UTC nanoseconds.
    badge, masked_account
        The account, as screens show it.
    """

    lines: tuple[Line, ...]
    exposures: tuple[ContractExposure, ...]
    margins: Mapping[int, float | None]
    account_state: AccountState
    previewed_ns: int
    badge: str
    masked_account: str

    @property
    def basket_id(self) -> str:
        """SHA-256 over all rows and their plans; the first 16 hexadecimals."""
        words = [str(self.previewed_ns)]
        for line in self.lines:
            want, plan_id = line.want, None if line.plan is None else line.plan.plan_id
            words.append(f"{line.label}|{want.contract.con_id}|{want.target}|{want.side}|{want.lots}|{plan_id}")
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans, in the order in which they would be sent; a row at its target has none."""
        return tuple(line.plan for line in in_turn(self.lines) if line.plan is not None)

    @property
    def passes(self) -> bool:
        """Whether the gate allows every row, each beside all that come before it."""
        return all(line.passes for line in self.lines)

    @property
    def rows(self) -> pd.DataFrame:
        """One row a row of the basket: what it would do, whether it passes, and what would."""
        turns = {line.want.request.number: turn for turn, line in enumerate(in_turn(self.lines), start=1)}
        return frames.rows_frame(self.lines, turns=turns)

    @property
    def schedule(self) -> pd.DataFrame:
        """One row a slice of a row, as if submitted at the preview."""
        return frames.schedule_frame(self.lines)

    @property
    def risk(self) -> pd.DataFrame:
        """One row a check of a row: the columns of `Desk.decisions` behind row and month."""
        return frames.risk_frame(self.lines)

    @property
    def exposure(self) -> pd.DataFrame:
        """One row a contract, and the total: position, what works, what is planned, worst case, value and margin."""
        return frames.exposure_frame(self.exposures, margins=self.margins, account=self.account_state)

    @property
    def expected_cost(self) -> pd.DataFrame:
        """One row a row with its predicted slippage, and the total in the account's currency."""
        return frames.cost_frame(self.lines, account=self.account_state)

    @property
    def messages_budget(self) -> int:
        """Order messages that all plans may need."""
        return sum(plan.terms.messages_budget for plan in self.plans)

    @property
    def messages_per_minute(self) -> int:
        """The most of them that could fall into one minute; the gate paces what is sent in a second."""
        starts = {
            plan.plan_id: int(plan.schedule["start"].iloc[0].value) - plan.terms.slices[0].offset_ns
            for plan in self.plans
        }
        return frames.most_messages_a_minute([plan.terms for plan in self.plans], start_ns=starts)

    @property
    def valid_until_ns(self) -> int:
        """When the first of its plans becomes too old, UTC nanoseconds."""
        ends = [plan.terms.valid_until_ns for plan in self.plans]
        return min(ends, default=self.previewed_ns + PLAN_VALID_S * NS_PER_S)

    @property
    def valid_until(self) -> pd.Timestamp:
        """When the basket becomes too old to be submitted."""
        return pd.Timestamp(self.valid_until_ns, unit="ns", tz="UTC")

    def plot(self, *, theme: Theme | None = None) -> go.Figure:
        """Slices of all rows over the sessions of their markets, on an axis in UTC; `schedule` says the same.

        Parameters
        ----------
        theme
            ``"light"`` or ``"dark"``, where the figure will stand alone on such a page; None suits a notebook.
        """
        lanes = [
            Lane(
                contract=line.want.contract,
                side=line.plan.parent.side,
                slices=line.plan.schedule,
                words=f"row {line.label}, {line.want.contract.local_symbol}",
                refused=not line.passes,
            )
            for line in self.lines
            if line.plan is not None
        ]
        return basket_figure(lanes, title=f"Basket {self.basket_id[:8]}", theme=theme)

    def to_csv(self, path: Path | str) -> Path:
        """Write the rows as they were asked for, with their months, for `hydra_nb.read_basket`.

        What a spreadsheet would take for a formula is written as text.

        Raises
        ------
        OSError
            It cannot be written.
        """
        return write_basket(path, [(line.want.request, line.want.contract) for line in self.lines])

    def __repr__(self) -> str:
        """Say how many rows there are, and how many pass."""
        refused = sum(not line.passes for line in self.lines)
        state = f"{refused} refused" if refused else "all pass"
        return f"<BasketPlan {self.basket_id}: {len(self.lines)} rows, {len(self.plans)} to send, {state}>"

    def _repr_html_(self) -> str:
        return basket_card(
            basket_id=self.basket_id,
            rows=self.rows,
            exposure=self.exposure,
            cost=self.expected_cost,
            messages=(self.messages_budget, self.messages_per_minute),
            valid_until=self.valid_until,
            badge=self.badge,
            masked_account=self.masked_account,
        )
