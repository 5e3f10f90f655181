"""A previewed plan as a notebook holds it: frames, a picture, and an HTML card."""

from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from hydra_nb.analysis import frames, plots
from hydra_nb.analysis.plot_traces import Theme
from hydra_nb.desk.dividing import frontier_of
from hydra_nb.desk.expecting import expecting
from hydra_nb.desk.staging import Stage
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentOrder, Strategy
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.rehearsal.market import Market
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.rehearsal.rehearse import Fidelity, Staged, rehearse
from hydra_nb.rehearsal.running import Tell
from hydra_nb.risk.verdict import Decision, WouldPass
from hydra_nb.sim.faults.script import FaultScript
from hydra_nb.widgets import numbers, render


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be done, frozen: every slice, every check, the expected cost. Nothing is sent.

    Attributes
    ----------
    terms
        The frozen plan that `Desk.submit` runs.
    quote
        Top of the book at preview; None where there was none.
    decisions
        The gate's dry run, one a check.
    would_pass_now
        What all checks together would allow.
    quotes
        Quotes until the preview, for the picture: columns of `Desk.quotes`.
    badge, masked_account
        The account, as screens show it.
    notices
        What a person should know beside the frames.
    setting
        Where it is rehearsed: the desk that drew it.
    """

    terms: ExecutionPlan
    quote: Quote | None
    decisions: tuple[Decision, ...]
    would_pass_now: WouldPass
    quotes: pd.DataFrame
    badge: str
    masked_account: str
    notices: tuple[str, ...]
    setting: Stage = field(repr=False, compare=False)

    @property
    def plan_id(self) -> str:
        """Hash of offsets, lots, draws and limits."""
        return self.terms.plan_id

    @property
    def parent(self) -> ParentOrder:
        """What would be done."""
        return self.terms.parent

    @property
    def strategy(self) -> Strategy:
        """The strategy that was chosen."""
        return self.terms.parent.strategy

    @property
    def participation(self) -> float:
        """Lots over average daily volume."""
        return self.terms.participation

    @property
    def passes(self) -> bool:
        """Whether every check of the dry run allows the order."""
        return all(decision.allowed for decision in self.decisions)

    @property
    def schedule(self) -> pd.DataFrame:
        """One row a slice, as if submitted at the preview; from its own start where the plan begins later."""
        return frames.schedule(self.terms, start_ns=self.terms.begins_ns(self.terms.previewed_ns), quote=self.quote)

    @property
    def risk(self) -> pd.DataFrame:
        """One row a check: the columns of `Desk.decisions`."""
        return frames.decisions_frame(self.decisions, time_ns=self.terms.previewed_ns)

    @property
    def would_pass(self) -> pd.DataFrame:
        """One row: the largest `lots`, nearest `price`, earliest `time` that all checks together would allow."""
        return frames.would_pass(self.would_pass_now)

    @property
    def expected_cost(self) -> pd.DataFrame:
        """One row: predicted slippage with its evidence."""
        return frames.expected_cost(self.terms, quote=self.quote)

    @property
    def valid_until(self) -> pd.Timestamp:
        """When the plan becomes too old to be submitted."""
        return pd.Timestamp(self.terms.valid_until_ns, unit="ns", tz="UTC")

    @property
    def duration_s(self) -> float:
        """Market seconds from its beginning to the end of its last slice."""
        return self.terms.duration_ns / NS_PER_S

    def stage(self, market: Market | None, **how: Any) -> Staged:
        """Take the desk as it stands, to rehearse the plan on; see `hydra_nb.desk.staging.Stage.stage` for `how`."""
        return self.setting.stage(self.terms, market, **how)

    def now_ns(self) -> int:
        """Market time on the desk that drew it."""
        return self.setting.now_ns()

    async def freshen(self) -> None:
        """Ask the broker what margin the order needs, where its last answer is over a minute old; nothing is placed."""
        await self.setting.freshen(self.terms)

    async def rehearse(
        self,
        n: int = 1000,
        *,
        seed: int | None = None,
        market: Market | None = None,
        fidelity: Fidelity = "direct",
        faults: FaultScript | None = None,
        executor: Executor | None = None,
        progress: bool | Tell = True,
    ) -> Rehearsal:
        """Run this very plan over many markets that look like the one on the screen; nothing is sent.

        It goes through the manager, gate, strategies and ledger that will trade it, from the desk as it stands now.
        Parameters and errors are those of `hydra_nb.rehearse`.
        """
        compared = await rehearse(
            [self],
            n,
            seed=seed,
            market=market,
            fidelity=fidelity,
            faults=faults,
            executor=executor,
            progress=progress,
        )
        return compared.rehearsals[0]

    def with_expected_cost(self, rehearsal: Rehearsal) -> "Plan":
        """Give this plan with its expected cost taken from its rehearsal; what is sent, and its id, are the same.

        `expected_cost` then shows the mean of what filled lots cost, a lot against the mid when the order began, from 5
        to 95 % of the paths, with its `source`. It is journalled with the plan when that is submitted, and its fills
        are held against it; the breaker of slippage goes by the formula as before.

        Raises
        ------
        InvalidOrder
            The rehearsal is of another plan, fewer than about a hundred of its paths have a cost, or spread,
            volatility or volume was not known at the preview.
        """
        return replace(self, terms=expecting(self.terms, rehearsal))

    def plot(self, *, theme: Theme | None = None) -> go.Figure:
        """Slices with jitter windows and stage prices on the live mid; `schedule` says the same.

        Parameters
        ----------
        theme
            ``"light"`` or ``"dark"``, where the figure will stand alone on such a page; None suits a notebook.
        """
        contract = self.parent.contract
        return plots.plan_figure(
            self.schedule,
            side=self.parent.side,
            tick=contract.tick,
            decimals=contract.decimals,
            quotes=self.quotes,
            limit=self.parent.limit,
            time_zone=contract.time_zone,
            unit=numbers.quote_unit(contract),
            title=f"{self.parent.side} {self.parent.lots} {contract.local_symbol}",
            theme=theme,
        )

    def frontier(self, n: int = 25) -> pd.DataFrame:
        """What the order is expected to cost by risk aversion, against how far that may be off.

        Parameters
        ----------
        n
            Points of the frontier, at least 2; two more rows are this plan and the same lots in even slices.

        Returns
        -------
        pandas.DataFrame
            `kind` `risk_aversion` `expected_cost_cash` `deviation_cash` `half_life_s` `first_slice_lots` `slices`
            `currency`.

        Raises
        ------
        InvalidOrder
            The plan has a single slice, or spread, volatility or volume was not known at its preview.
        """
        return frontier_of(self.terms, n=n)

    def plot_frontier(self, n: int = 25, *, theme: Theme | None = None) -> go.Figure:
        """Expected cost against its deviation, with this plan marked; `frontier` says the same, and what `n` is.

        Parameters
        ----------
        n, theme
            As in `frontier` and `plot`.
        """
        parent = self.parent
        title = f"{parent.side} {parent.lots} {parent.contract.local_symbol}: cost against its deviation"
        return plots.efficient_frontier(self.frontier(n), title=title, theme=theme)

    def __repr__(self) -> str:
        """Say what would be done, in one line."""
        parent = self.parent
        state = "passes" if self.passes else "refused"
        return (
            f"<Plan {self.plan_id}: {parent.side} {parent.lots} {parent.contract.local_symbol}, {self.strategy}, "
            f"{len(self.terms.slices)} slices, {state}>"
        )

    def _repr_html_(self) -> str:
        return render.plan_card(self, badge=self.badge, masked_account=self.masked_account)
