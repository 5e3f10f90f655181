"""What a desk holds in a rehearsal: it moves equity while it is held, and closing it realises and frees margin."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import pytest

from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import AccountReported, CommissionReported, Event, ExecutionReported, PositionReported
from hydra_nb.domain.orders import MarginQuestion
from hydra_nb.domain.units import Side
from hydra_nb.domain.values import replace
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.rehearsal.script import Script, desk_of, unpack
from tests.rehearsal.test_rehearse import on_a_desk

POINT = Decimal(50)
"""Dollars that a lot of oats makes of a point."""
COST = Decimal("344.50") * POINT
"""What each held lot cost."""
OTHERS = Decimal(500)
"""Initial margin of what is held in other contracts."""
FEE = Decimal("2.52")
SOON_NS = 400_000_000_000
ORDERS = ((Side.BUY, 1), (Side.BUY, 3), (Side.SELL, 1), (Side.SELL, 3))
HELD = [
    # held lots, side and lots of the order
    pytest.param(3, Side.SELL, 3, id="a long position is closed"),
    pytest.param(3, Side.SELL, 1, id="a long position is partly closed"),
    pytest.param(1, Side.SELL, 3, id="a long position is turned round"),
    pytest.param(-3, Side.BUY, 3, id="a short position is closed"),
    pytest.param(-3, Side.BUY, 1, id="a short position is partly closed"),
    pytest.param(-1, Side.BUY, 3, id="a short position is turned round"),
    pytest.param(2, Side.BUY, 1, id="a long position is added to"),
    pytest.param(-2, Side.SELL, 1, id="a short position is added to"),
]


@cache
def staged() -> dict[tuple[Side, int], bytes]:
    """Plans of a desk that holds nothing."""

    async def scenario(desk: Desk) -> dict[tuple[Side, int], bytes]:
        found = {}
        for side, lots in ORDERS:
            plan = await desk.preview(str(side), lots, "ZO", strategy="limit_patience", patience=60)
            found[side, lots] = plan.stage(None).packed
        return found

    return on_a_desk(scenario)


def holding(side: Side, lots: int, *, held: int, cost: Decimal = COST) -> Script:
    """A plan of a desk that holds lots, and whose other contracts need a margin too."""
    script = unpack(staged()[side, lots])
    contract = script.plan.parent.contract
    told = PositionReported(
        time_ns=0,
        con_id=contract.con_id,
        local_symbol=contract.local_symbol,
        symbol=contract.symbol,
        lots=held,
        average_cost=cost,
    )
    account = replace(script.standing.account, initial_margin=OTHERS + margin_of(script) * abs(held))
    return replace(script, standing=replace(script.standing, account=account, positions=(told,)))


def margin_of(script: Script) -> Decimal:
    """Initial margin of a lot on the simulated account: 8 % of its value at the last settlement."""
    settlement = script.world.month.settlement_ticks * script.plan.parent.contract.tick
    return Decimal("0.08") * settlement * POINT


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a path told of its account, and what it was worth by then: the mark, and how many fills there were."""

    account: AccountReported
    mark: Decimal
    fills: int


class Path:
    """A path that is watched."""

    def __init__(self, script: Script, *, seed: int) -> None:
        self.script = script
        self.desk: DirectDesk = desk_of(script, seed=seed)
        self.told: list[Told] = []
        self.fills: list[ExecutionReported] = []
        self.realised: list[Decimal | None] = []
        self.desk.manager.observers.append(self._hear)
        self.desk.begin()
        self.mark_before = self.mark

    @property
    def mark(self) -> Decimal:
        """What a lot is valued at now."""
        found = self.desk.broker.exchange.market_price(self.desk.broker.contract.con_id)
        assert found is not None
        return found

    def trade(self) -> None:
        """Run the plan, and a while longer."""
        self.desk.ask_margin(self.script.plan.parent)
        self.desk.finish(self.desk.submit(self.script.plan, handed_ns=self.script.plan.previewed_ns))
        self.desk.run_to(self.desk.agenda.now_ns() + SOON_NS)

    def gained(self, told: Told, *, held: int) -> Decimal:
        """What the account gained until then, recounted from its flows."""
        gained = held * (told.mark - self.mark_before) * POINT
        for fill in self.fills[: told.fills]:
            gained += fill.side.sign * fill.lots * (told.mark - fill.price) * POINT - FEE * fill.lots
        return gained

    def _hear(self, event: Event) -> None:
        if isinstance(event, ExecutionReported):
            self.fills.append(event)
        elif isinstance(event, CommissionReported):
            self.realised.append(event.realised_pnl)
        elif isinstance(event, AccountReported):
            self.told.append(Told(account=event, mark=self.mark, fills=len(self.fills)))


@pytest.mark.parametrize(("held", "side", "lots"), HELD)
def test_what_is_held_counts_until_it_is_closed(held: int, side: Side, lots: int) -> None:
    """Equity against a recount, each time that it is told; profit by the told cost; margin of what is left."""
    script = holding(side, lots, held=held)
    path = Path(script, seed=2)
    before = script.standing.account

    assert path.desk.broker.account_state().equity == before.equity
    assert path.desk.broker.account_state().initial_margin == before.initial_margin
    path.trade()

    left = held + side.sign * sum(fill.lots for fill in path.fills)
    meant = held + side.sign * lots
    assert path.fills
    assert (left > 0, left < 0) == (meant > 0, meant < 0), "the seed wants an order that fills"
    for told in path.told:
        assert told.account.equity == before.equity + path.gained(told, held=held)
    prices = [fill.price for fill in path.fills for _ in range(fill.lots)]
    closing = prices[: abs(held)] if held * side.sign < 0 else []
    profit = sum(((price - COST / POINT) * POINT * (1 if held > 0 else -1) for price in closing), Decimal(0))
    after = path.desk.broker.account_state()
    assert sum((one for one in path.realised if one is not None), Decimal(0)) == profit
    assert after.realised_pnl == before.realised_pnl + profit
    assert after.initial_margin == pytest.approx(OTHERS + margin_of(script) * abs(left), abs=Decimal("0.01"))
    assert path.desk.broker.position(script.plan.parent.contract.con_id) == left
    if left == 0:
        last = path.told[-1].account
        assert after.equity == last.equity
        assert after.unrealised_pnl - before.unrealised_pnl == last.equity - before.equity - profit + FEE * lots
    path.desk.close()


def test_lots_whose_cost_was_not_told_count_from_the_settlement() -> None:
    """Rather than as if they had cost nothing, which would realise their whole value."""
    script = holding(Side.SELL, 3, held=3, cost=Decimal(0))
    path = Path(script, seed=2)

    path.trade()

    settlement = script.world.month.settlement_ticks * script.plan.parent.contract.tick
    profit = sum(((fill.price - settlement) * POINT * fill.lots for fill in path.fills), Decimal(0))
    assert sum((one for one in path.realised if one is not None), Decimal(0)) == profit
    path.desk.close()


def test_what_is_held_over_a_closure_gains_from_the_open_on() -> None:
    """Told equity stands until the market opens, however far that is from the last settlement."""
    script = holding(Side.SELL, 3, held=3)
    month = replace(script.world.month, settlement_ticks=script.world.month.settlement_ticks - 400)
    first, second = script.plan.parent.contract.sessions[:2]
    script = replace(script, world=replace(script.world, month=month, start_ns=second.open_ns - 1_000_000_000))
    path = Path(script, seed=2)
    equity = script.standing.account.equity

    path.desk.run_to(second.open_ns + 1)
    path.mark_before = path.mark
    path.desk.run_to(second.open_ns + SOON_NS)

    assert first.close_ns <= script.world.start_ns
    assert path.told
    for told in path.told:
        assert told.account.equity == equity + path.gained(told, held=3)
    path.desk.close()


def test_margin_of_lots_beyond_a_closed_position_is_asked_of_the_exchange() -> None:
    """The broker's answer was of lots that close: beyond them it would call opening a relief."""
    script = holding(Side.SELL, 3, held=1)
    relief = replace(script.standing.margin, lots=3, change=-1_000.0)
    script = replace(script, standing=replace(script.standing, margin=relief))
    path = Path(script, seed=2)
    question = MarginQuestion(
        contract=script.plan.parent.contract, side=Side.SELL, lots=3, limit_price=script.plan.parent.contract.tick
    )
    changes = []

    async def ask() -> None:
        told = await path.desk.broker.what_if(question)
        changes.append(told.change)

    path.desk._finish(ask())
    path.trade()
    path.desk._finish(ask())

    assert path.desk.broker.position(script.plan.parent.contract.con_id) < 0
    assert changes == [-1_000.0, pytest.approx(float(3 * margin_of(script)), abs=0.01)]
    path.desk.close()
