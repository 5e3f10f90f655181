"""Checks that ask, and send no order: versions and clocks, replies, data, margin."""

from hydra_nb.broker.port import BrokerPort
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.selftest.finding import Finding
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import FeedType, MarketStatistics, Quote
from hydra_nb.domain.orders import MarginQuestion
from hydra_nb.domain.units import NS_PER_S, Side

SERVER_VERSIONS = (157, 178)
"""Versions of the wire that the client library speaks as text; it asks for the highest that both know."""
QUOTE_S = 15.0
"""Market seconds within which a market in session shows both sides."""
CLOSED_S = 2.0
"""The same where the market is closed, and a settlement at most is told."""
LOOK_S = 0.1


class Questions:
    """Asks one gateway.

    Parameters
    ----------
    rooms
        Of the desk.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._broker: BrokerPort = rooms.broker
        self._clock = rooms.clock

    async def server_version(self) -> Finding:
        """The gateway speaks a version of the wire that we read."""
        lowest, highest = SERVER_VERSIONS
        version = self._broker.server_version
        return Finding(
            holds=version is not None and lowest <= version <= highest,
            expected=f"{lowest} to {highest}",
            observed="no connection" if version is None else str(version),
            message="Update IB Gateway where it is older" if version is not None and version < lowest else "",
        )

    async def account_kind(self) -> Finding:
        """The account trades no real money."""
        kind = "simulated" if self._broker.is_simulated else "paper" if self._broker.is_paper else "live"
        is_live = kind == "live"
        words = "A live account: nothing is sent to it by this test" if is_live else ""
        return Finding(holds=None if is_live else True, expected="paper or simulated", observed=kind, message=words)

    async def clock_skew(self) -> Finding:
        """Our clock is as near to the broker's as the gate asks for."""
        await self._broker.server_time_ns()
        skew_s, limit_s = self._broker.clock_skew_s(), self._rooms.gate.limits.max_clock_skew_s
        holds = skew_s is not None and skew_s <= limit_s
        return Finding(
            holds=holds,
            expected=f"at most {limit_s:g} s",
            observed="not told" if skew_s is None else f"{skew_s:.2f} s",
            message="" if holds else "Nothing is sent like this: set this computer's clock by a time server",
        )

    async def account_values(self) -> Finding:
        """Equity is told, with its currency."""
        state = self._broker.account_state()
        holds = state.equity is not None and bool(state.currency)
        observed = f"equity told in {state.currency}" if holds else "no equity"
        words = "" if holds else "Breakers and shares of equity need it: nothing is sent without"
        return Finding(holds=holds, expected="equity and currency", observed=observed, message=words)

    async def positions(self) -> Finding:
        """All positions are told."""
        await self._broker.refresh_positions()
        told = self._broker.positions()
        observed = "no reply" if told is None else f"{len(told)} contracts held"
        return Finding(holds=told is not None, expected="a whole reply", observed=observed)

    async def open_orders(self) -> Finding:
        """All open orders are told, those of others too."""
        told = await self._broker.open_orders()
        own = sum(self._rooms.manager.ledger.orders.get(one.order_ref) is not None for one in told)
        return Finding(holds=True, expected="a whole reply", observed=f"{len(told)} open, {own} of this journal")

    async def executions(self) -> Finding:
        """Executions since midnight are told, and come to an end."""
        await self._broker.fetch_executions()
        return Finding(holds=True, expected="a whole reply", observed="a whole reply")

    async def reconciled(self) -> Finding:
        """Ledger and broker agree."""
        found = [one for one in await self._rooms.reconciler.run() if not one.resolved]
        holds = self._rooms.manager.ledger.reconciled and not found
        return Finding(
            holds=holds,
            expected="nothing differs",
            observed="nothing differs" if holds else f"{len(found)} differences",
            message="; ".join(one.message for one in found),
        )

    async def market_data(self, contract: FutureContract) -> Finding:
        """Quotes are live: the account subscribes to the exchange."""
        quote = await self._quote(contract)
        if quote is None and not contract.is_open(self._clock.now_ns()):
            return Finding(holds=None, expected="live", observed="no quote", message=f"{_closed(contract)}: try then")
        holds = quote is not None and quote.feed is FeedType.LIVE
        words = f"Only live quotes are used: subscribe to {contract.exchange}, end logins elsewhere that hold the data"
        observed = "no quote" if quote is None else str(quote.feed)
        return Finding(holds=holds, expected="live", observed=observed, message="" if holds else words)

    async def two_sided_quote(self, contract: FutureContract) -> Finding:
        """Both sides show within a while, in session."""
        expected = f"bid and ask within {QUOTE_S:g} s"
        if not contract.is_open(self._clock.now_ns()):
            return Finding(holds=None, expected=expected, observed="closed", message=f"{_closed(contract)}: try then")
        quote = await self._quote(contract)
        if quote is None or not quote.has_both_sides or quote.is_crossed:
            observed = "no quote" if quote is None else f"{quote.bid or '–'} / {quote.ask or '–'}"
            return Finding(
                holds=False, expected=expected, observed=observed, message="A side is missing, or they cross"
            )
        observed = f"{quote.bid} × {quote.bid_size} / {quote.ask} × {quote.ask_size}"
        return Finding(holds=True, expected=expected, observed=observed)

    async def daily_bars(self, told: MarketStatistics) -> Finding:
        """Daily bars come with volumes."""
        holds = bool(told.adv_lots)
        observed = f"{told.adv_lots or 0:,.0f} lots a day over {told.days} days"
        words = "" if holds else "Without a volume the gate allows max_lots_unknown_adv: look at the data subscription"
        return Finding(holds=holds, expected="a volume", observed=observed, message=words)

    async def what_if_margin(self, contract: FutureContract) -> Finding:
        """The broker says what margin an order would need."""
        expected = "initial margin of one lot"
        quote = await self._quote(contract)
        prices = () if quote is None else (quote.bid, quote.last, quote.settlement)
        price = next((one for one in prices if one is not None and contract.is_on_tick(one)), None)
        if price is None:
            return Finding(
                holds=None, expected=expected, observed="no price", message="No price to ask at: try in session"
            )
        question = MarginQuestion(contract=contract, side=Side.BUY, lots=1, limit_price=price)
        told = await self._broker.what_if(question)
        currency = self._broker.account_state().currency
        observed = "no figure" if told is None else f"{told.change:,.0f} {currency} more, {told.before:,.0f} before"
        words = "Nothing is sent without: allow what-if orders, look at trading permissions" if told is None else ""
        return Finding(holds=told is not None, expected=expected, observed=observed, message=words)

    async def exchange_rate(self, contract: FutureContract) -> Finding:
        """The contract's currency can be valued in the account's."""
        state = self._broker.account_state()
        rate = state.rate(contract.currency)
        words = "" if rate is not None else "Notional and risk cannot be counted: nothing is sent in this contract"
        observed = "none" if rate is None else f"1 {contract.currency} is {rate:f} {state.currency}"
        return Finding(
            holds=rate is not None, expected=f"a rate for {contract.currency}", observed=observed, message=words
        )

    async def _quote(self, contract: FutureContract) -> Quote | None:
        """The quote, once it has both sides; after a while what there is of it."""
        began_ns = self._clock.now_ns()
        wait_s = QUOTE_S if contract.is_open(began_ns) else CLOSED_S
        while True:
            quote = self._broker.quote(contract.con_id)
            is_late = self._clock.now_ns() - began_ns >= wait_s * NS_PER_S
            if is_late or (quote is not None and quote.has_both_sides):
                return quote
            await self._clock.sleep(LOOK_S)


def _closed(contract: FutureContract) -> str:
    return f"{contract.local_symbol} is between sessions"
