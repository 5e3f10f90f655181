"""The part of a desk that takes baskets: reads a frame, weighs its rows together, and runs them side by side."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

import pandas as pd

from hydra_nb.desk.arguments import How
from hydra_nb.desk.basket import frames
from hydra_nb.desk.basket.errors import Faults
from hydra_nb.desk.basket.execution import BasketExecution
from hydra_nb.desk.basket.handing import AT_TARGET, Handed, rows_of
from hydra_nb.desk.basket.lines import Held, Want, check_limit, check_quarrels, in_turn
from hydra_nb.desk.basket.plan import BasketPlan
from hydra_nb.desk.basket.reading import Request, read_rows
from hydra_nb.desk.basket.weighing import weigh
from hydra_nb.desk.execution import Execution
from hydra_nb.desk.ordering import Ordering
from hydra_nb.desk.plan import Plan
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.events import BasketSubmitted
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.plan import PLAN_VALID_S, ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError, DurationTooShort, InvalidOrder, OrderError, PlanExpired, UnknownInstrument
from hydra_nb.order_manager.already_sent import warn_already_sent
from hydra_nb.order_manager.planned import outstanding_lots
from hydra_nb.risk.verdict import Refused

CHOICES = ("continue", "stop")
"""What a refusal of a row does to the rows after it."""


class Basketing(Ordering):
    """Baskets of one account."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self._basket_executions: dict[str, BasketExecution] = {}

    async def preview_basket(self, frame: pd.DataFrame, **how: Any) -> BasketPlan:
        """Draw a plan a row and ask the gate about all of them together; nothing is sent.

        Parameters
        ----------
        frame
            A row an order: ``instrument``, and either ``side`` and ``lots``, or ``target``, the whole position, signed.
            Besides, whatever `preview` takes as a setting. None, NaN, NA and empty text are absent.
        **how
            Settings of rows that have none of their own.

        Raises
        ------
        BasketErrors
            Rows cannot be orders: all that is wrong, by row and column, with its remedy. What market, account and
            limits refuse is in `BasketPlan.risk` instead.
        """
        self._must_be_open()
        How.parse(how)
        faults = Faults()
        requests = read_rows(frame, defaults=how, faults=faults)
        contracts = await self._find_all(requests, faults=faults)
        named = [(request, contracts[request.number]) for request in requests if request.number in contracts]
        for request, contract in named:
            check_limit(request, contract, faults=faults)
        check_quarrels(named, faults=faults)
        sound = [(request, contract) for request, contract in named if not faults.has(request.number)]
        wants = [want for one in sound if (want := self._want(*one, faults=faults)) is not None]
        await self._ask_margins(wants)
        plans = {want.request.number: plan for want in wants if (plan := await self._draw(want, faults=faults))}
        faults.raise_any()
        return self._weighed(wants, plans=plans)

    # Rows, contracts and plans

    async def _find_all(self, requests: Sequence[Request], *, faults: Faults) -> dict[int, FutureContract]:
        """Contracts by the place of their row, with quotes and volumes at hand; all are asked for at once."""
        named = [request for request in requests if request.instrument is not None]
        names = {_name(request): request.instrument for request in named}
        found = await asyncio.gather(*(self._find(name) for name in names.values()), return_exceptions=True)
        answers = dict(zip(names, found, strict=True))
        contracts = {}
        for request in named:
            answer = answers[_name(request)]
            if isinstance(answer, OrderError):
                faults.add(request.number, "instrument", request.instrument, str(answer), label=request.label)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                contracts[request.number] = answer
        return contracts

    async def _find(self, name: Any) -> FutureContract:
        contract = await self.instrument(name)
        await self.statistics(contract)
        await self._first_quote(contract)
        return contract

    def _want(self, request: Request, contract: FutureContract, *, faults: Faults) -> Want | None:
        held = None
        if request.target is not None:
            held = self._held_of(contract)
            if held is None:
                words = (
                    f"the position of {contract.local_symbol} is not known: wait until the broker has told it and it "
                    "was compared with our fills, or say side and lots"
                )
                faults.add(request.number, "target", request.target, words, label=request.label)
                return None
        return Want.of(request, contract, held=held)

    def _held_of(self, contract: FutureContract) -> Held | None:
        """Position and what is outstanding now; None where they are not known for certain."""
        manager = self._rooms.manager
        position = manager.snapshots.position(contract.con_id)
        if position is None or not manager.ledger.reconciled:
            return None
        return Held(position=position, outstanding=outstanding_lots(manager.ledger, contract.con_id))

    async def _ask_margins(self, wants: Sequence[Want]) -> None:
        """Have the broker tell, all at once, what margin the rows and the parents at work need."""
        margins = self._rooms.manager.snapshots.margins
        questions = {(want.contract.con_id, want.side): (want.contract, want.side, want.lots) for want in wants}
        for one in self._rooms.manager.snapshots.planned():
            if self.latest_quote(one.contract) is None:  # what an earlier process left is not watched, and has no price
                with contextlib.suppress(BrokerError, UnknownInstrument):
                    await self._find(one.contract)
            questions.setdefault((one.contract.con_id, one.side), (one.contract, one.side, one.unfilled_lots))
        asked = (
            margins.refresh(contract, side=side, lots=lots)
            for contract, side, lots in questions.values()
            if side is not None
        )
        await asyncio.gather(*asked)

    async def _draw(self, want: Want, *, faults: Faults) -> Plan | None:
        """The plan of a row; None where nothing is to be sent, or it cannot be drawn."""
        if want.side is None:
            return None
        how = dict(want.request.how)
        try:
            plan = await self.preview(want.side, want.lots, want.contract, **how)
            tag = self._target_tag(want, plan)
            return plan if tag == plan.parent.tag else self._with_tag(plan, tag)
        except OrderError as error:
            column = _column(error, how)
            faults.add(want.request.number, column, how.get(column), str(error), label=want.request.label)
            return None

    def _target_tag(self, want: Want, plan: Plan) -> str | None:
        ledger = self._rooms.manager.ledger
        con_id = want.contract.con_id
        others = [key for key, one in ledger.parents.items() if one.plan.parent.contract.con_id == con_id]
        taken = ledger.equal_parent(plan.terms, now_ns=self.now_ns()) is not None
        return want.target_tag(last_parent=others[-1] if others else None, taken=taken)

    def _with_tag(self, plan: Plan, tag: str | None) -> Plan:
        """The same plan under another tag, asked about anew: what is equal to an earlier order is another by it."""
        terms = replace(plan.terms, parent=replace(plan.terms.parent, tag=tag))
        manager = self._rooms.manager
        return replace(
            plan,
            terms=terms,
            decisions=manager.check_plan(terms),
            would_pass_now=manager.whole_plan.would_pass(terms),
        )

    def _weighed(self, wants: Sequence[Want], *, plans: Mapping[int, Plan]) -> BasketPlan:
        manager, now_ns = self._rooms.manager, self.now_ns()
        lines = weigh(wants, plans=plans, manager=manager, now_ns=now_ns)
        sent = [line.plan.terms for line in in_turn(lines) if line.plan is not None and line.passes]
        margins = manager.snapshots.margins_of(sent)
        return BasketPlan(
            lines=lines,
            exposures=manager.snapshots.exposures(sent),
            margins=margins,
            account_state=self._rooms.broker.account_state(),
            previewed_ns=now_ns,
            badge=self.badge,
            masked_account=self.masked_account,
        )

    # Handing over

    @overload
    async def submit(self, plan: Plan) -> Execution: ...

    @overload
    async def submit(self, plan: BasketPlan, *, on_refusal: str = "continue") -> BasketExecution: ...

    async def submit(self, plan: Plan | BasketPlan, *, on_refusal: str = "continue") -> Execution | BasketExecution:
        """Send a plan, or all plans of a basket, and give the execution, at once; it runs on the event loop.

        The same plan or basket, or an equal order of the same day, gives the earlier execution with an
        `AlreadySent` warning and sends nothing. What the gate refuses is a result, not an error.

        Parameters
        ----------
        plan
            What `preview` or `preview_basket` gave. Of a basket, targets are looked at again: a row whose difference is
            another by now is not sent, and says so.
        on_refusal
            Of a basket: ``"continue"`` sends the other rows, ``"stop"`` none that comes after the first refusal.

        Raises
        ------
        PlanExpired
            The preview is more than 300 s old; of a basket nothing was sent.
        """
        if on_refusal not in CHOICES:
            raise InvalidOrder(f"on_refusal={on_refusal!r}: say {' or '.join(map(repr, CHOICES))}")
        if not isinstance(plan, BasketPlan):
            if on_refusal != CHOICES[0]:
                raise InvalidOrder(f"on_refusal={on_refusal!r} is for baskets: one plan has no rows after it")
            return await super().submit(plan)
        self._must_take_orders()
        if any(one.parent.account != self.account for one in plan.plans):
            raise InvalidOrder(f"this basket was drawn for {plan.masked_account}, this desk is {self.masked_account}")
        return await self._hand_over(plan, on_refusal=on_refusal)

    async def _hand_over(self, basket: BasketPlan, *, on_refusal: str) -> BasketExecution:
        """All in one step of the loop: nothing here waits, so that no order is decided on what another changed."""
        manager, now_ns = self._rooms.manager, self.now_ns()
        earlier = manager.ledger.baskets.get(basket.basket_id)
        if earlier is not None:
            at = pd.Timestamp(earlier.time_ns, unit="ns", tz="UTC")
            warn_already_sent(f"This basket was sent already at {at:%H:%M:%S} UTC; nothing was sent.")
            return self.basket(basket.basket_id)
        handed = self._settled(basket, on_refusal=on_refusal, now_ns=now_ns)
        sent = [one.terms for one in handed if one.terms is not None]
        if sent and now_ns > basket.valid_until_ns:
            age_s = (now_ns - basket.valid_until_ns) / NS_PER_S + PLAN_VALID_S
            raise PlanExpired(f"this basket is {age_s:.0f} s old, {PLAN_VALID_S} s are allowed; preview again")
        # Before its parents: what was sent is never without the basket that it belongs to.
        manager.ingest(
            BasketSubmitted(time_ns=now_ns, basket_id=basket.basket_id, on_refusal=on_refusal, rows=rows_of(handed))
        )
        for terms in sent:
            await manager.submit(terms, jointly=True, handed_ns=now_ns)
        repeated = [f"row {one.line.label} as {one.parent_id}" for one in handed if one.repeats]
        if repeated:
            warn_already_sent(f"Already sent today: {', '.join(repeated)}; nothing was sent for these.")
        return self.basket(basket.basket_id)

    def _settled(self, basket: BasketPlan, *, on_refusal: str, now_ns: int) -> list[Handed]:
        """What is to become of each row, those that are sent first and in turn; nothing is sent yet."""
        manager = self._rooms.manager
        handed: list[Handed] = []
        stop: str | None = None
        passing: list[ExecutionPlan] = []
        allowance = self._refusals_allowed(now_ns)
        # Where no refusal of a row can matter to another, each is decided once, when it is submitted.
        looks_ahead = on_refusal == "stop" or len(basket.plans) > allowance
        for line in [*in_turn(basket.lines), *(line for line in basket.lines if line.plan is None)]:
            one = Handed(line=line, now=None if line.want.held is None else self._held_of(line.want.contract))
            terms = None if line.plan is None else line.plan.terms
            earlier = None if terms is None else manager.ledger.equal_parent(terms, now_ns=now_ns)
            if one.moved is not None or terms is None:
                one = replace(one, reason=one.moved or AT_TARGET)
            elif earlier is not None:
                plan_id = manager.ledger.parents[earlier].plan.plan_id
                one = replace(one, parent_id=earlier, plan_id=plan_id, repeats=True, reason="sent earlier")
            elif stop is not None:
                one = replace(one, reason=f"not sent, as row {stop} was refused and on_refusal is stop")
            else:
                refused = self._refusal(terms, beside=passing, now_ns=now_ns) if looks_ahead else None
                if refused is None:
                    passing.append(terms)
                elif not refused.transient:
                    allowance -= 1
                stop = line.label if refused is not None and on_refusal == "stop" else None
                if refused is not None and allowance < 0:
                    words = f"refused, {refused.decisive.check}: {refused.decisive.message}"
                    one = replace(one, reason=f"{words}; kept back, as more refusals in a row would trip a breaker")
                else:
                    parent_id = manager.parent_id_to_come(after=sum(other.terms is not None for other in handed))
                    one = replace(one, terms=terms, parent_id=parent_id, plan_id=terms.plan_id)
            handed.append(one)
        return handed

    def _refusal(self, terms: ExecutionPlan, *, beside: Sequence[ExecutionPlan], now_ns: int) -> Refused | None:
        """The refusal that a plan would end with now, beside others that are submitted before it."""
        manager = self._rooms.manager
        decisions = manager.check_plan(terms, beside=beside)
        return manager.whole_plan.refusal(terms, decisions=decisions, now_ns=now_ns)

    def _refusals_allowed(self, now_ns: int) -> int:
        """How many rows may be handed over to be refused.

        Many refusals in a row are the mark of a program that has run wild, and trip a breaker. One basket of which the
        limits refuse a lot is none: it goes no further than the breaker lets it. The next one does.
        """
        manager = self._rooms.manager
        told = manager.ledger.breakers.conduct(now_ns).refusals_in_row
        return max(1, manager.whole_plan.limits.max_consecutive_refusals - told)

    # Baskets of this journal

    def basket(self, basket_id: str) -> BasketExecution:
        """Give the execution of a basket of this journal, also of an earlier process.

        Raises
        ------
        InvalidOrder
            There is no such basket; the message lists those that there are.
        """
        ledger = self._rooms.manager.ledger
        if basket_id not in ledger.baskets:
            raise InvalidOrder(
                f"no basket {basket_id!r} in this journal; known: {', '.join(ledger.baskets) or 'none yet'}"
            )
        known = self._basket_executions.get(basket_id)
        if known is None:
            known = BasketExecution(basket_id, ledger=ledger, execution_of=self.execution)
            self._basket_executions[basket_id] = known
        return known

    def baskets(self) -> pd.DataFrame:
        """One row a basket of this journal."""
        return frames.baskets_frame(self._rooms.manager.ledger.baskets.values())


def _name(request: Request) -> object:
    """What rows that name the same thing have in common."""
    return request.instrument.upper() if isinstance(request.instrument, str) else id(request.instrument)


def _column(error: OrderError, how: Mapping[str, Any]) -> str:
    """The column that an error of a preview is about: the setting that it names."""
    if isinstance(error, DurationTooShort):
        return next((name for name in ("duration", "slices", "patience") if name in how), "duration")
    words = str(error).replace("'", " ").replace("=", " ").split()
    return next((name for name in how if name in words), "instrument")
