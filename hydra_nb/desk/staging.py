"""Where a plan is rehearsed: on the desk that drew it, as it stands, in markets like the one on its screen."""

from dataclasses import replace
from decimal import Decimal

from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.market import FeedType, MarketStatistics, Quote
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import InvalidOrder
from hydra_nb.order_manager.snapshot import OWN_TOUCH_MEMORY_S
from hydra_nb.rehearsal.exchange_broker import Standing
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.rehearsal.rehearse import Staged
from hydra_nb.rehearsal.script import Script, pack
from hydra_nb.rehearsal.worlds import LEAVES_OUT, ThinMarket, assumed_market, price_of, world_of

LEAD_NS = 60 * NS_PER_S
"""How long before the start of a plan that begins later its markets begin."""


class Stage:
    """Takes a desk along as the bytes of one instant; nothing is sent, and nothing of the desk is touched.

    Parameters
    ----------
    rooms
        Of the desk.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def freshen(self, terms: ExecutionPlan) -> None:
        """Ask the broker what margin the order needs, where its last answer is over a minute old; nothing is placed."""
        parent, margins = terms.parent, self._rooms.manager.snapshots.margins
        await margins.refresh(parent.contract, side=parent.side, lots=parent.lots)

    def now_ns(self) -> int:
        """Market time."""
        return self._rooms.clock.now_ns()

    def stage(self, terms: ExecutionPlan, market: ThinMarket | None, *, at_ns: int | None = None) -> Staged:
        """Take the desk as it stands now; its markets begin at `at_ns`, market time, so that several plans share them.

        Raises
        ------
        InvalidOrder
            No price of the contract is known, it has no session to come, or the plan was submitted.
        """
        rooms, contract = self._rooms, terms.parent.contract
        now_ns = self.now_ns() if at_ns is None else at_ns
        manager, broker, snapshots = rooms.manager, rooms.broker, rooms.manager.snapshots
        earlier = manager.ledger.equal_parent(terms, now_ns=now_ns)
        if earlier is not None:
            raise InvalidOrder(f"this order was submitted as {earlier}: look at desk.execution({earlier!r})")
        quote = self._of_others(broker.quote(contract.con_id), now_ns=now_ns)
        if price_of(quote) is None:
            raise InvalidOrder(f"no price of {contract.local_symbol} is known; a market cannot begin without one")
        start_ns = max(now_ns, terms.begins_ns(now_ns) - LEAD_NS)
        if not any(one.close_ns > start_ns for one in contract.sessions):
            raise InvalidOrder(f"the broker lists no session of {contract.local_symbol} in which the plan could run")
        if market is None:
            usual = snapshots.references.seen.spreads.usual(contract.con_id)
            statistics = self._statistics(terms)
            market = assumed_market(contract, quote=quote, statistics=statistics, usual_spread=usual)
        script = Script(
            plan=terms,
            world=world_of(contract, market=market, quote=quote, account=terms.parent.account, start_ns=start_ns),
            limits=rooms.gate.limits,
            facts=dict(snapshots.facts),
            statistics=snapshots.statistics,
            seen=snapshots.references.seen,
            ledger=manager.ledger,
            memories=manager.core.memories,
            standing=self._standing(terms),
        )
        return Staged(packed=pack(script), rehearsed=_rehearsed(terms, market, world=script.world.digest))

    def _standing(self, terms: ExecutionPlan) -> Standing:
        broker, manager, parent = self._rooms.broker, self._rooms.manager, terms.parent
        account, quote = broker.account_state(), broker.quote(parent.contract.con_id)
        others = {*manager.ledger.contracts, *manager.ledger.positions} - {parent.contract.con_id}
        return Standing(
            account=account,
            state=broker.state,
            positions=broker.positions(),
            quotes={con_id: one for con_id in others if (one := broker.quote(con_id)) is not None},
            margin=manager.snapshots.margins.known(parent.contract, side=parent.side, initial=account.initial_margin),
            feed=FeedType.LIVE if quote is None else quote.feed,
            halted=quote is not None and quote.halted,
        )

    def _statistics(self, terms: ExecutionPlan) -> MarketStatistics:
        """Volume and volatility as the plan took them: the caller's volume where he gave one."""
        con_id = terms.parent.contract.con_id
        known = next((one for one in self._rooms.manager.snapshots.statistics if one.con_id == con_id), None)
        if known is None:
            known = MarketStatistics(con_id=con_id, adv_lots=None, daily_volatility=None, days=0, source="unknown")
        return known if terms.adv_lots is None else replace(known, adv_lots=terms.adv_lots)

    def _of_others(self, quote: Quote | None, *, now_ns: int) -> Quote | None:
        """The quote without our own orders, which nobody else has in a path: where they are a side, the one before."""
        if quote is None:
            return None
        bid, bid_size = self._side(quote, Side.BUY, price=quote.bid, size=quote.bid_size, now_ns=now_ns)
        ask, ask_size = self._side(quote, Side.SELL, price=quote.ask, size=quote.ask_size, now_ns=now_ns)
        return replace(quote, bid=bid, bid_size=bid_size, ask=ask, ask_size=ask_size)

    def _side(
        self, quote: Quote, side: Side, *, price: Decimal | None, size: int, now_ns: int
    ) -> tuple[Decimal | None, int]:
        if price is None:
            return None, 0
        manager = self._rooms.manager
        others = size - manager.ledger.own_lots(quote.con_id, side=side).get(price, 0)
        if others > 0:
            return price, others
        seen = manager.snapshots.references.seen.sides.get((quote.con_id, side))
        if seen is None or now_ns - seen.time_ns > OWN_TOUCH_MEMORY_S * NS_PER_S:
            return None, 0
        return seen.price, 1


def _rehearsed(terms: ExecutionPlan, market: ThinMarket, *, world: str) -> Rehearsed:
    parent, contract = terms.parent, terms.parent.contract
    predicted = terms.prediction
    return Rehearsed(
        label=f"{parent.strategy}, {len(terms.slices)} slices, {terms.duration_ns / 60e9:g} min",
        side=parent.side,
        lots=parent.lots,
        local_symbol=contract.local_symbol,
        currency=contract.currency,
        tick=float(contract.tick),
        tick_value_cash=float(contract.tick_value),
        duration_s=terms.duration_ns / NS_PER_S,
        slices=len(terms.slices),
        messages_budget=terms.messages_budget,
        patience_s=terms.slices[0].ladder.mid_ns / NS_PER_S,
        predicted_ticks=None if predicted is None else float(predicted.formula_slippage / contract.tick),
        model=_model(market),
        leaves_out=LEAVES_OUT,
        world=world,
        market=type(market).__name__,
        plan_id=terms.plan_id,
    )


def _model(market: ThinMarket) -> str:
    said = (
        f"spread {market.spread_ticks:.1f} ticks, {market.touch_lots:.1f} lots a side of the touch, a taker of "
        f"{market.taker_lots:.1f} lots each {market.taker_s:,.0f} s, "
        f"volatility {100 * market.daily_volatility:.1f} % a day"
    )
    return "; ".join((said, *market.notes))
