"""A journal as years of trading leave it: so many fills in twelve contracts, and the quotes recorded meanwhile."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract, Session
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder, ParentStatus, SliceStatus, Stage, Strategy
from hydra_nb.domain.plan import ExecutionPlan, Ladder, PlannedSlice, Prediction
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.journal import Journal

ACCOUNT = "SIM4AB7QF"
START_NS = 1_772_550_000 * NS_PER_S  # 2026-03-03 15:00 UTC
SYMBOLS = ("ZO", "ZR", "KE", "LBR", "GF", "HE", "OJ", "PA", "PL", "DA", "CB", "CSC")
SLICES = 10
"""Of a parent; each is one order, a third of them filled in each stage."""
FILLS_A_SLICE = 5
FEE = Decimal("2.52")
_SLICE_S = 600
_PARENTS_A_COMMIT = 20
_HOUR_NS = 3_600 * NS_PER_S
_SESSIONS = tuple(
    Session(open_ns=START_NS + (24 * day - 6) * _HOUR_NS, close_ns=START_NS + (24 * day + 4) * _HOUR_NS)
    for day in range(12)
)


@dataclass(slots=True, kw_only=True)
class Written:
    """What is in a journal; fills and their lots are those that count, corrected and without busts."""

    parents: int = 0
    fills: int = 0
    lots: int = 0
    busts: int = 0
    quotes: int = 0


def markets() -> list[FutureContract]:
    """Twelve contracts; some are quoted in cents, some tick by 0.1."""
    return [
        FutureContract(
            con_id=101 + number,
            symbol=symbol,
            local_symbol=f"{symbol}K6",
            name=symbol,
            exchange="CBOT",
            currency="USD",
            tick=Decimal("0.25") if number % 2 else Decimal("0.1"),
            multiplier=Decimal(5000) if number % 3 else Decimal(100),
            price_magnifier=100 if number % 3 else 1,
            contract_month="202605",
            last_trade_date=dt.date(2026, 5, 14),
            time_zone="America/Chicago",
            sessions=_SESSIONS,
        )
        for number, symbol in enumerate(SYMBOLS)
    ]


def write(path: Path, *, fills: int, quotes: int, seed: int = 1) -> Written:
    """Write a journal of so many executions, one in fifty corrected or busted, and of so many recorded quotes."""
    random, written, contracts = Random(seed), Written(), markets()  # noqa: S311  no secret hangs on it
    parents = -(-fills // (SLICES * FILLS_A_SLICE))
    with closing(Journal.open(path, account=ACCOUNT, now_ns=START_NS, journal_id="years", inline=True)) as journal:
        for number in range(1, parents + 1):
            left = fills - (number - 1) * SLICES * FILLS_A_SLICE
            told = _Told(random, contracts[number % len(contracts)], number=number, written=written)
            for event in told.parent(fills=min(left, SLICES * FILLS_A_SLICE)):
                journal.append(event)
            for quote in told.quotes(quotes * number // parents - written.quotes):
                journal.append_quote(quote, told.contract.local_symbol)
            if number % _PARENTS_A_COMMIT == 0:
                journal.commit_now()
    return written


class _Told:
    """Tells one parent order: its slices one after another, each with an order, its modifies, answers and fills."""

    def __init__(self, random: Random, contract: FutureContract, *, number: int, written: Written) -> None:
        self.contract = contract
        self._random, self._written = random, written
        self._number, self._parent_id = number, f"P-{number:04}"
        self._side = Side.BUY if random.random() < 0.5 else Side.SELL
        self._begun_ns = self._now_ns = START_NS + number * SLICES * _SLICE_S * NS_PER_S
        self._ticks = random.randrange(2_000, 8_000)

    def parent(self, *, fills: int) -> Iterator[ev.Event]:
        """Its whole life."""
        counts = [min(FILLS_A_SLICE, fills - first) for first in range(0, fills, FILLS_A_SLICE)]
        lots = [[self._random.randrange(1, 4) for _ in range(count)] for count in counts]
        plan = self._plan([sum(some) for some in lots])
        parent_id = self._parent_id
        yield ev.ParentSubmitted(time_ns=self._now_ns, parent_id=parent_id, plan=plan, quote=self._quote())
        for number, some in enumerate(lots, 1):
            self._now_ns = self._begun_ns + (number - 1) * _SLICE_S * NS_PER_S
            yield from self._slice(number, some)
        yield ev.ParentFinished(time_ns=self._now_ns, parent_id=parent_id, status=ParentStatus.FILLED, reason="filled")
        self._written.parents += 1

    def quotes(self, count: int) -> Iterator[Quote]:
        """So many changes of the top of its book, evenly over its life."""
        for place in range(count):
            self._now_ns = self._begun_ns + place * SLICES * _SLICE_S * NS_PER_S // count
            yield self._quote()
        self._written.quotes += count

    def _plan(self, lots: list[int]) -> ExecutionPlan:
        ladder = Ladder(mid_ns=300 * NS_PER_S, step_ns=150 * NS_PER_S, cross_ns=75 * NS_PER_S)
        slices = tuple(
            PlannedSlice(
                number=number,
                lots=some,
                offset_ns=(number - 1) * _SLICE_S * NS_PER_S,
                earliest_ns=max(0, (number - 1) * _SLICE_S - 60) * NS_PER_S,
                latest_ns=((number - 1) * _SLICE_S + 60) * NS_PER_S,
                ladder=ladder,
            )
            for number, some in enumerate(lots, 1)
        )
        tick = self.contract.tick
        return ExecutionPlan(
            parent=ParentOrder(
                account=ACCOUNT,
                contract=self.contract,
                side=self._side,
                lots=sum(lots),
                strategy=Strategy.TWAP,
                tag=f"hedge {self._number}",
            ),
            slices=slices,
            duration_ns=SLICES * _SLICE_S * NS_PER_S,
            step=Decimal("0.001"),
            seed=self._number,
            participation=0.05,
            adv_lots=sum(lots) * 20.0,
            adv_source="bars",
            decision_mid=self._ticks * tick,
            prediction=Prediction(
                slippage=tick * Decimal("1.37"),
                half_spread=tick,
                impact=tick * Decimal("0.37"),
                daily_volatility=0.018,
                adv_lots=sum(lots) * 20.0,
                version="sqrt-1",
            ),
            previewed_ns=self._now_ns - 60 * NS_PER_S,
        )

    def _slice(self, number: int, lots: list[int]) -> Iterator[ev.Event]:
        """An order that works through its stages and is filled in the last of them."""
        ref = f"hy:years:{self._parent_id}:{number}:1"
        stages = tuple(Stage)[: self._random.randrange(1, 4)]
        for stage in stages:
            quote = self._quote()
            child = self._child(ref, number, stage=stage, lots=sum(lots))
            action = Action.PLACE if stage is Stage.MID else Action.MODIFY
            yield ev.ChildReserved(
                time_ns=self._now_ns,
                action=action,
                child=child,
                client_id=1,
                content_hash=child.content_hash,
                quote=quote,
                predicted_slippage=self.contract.tick * Decimal("1.37"),
                predictor_version="sqrt-1",
            )
            self._wait(0.004)
            yield ev.ChildSent(time_ns=self._now_ns, order_ref=ref, action=action, content_hash=child.content_hash)
            self._wait(0.05)
            yield self._open_order(child)
            self._wait(self._random.uniform(20, 90))
        filled = 0
        for place, some in enumerate(lots):
            filled += some
            yield from self._fill(child, some, filled=filled, place=place)
            self._wait(self._random.uniform(1, 20))
        yield ev.SliceFinished(
            time_ns=self._now_ns,
            parent_id=self._parent_id,
            slice=number,
            filled_lots=filled,
            carried_lots=0,
            status=SliceStatus.FILLED,
            reason="filled",
        )

    def _child(self, ref: str, number: int, *, stage: Stage, lots: int) -> ChildOrder:
        return ChildOrder(
            order_ref=ref,
            order_id=self._number * SLICES + number,
            parent_id=self._parent_id,
            slice=number,
            account=ACCOUNT,
            contract=self.contract,
            side=self._side,
            lots=lots,
            limit_price=self._ticks * self.contract.tick,
            expires_ns=(self._now_ns // NS_PER_S + 310) * NS_PER_S,
            stage=stage,
        )

    def _open_order(self, child: ChildOrder) -> ev.Event:
        return ev.OpenOrderReported(
            time_ns=self._now_ns,
            order_ref=child.order_ref,
            order_id=child.order_id,
            perm_id=1_000_000 + child.order_id,
            status="Submitted",
            lots=child.lots,
            limit_price=child.limit_price,
            expires_ns=child.expires_ns,
            con_id=self.contract.con_id,
            local_symbol=self.contract.local_symbol,
        )

    def _fill(self, child: ChildOrder, lots: int, *, filled: int, place: int) -> Iterator[ev.Event]:
        """An execution with its fees and its status; one in fifty is corrected, or busted."""
        family = f"0000e0d5.{self._number:06x}.{child.slice:02}.{place:02}"
        report = ev.ExecutionReported(
            time_ns=self._now_ns,
            order_ref=child.order_ref,
            order_id=child.order_id,
            perm_id=1_000_000 + child.order_id,
            exec_id=f"{family}.01",
            family=family,
            revision=1,
            con_id=self.contract.con_id,
            side=self._side,
            lots=lots,
            price=child.limit_price - self._side.sign * self._random.randrange(3) * self.contract.tick,
            executed_ns=self._now_ns // NS_PER_S * NS_PER_S,
            quote=self._quote(),
        )
        yield report
        yield ev.OrderStatusReported(
            time_ns=self._now_ns,
            order_ref=child.order_ref,
            order_id=child.order_id,
            perm_id=report.perm_id,
            status="Filled" if filled == child.lots else "Submitted",
            filled_lots=filled,
            remaining_lots=child.lots - filled,
        )
        self._wait(0.1)
        yield self._fee(report)
        drawn, counted = self._random.random(), lots
        if drawn < 0.02:
            self._wait(0.5)
            counted = 0 if drawn < 0.005 else lots
            price = report.price - self.contract.tick
            yield replace(report, time_ns=self._now_ns, exec_id=f"{family}.02", revision=2, lots=counted, price=price)
        self._written.busts += counted == 0
        self._written.fills += counted > 0
        self._written.lots += counted

    def _fee(self, report: ev.ExecutionReported) -> ev.Event:
        return ev.CommissionReported(
            time_ns=self._now_ns,
            exec_id=report.exec_id,
            commission=FEE * report.lots,
            currency=self.contract.currency,
            realised_pnl=None,
        )

    def _quote(self) -> Quote:
        """The top of the book after one more step of a walk; now and then a side of it is empty."""
        self._ticks += self._random.randrange(-1, 2)
        tick, half = self.contract.tick, self._random.randrange(1, 4)
        has_bid = self._random.random() > 0.02
        return Quote(
            con_id=self.contract.con_id,
            time_ns=self._now_ns,
            bid=(self._ticks - half) * tick if has_bid else None,
            bid_size=self._random.randrange(1, 20) if has_bid else 0,
            ask=(self._ticks + half) * tick,
            ask_size=self._random.randrange(1, 20),
            last=self._ticks * tick,
            last_size=self._random.randrange(1, 5),
            volume=self._number,
        )

    def _wait(self, seconds: float) -> None:
        self._now_ns += round(seconds * NS_PER_S)
