"""Where a plan is rehearsed: on the desk that drew it, as it stands, in markets like the one on its screen."""

from dataclasses import replace
from decimal import Decimal

from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.market import FeedType, MarketStatistics, Quote
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import InvalidOrder
from hydra_nb.order_manager.snapshot import OWN_TOUCH_MEMORY_S
from hydra_nb.rehearsal.market import Begun, Market, Screen
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.rehearsal.quiet import is_renewed
from hydra_nb.rehearsal.rehearse import Fidelity, Staged
from hydra_nb.rehearsal.script import Script, pack
from hydra_nb.rehearsal.standing import Standing
from hydra_nb.rehearsal.worlds import market_of, world_of
from hydra_nb.sim.faults.script import FaultScript

LEAD_NS = 60 * NS_PER_S
"""How long before the start of a plan that begins later its markets begin."""
WIRE_LEAVES_OUT = (
    "By wire each path begins with a fresh desk on a simulated account: what this desk holds, works and has traded, "
    "its equity and its margin are not taken along."
)
END_S = 60.0
"""How long after the end of a plan its last order may take to be proven dead."""


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

    def stage(
        self,
        terms: ExecutionPlan,
        market: Market | None,
        *,
        at_ns: int | None = None,
        longest_s: float | None = None,
        fidelity: Fidelity = "direct",
        faults: FaultScript | None = None,
    ) -> Staged:
        """Take the desk as it stands now, and the market at its beginning.

        Parameters
        ----------
        terms
            The plan.
        market
            The market; None takes one of what the desk knows.
        at_ns
            When its paths begin, market time, so that several plans share them; None is now.
        longest_s
            Length of the longest plan that shares them; None is that of this one.
        fidelity, faults
            What runs the paths, and what goes wrong meanwhile; see `hydra_nb.rehearse`.

        Raises
        ------
        InvalidOrder
            No price of the contract is known, it has no session to come, the plan was submitted, or the market is none
            of this contract, or not for so long; or the gate refuses it now, and it is to go by wire.
        """
        rooms, contract = self._rooms, terms.parent.contract
        now_ns = self.now_ns() if at_ns is None else at_ns
        manager, broker, snapshots = rooms.manager, rooms.broker, rooms.manager.snapshots
        earlier = manager.ledger.equal_parent(terms, now_ns=now_ns)
        if earlier is not None and manager.ledger.parents[earlier].plan.plan_id == terms.plan_id:
            raise InvalidOrder(f"this order was submitted as {earlier}: look at desk.execution({earlier!r})")
        begins_ns = terms.begins_ns(now_ns)
        start_ns = max(now_ns, begins_ns - LEAD_NS)
        lasts_s = terms.duration_ns / NS_PER_S if longest_s is None else longest_s
        screen = Screen(
            contract=contract,
            quote=self._of_others(broker.quote(contract.con_id), now_ns=now_ns),
            statistics=self._statistics(terms),
            usual_spread=snapshots.references.seen.spreads.usual(contract.con_id),
            longest_s=(begins_ns - start_ns) / NS_PER_S + lasts_s + END_S,
        )
        if not any(one.close_ns > start_ns for one in contract.sessions):
            raise InvalidOrder(f"the broker lists no session of {contract.local_symbol} in which the plan could run")
        taken = market_of(screen) if market is None else market
        begun = taken.begin(screen)
        script = Script(
            plan=terms if earlier is None else _second(terms),
            world=world_of(screen, source=begun.source, account=terms.parent.account, start_ns=start_ns),
            limits=rooms.gate.limits,
            facts=dict(snapshots.facts),
            statistics=snapshots.statistics,
            seen=snapshots.references.seen,
            ledger=manager.ledger,
            memories=manager.core.memories,
            standing=self._standing(terms),
        )
        rehearsed = _rehearsed(terms, begun, screen=screen, market=type(taken).__name__, world=script.world.digest)
        if earlier is not None:
            said = f"An equal order of today, {earlier}, counts as sent; this is what a second one would come to."
            rehearsed = replace(rehearsed, leaves_out=f"{said} {rehearsed.leaves_out}")
        if fidelity == "wire":
            return self._by_wire(script, rehearsed, faults=faults)
        return Staged(packed=pack(script), rehearsed=rehearsed)

    def _by_wire(self, script: Script, rehearsed: Rehearsed, *, faults: FaultScript | None) -> Staged:
        """Take what a fresh desk can be told; a plan that this desk refuses would pass on one, and is refused here."""
        from hydra_nb.desk.by_wire import COST, pack_for_wire, run_wire_paths

        refusal = self._refusal(script)
        if refusal is not None:
            raise InvalidOrder(
                f"this desk would not send the plan now: {refusal}; by wire a path begins with a fresh desk, which "
                "would not know: rehearse it with fidelity='direct'"
            )
        how = "by wire" if faults is None else "by wire with faults"
        return Staged(
            packed=pack_for_wire(script, faults=faults),
            rehearsed=replace(
                rehearsed,
                label=f"{rehearsed.label}, {how}",
                leaves_out=f"{rehearsed.leaves_out} {WIRE_LEAVES_OUT}",
                fidelity="wire",
                with_faults=faults is not None,
            ),
            run=run_wire_paths,
            cost=COST,
        )

    def _refusal(self, script: Script) -> str | None:
        """Why this desk would send nothing, in words, where a fresh one might; what passes by itself is no reason."""
        manager, standing = self._rooms.manager, script.standing
        if not is_renewed(state=standing.state, feed=standing.feed, halted=standing.halted):
            halted = ", halted" if standing.halted else ""
            return f"the connection is {standing.state}, its quotes are {standing.feed}{halted}"
        if not manager.ledger.reconciled:
            return "ledger and broker have not been compared"
        decisions = manager.whole_plan.check(script.plan)
        refused = manager.whole_plan.refusal(script.plan, decisions=decisions, now_ns=self.now_ns())
        return None if refused is None else refused.decisive.message

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
        others = size - manager.ledger.own_lots_at(price, con_id=quote.con_id, side=side)
        if others > 0:
            return price, others
        seen = manager.snapshots.references.seen.sides.get((quote.con_id, side))
        if seen is None or now_ns - seen.time_ns > OWN_TOUCH_MEMORY_S * NS_PER_S:
            return None, 0
        return seen.price, 1


def _second(terms: ExecutionPlan) -> ExecutionPlan:
    """The plan of an order that is not taken for an equal one of the same day, as a tag of its own makes it."""
    return replace(terms, parent=replace(terms.parent, tag=f"{terms.parent.tag or ''} rehearsed"))


def _rehearsed(terms: ExecutionPlan, begun: Begun, *, screen: Screen, market: str, world: str) -> Rehearsed:
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
        model="; ".join((begun.model, *screen.notes)),
        leaves_out=begun.leaves_out,
        world=world,
        market=market,
        plan_id=terms.plan_id,
    )
