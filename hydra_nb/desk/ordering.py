"""The part of a desk that takes orders: draws plans, asks the gate about them, and hands them over."""

from abc import abstractmethod
from typing import Any

from hydra_nb.analysis import frames
from hydra_nb.desk.arguments import How, parse_lots, parse_side
from hydra_nb.desk.chains import Chaining
from hydra_nb.desk.drawing import Sheet, draw_plan
from hydra_nb.desk.execution import Execution
from hydra_nb.desk.notices import notices_of
from hydra_nb.desk.plan import Plan
from hydra_nb.desk.staging import Stage
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.instrument import NO_FACTS
from hydra_nb.domain.units import seconds_ns
from hydra_nb.errors import InvalidOrder


class Ordering(Chaining):
    """Previews and submissions of one account."""

    # Who and how

    @property
    def account(self) -> str:
        """The account number; screens and frames show it masked."""
        return self._rooms.broker.account

    @property
    def masked_account(self) -> str:
        """The account, masked: ``U•••67``."""
        return mask_account(self.account)

    def confirms_account(self, last_four: str) -> bool:
        """Whether a person knows the account: its last four characters, as typed before a live order."""
        return len(last_four) == 4 and self.account.upper().endswith(last_four.upper())

    @property
    def badge(self) -> str:
        """``SIM``, ``PAPER`` or ``LIVE``, by the account that the gateway reports."""
        broker = self._rooms.broker
        if broker.is_simulated:
            return "SIM"
        return "PAPER" if broker.is_paper else "LIVE"

    # Orders

    async def preview(self, side: str, lots: int, instrument: Any, **how: Any) -> Plan:
        """Draw a plan and ask the gate about it; nothing is sent.

        Parameters
        ----------
        side
            ``"BUY"`` or ``"SELL"``.
        lots
            Whole lots, at least 1.
        instrument
            Whatever `instrument` takes.
        **how
            The settings of `hydra_nb.desk.arguments.How`: strategy, slices, duration, patience, step, jitter, adv,
            limit, seed, tag, start, overrun, schedule, risk_aversion.

        Raises
        ------
        InvalidOrder, UnknownInstrument, DurationTooShort
            An argument is malformed. What market, account and limits refuse is in `Plan.risk` instead.
        """
        settings = How.parse(how)
        direction, size = parse_side(side), parse_lots(lots)
        contract = await self.instrument(instrument)
        settings.limit_price(contract)
        statistics = await self.statistics(contract)
        quote = await self._first_quote(contract)
        manager = self._rooms.manager
        limits = manager.whole_plan.limits.for_symbol(contract.symbol)
        terms = draw_plan(
            Sheet(
                account=self.account,
                contract=contract,
                side=direction,
                lots=size,
                how=settings,
                statistics=statistics,
                quote=quote,
                seed=self._rooms.seeds.getrandbits(63) if settings.seed is None else settings.seed,
                now_ns=self.now_ns(),
                session_room_ns=seconds_ns(limits.min_session_left_s),
                settles=manager.snapshots.facts.get(contract.local_symbol, NO_FACTS).settles,
                calibration=manager.ledger.calibration(contract.symbol),
            )
        )
        await manager.snapshots.margins.refresh(contract, side=direction, lots=size)
        quotes = frames.quotes(self._history, symbol=contract.local_symbol)
        return Plan(
            terms=terms,
            quote=quote,
            decisions=manager.check_plan(terms),
            would_pass_now=manager.whole_plan.would_pass(terms),
            quotes=quotes,
            badge=self.badge,
            masked_account=self.masked_account,
            notices=(
                *notices_of(
                    terms,
                    how=settings,
                    prices=manager.whole_plan.indicative(terms),
                    room_ns=seconds_ns(limits.min_session_left_s),
                ),
                *self._notices_of_month(instrument),
            ),
            setting=Stage(self._rooms),
        )

    async def submit(self, plan: Plan) -> Execution:
        """Send a plan and give its execution, at once; it runs on the event loop.

        The same plan, or an equal order of the same day, gives the earlier execution with an
        `AlreadySent` warning and sends nothing. What the gate refuses is a result, not an error.

        Raises
        ------
        PlanExpired
            The preview is more than 300 s old.
        """
        self._must_take_orders()
        if not isinstance(plan, Plan):
            raise InvalidOrder(f"submit takes a Plan of preview, not {type(plan).__name__}")
        if plan.parent.account != self.account:
            raise InvalidOrder(f"this plan was drawn for {plan.masked_account}, this desk is {self.masked_account}")
        return self.execution(await self._rooms.manager.submit(plan.terms))

    async def execute(self, side: str, lots: int, instrument: Any, **how: Any) -> Execution:
        """Preview, submit and wait: the finished execution."""
        return await (await self.submit(await self.preview(side, lots, instrument, **how)))

    @abstractmethod
    def execution(self, parent_id: str) -> Execution:
        """Give the execution of a parent order of this journal."""
