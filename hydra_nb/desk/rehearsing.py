"""The part of a desk that stages a rehearsal: the plan, the desk as it stands, and the market on the screen."""

from hydra_nb.desk.chains import Chaining
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder
from hydra_nb.rehearsal.exchange_broker import Standing
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.rehearsal.rehearse import Staged
from hydra_nb.rehearsal.script import Script, pack
from hydra_nb.rehearsal.worlds import LEAVES_OUT, ThinMarket, assumed_market, price_of, world_of

LEAD_NS = 60 * NS_PER_S
"""How long before the start of a plan that begins later its markets begin."""


class Rehearsing(Chaining):
    """Stages rehearsals; nothing is sent, and nothing of the desk is touched."""

    def _stage(self, terms: ExecutionPlan, market: ThinMarket | None) -> Staged:
        """Take the desk as it stands now.

        Raises
        ------
        InvalidOrder
            No price of the contract is known, it has no session to come, or the plan was submitted.
        """
        manager, broker = self._rooms.manager, self._rooms.broker
        contract, now_ns = terms.parent.contract, self.now_ns()
        earlier = manager.ledger.equal_parent(terms, now_ns=now_ns)
        if earlier is not None:
            raise InvalidOrder(f"this order was submitted as {earlier}: look at desk.execution({earlier!r})")
        quote = broker.quote(contract.con_id)
        if not price_of(quote):
            raise InvalidOrder(f"no price of {contract.local_symbol} is known; a market cannot begin without one")
        start_ns = max(now_ns, terms.begins_ns(now_ns) - LEAD_NS)
        if not any(one.close_ns > start_ns for one in contract.sessions):
            raise InvalidOrder(f"the broker lists no session of {contract.local_symbol} in which the plan could run")
        known = next((one for one in manager.snapshots.statistics if one.con_id == contract.con_id), None)
        statistics = known or MarketStatistics(
            con_id=contract.con_id, adv_lots=None, daily_volatility=None, days=0, source="unknown"
        )
        seen, account = manager.snapshots.references.seen, broker.account_state()
        if market is None:
            market = assumed_market(
                contract, quote=quote, statistics=statistics, usual_spread=seen.spreads.usual(contract.con_id)
            )
        others = {*manager.ledger.contracts, *manager.ledger.positions} - {contract.con_id}
        script = Script(
            plan=terms,
            world=world_of(contract, market=market, quote=quote, account=terms.parent.account, start_ns=start_ns),
            limits=self._rooms.gate.limits,
            facts=dict(manager.snapshots.facts),
            statistics=manager.snapshots.statistics,
            seen=seen,
            ledger=manager.ledger,
            standing=Standing(
                account=account,
                state=broker.state,
                positions=broker.positions(),
                quotes={con_id: one for con_id in others if (one := broker.quote(con_id)) is not None},
                margin=manager.snapshots.margins.told(
                    contract, side=terms.parent.side, lots=terms.parent.lots, initial=account.initial_margin
                ),
            ),
        )
        return Staged(packed=pack(script), rehearsed=_rehearsed(terms, market))


def _rehearsed(terms: ExecutionPlan, market: ThinMarket) -> Rehearsed:
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
        predicted_ticks=None if predicted is None else float(predicted.slippage / contract.tick),
        model=_model(market),
        leaves_out=LEAVES_OUT,
    )


def _model(market: ThinMarket) -> str:
    said = (
        f"spread {market.spread_ticks:.1f} ticks, {market.touch_lots:.1f} lots a side of the touch, a taker of "
        f"{market.taker_lots:.1f} lots each {market.taker_s:,.0f} s, "
        f"volatility {100 * market.daily_volatility:.1f} % a day"
    )
    return "; ".join((said, *market.notes))
