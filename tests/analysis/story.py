"""Stories of orders, told as the events that a journal keeps."""

import datetime as dt
from decimal import Decimal

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder, ParentStatus, SliceStatus, Stage, Strategy
from hydra_nb.domain.plan import ExecutionPlan, Ladder, PlannedSlice
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.journal import Journal

ACCOUNT = "SIM4AB7QF"
START_NS = 1_772_550_000 * NS_PER_S  # 2026-03-03 15:00 UTC
SECOND = NS_PER_S
GAP_S = 100

OATS = FutureContract(
    con_id=101,
    symbol="ZO",
    local_symbol="ZOK6",
    name="Oats",
    exchange="CBOT",
    currency="USD",
    tick=Decimal("0.25"),
    multiplier=Decimal(5000),
    price_magnifier=100,
    contract_month="202605",
    last_trade_date=dt.date(2026, 5, 14),
    time_zone="America/Chicago",
)
"""Quoted in cents: one point is 50 USD."""

PALLADIUM = FutureContract(
    con_id=202,
    symbol="PA",
    local_symbol="PAM6",
    name="Palladium",
    exchange="NYMEX",
    currency="USD",
    tick=Decimal("0.5"),
    multiplier=Decimal(100),
    price_magnifier=1,
    contract_month="202606",
    last_trade_date=dt.date(2026, 6, 26),
    time_zone="America/New_York",
)
"""Quoted in dollars: one point is 100 USD."""


def top(contract: FutureContract, bid: str, ask: str, *, time_ns: int = START_NS) -> Quote:
    """A quote with both sides."""
    return Quote(con_id=contract.con_id, time_ns=time_ns, bid=Decimal(bid), bid_size=5, ask=Decimal(ask), ask_size=4)


def plan_for(
    contract: FutureContract, *lots: int, side: Side = Side.BUY, mid: str = "370.5", tag: str | None = None
) -> ExecutionPlan:
    """A plan of slices of these lots, 100 s apart, each 20 s at mid, 10 s a step better, 5 s across."""
    ladder = Ladder(mid_ns=20 * SECOND, step_ns=10 * SECOND, cross_ns=5 * SECOND)
    slices = tuple(
        PlannedSlice(
            number=number,
            lots=some,
            offset_ns=(number - 1) * GAP_S * SECOND,
            earliest_ns=max(0, (number - 1) * GAP_S - 10) * SECOND,
            latest_ns=((number - 1) * GAP_S + 10) * SECOND,
            ladder=ladder,
        )
        for number, some in enumerate(lots, 1)
    )
    return ExecutionPlan(
        parent=ParentOrder(
            account=ACCOUNT, contract=contract, side=side, lots=sum(lots), strategy=Strategy.TWAP, tag=tag
        ),
        slices=slices,
        duration_ns=len(lots) * GAP_S * SECOND,
        step=Decimal("0.001"),
        seed=7,
        participation=0.1,
        adv_lots=sum(lots) * 10.0,
        adv_source="bars",
        decision_mid=Decimal(mid),
        prediction=None,
        previewed_ns=START_NS - 60 * SECOND,
    )


class Story:
    """Tells events to a journal in memory, `at` seconds after the start."""

    def __init__(self) -> None:
        self.journal = Journal.open(":memory:", account=ACCOUNT, now_ns=START_NS, inline=True)
        self._children: dict[str, ChildOrder] = {}
        self._next_order_id = 11

    def ref(self, parent_id: str, slice_number: int) -> str:
        """OrderRef of the first attempt of a slice."""
        return f"hy:{self.journal.journal_id}:{parent_id}:{slice_number}:1"

    def tell(self, event: ev.Event) -> None:
        """Any event."""
        self.journal.append(event)

    def submitted(self, parent_id: str, plan: ExecutionPlan, quote: Quote | None, *, at: float = 0) -> None:
        """A plan was handed over."""
        self.tell(ev.ParentSubmitted(time_ns=ns(at), parent_id=parent_id, plan=plan, quote=quote))

    def gated(
        self,
        parent_id: str,
        slice_number: int,
        *,
        plan: ExecutionPlan,
        price: str,
        quote: Quote | None,
        at: float,
        stage: Stage = Stage.MID,
        lots: int | None = None,
        predicted: str | None = None,
    ) -> str:
        """A child, or its modify once it exists, was approved; gives its orderRef."""
        ref = self.ref(parent_id, slice_number)
        known = self._children.get(ref)
        if known is None:
            self._next_order_id += 1
        child = ChildOrder(
            order_ref=ref,
            order_id=self._next_order_id if known is None else known.order_id,
            parent_id=parent_id,
            slice=slice_number,
            account=ACCOUNT,
            contract=plan.parent.contract,
            side=plan.parent.side,
            lots=plan.slices[slice_number - 1].lots if lots is None else lots,
            limit_price=Decimal(price),
            expires_ns=ns(int(at) + 30),
            stage=stage,
        )
        self._children[ref] = child
        self.tell(
            ev.ChildReserved(
                time_ns=ns(at),
                action=Action.PLACE if known is None else Action.MODIFY,
                child=child,
                client_id=1,
                content_hash=child.content_hash,
                quote=quote,
                predicted_slippage=None if predicted is None else Decimal(predicted),
                predictor_version=None if predicted is None else "sqrt-1",
            )
        )
        return ref

    def sent(self, ref: str, *, at: float, action: Action = Action.PLACE) -> None:
        """The frame of the last approval left."""
        content_hash = self._children[ref].content_hash
        self.tell(ev.ChildSent(time_ns=ns(at), order_ref=ref, action=action, content_hash=content_hash))

    def filled(
        self,
        ref: str,
        exec_id: str,
        lots: int,
        price: str,
        *,
        at: float,
        quote: Quote | None = None,
        executed_at: int | None = None,
    ) -> None:
        """An execution, or a later revision of it, was reported."""
        family, _, revision = exec_id.rpartition(".")
        child = self._children[ref]
        self.tell(
            ev.ExecutionReported(
                time_ns=ns(at),
                order_ref=ref,
                order_id=child.order_id,
                perm_id=9001,
                exec_id=exec_id,
                family=family,
                revision=int(revision),
                con_id=child.contract.con_id,
                side=child.side,
                lots=lots,
                price=Decimal(price),
                executed_ns=ns(int(at) if executed_at is None else executed_at),
                quote=quote,
            )
        )

    def charged(self, exec_id: str, commission: str, *, at: float) -> None:
        """A commission was reported."""
        self.tell(
            ev.CommissionReported(
                time_ns=ns(at), exec_id=exec_id, commission=Decimal(commission), currency="USD", realised_pnl=None
            )
        )

    def slice_over(
        self, parent_id: str, number: int, *, filled: int, carried: int, status: SliceStatus, at: float
    ) -> None:
        """A slice ended."""
        self.tell(
            ev.SliceFinished(
                time_ns=ns(at),
                parent_id=parent_id,
                slice=number,
                filled_lots=filled,
                carried_lots=carried,
                status=status,
                reason="the ladder ended",
            )
        )

    def over(self, parent_id: str, *, status: ParentStatus, at: float) -> None:
        """A parent ended."""
        self.tell(ev.ParentFinished(time_ns=ns(at), parent_id=parent_id, status=status, reason="done"))


def ns(at: float) -> int:
    """UTC nanoseconds of seconds after the start."""
    return START_NS + round(at * NS_PER_S)


def one_fill(
    contract: FutureContract, *, side: Side = Side.BUY, bid: str, ask: str, price: str, lots: int = 2
) -> Story:
    """One order of one slice, placed in the middle of its quote and filled at a price half a second later."""
    story, quote = Story(), top(contract, bid, ask)
    plan = plan_for(contract, lots, side=side, mid=str((Decimal(bid) + Decimal(ask)) / 2))
    story.submitted("P-0001", plan, quote)
    ref = story.gated("P-0001", 1, plan=plan, price=price, quote=quote, at=1)
    story.sent(ref, at=1.5)
    story.filled(ref, "0001.01.01", lots, price, at=2, quote=quote)
    return story
