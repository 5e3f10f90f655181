"""How the broker's books stood when a rehearsal began, and how they stand after what its path traded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import AccountState, ConnectionState, FeedType, Quote
from hydra_nb.risk.snapshot import MarginTold
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import Top

CURRENCY = "USD"
"""What the simulated account is kept in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a desk's broker told before the rehearsal, which goes on from there.

    Attributes
    ----------
    account
        Account values; without equity those of the simulated account stand for them.
    state
        State of the connection.
    positions
        What is held, in whatever contract; None where the broker has not told.
    quotes
        The last quotes of other contracts, by contract id.
    margin
        The answer to a what-if of the order; None where the broker gave none.
    feed, halted
        How the contract is fed, and whether it is halted: both stay so.
    """

    account: AccountState
    state: ConnectionState = ConnectionState.UP
    positions: tuple[ev.PositionReported, ...] | None = ()
    quotes: Mapping[int, Quote] = field(default_factory=dict)
    margin: MarginTold | None = None
    feed: FeedType = FeedType.LIVE
    halted: bool = False


class Books:
    """Account values and positions of a path, going on from what was told before it.

    The simulated account begins with the lots of the contract that were told, at their told cost: so they move equity,
    and an order that closes them realises what they made and frees their margin.

    Parameters
    ----------
    exchange
        Whose account and positions are the path's own; nothing has been traded on it.
    contract
        The one that the path trades.
    standing
        What was told before; None has the simulated account alone, which knows all of it.

    Attributes
    ----------
    knows_positions
        Whether the broker had told its positions.
    others
        Those in other contracts, which stay as they are.
    lots_before, account_before
        Signed lots of the contract, and account values, before anything of the path.
    rate
        What a unit of the contract's currency is worth in that of the account.
    has_begun
        Whether what was held gains and loses from now on: the market has shown a mid.
    """

    def __init__(self, exchange: Exchange, *, contract: FutureContract, standing: Standing | None) -> None:
        told = () if standing is None else standing.positions
        self.knows_positions = told is not None
        self.others = tuple(held for held in told or () if held.con_id != contract.con_id)
        self.account_before = (
            AccountState(account=exchange.account, currency=CURRENCY) if standing is None else standing.account
        )
        self._exchange = exchange
        self._contract = contract
        self._standing = standing
        known = None if standing is None or standing.account.equity is None else standing.account
        self.rate = Decimal(1) if known is None else known.rate(contract.currency) or Decimal(1)
        held = next((one for one in told or () if one.con_id == contract.con_id and one.lots), None)
        self.lots_before = 0 if held is None else held.lots
        self.has_begun = held is None
        if held is not None:  # a cost of 0 is one that the broker did not tell
            exchange.hold(contract.con_id, lots=held.lots, average_cost=held.average_cost or None)
        self._first_values = exchange.account_values()

    def begin(self, top: Top | None) -> None:
        """Take what is held to be worth now what was told of it.

        Where the market is closed, or a side is empty, the lots count at the settlement, which is long past: then this
        is done again, until there is a mid or a fill.
        """
        has_traded = bool(self._exchange.executions())
        if not has_traded:
            self._first_values = self._exchange.account_values()
        self.has_begun = has_traded or (top is not None and top.bid is not None and top.ask is not None)

    def account(self) -> AccountState:
        """Values of the simulated account, or what was told before with what those have changed by since."""
        values, told = self._exchange.account_values(), None if self._standing is None else self._standing.account
        base = dict.fromkeys(values, Decimal(0))
        currency, rates, rate = CURRENCY, {}, self.rate
        if told is not None and told.equity is not None:
            currency, rates = told.currency, dict(told.rates)
            told_values = {
                "NetLiquidation": told.equity,
                "RealizedPnL": told.realised_pnl or Decimal(0),
                "UnrealizedPnL": told.unrealised_pnl or Decimal(0),
                "InitMarginReq": told.initial_margin or Decimal(0),
            }
            base |= {tag: value - self._first_values[tag] * rate for tag, value in told_values.items()}
        return AccountState(
            account=self._exchange.account,
            currency=currency,
            equity=base["NetLiquidation"] + values["NetLiquidation"] * rate,
            realised_pnl=base["RealizedPnL"] + values["RealizedPnL"] * rate,
            unrealised_pnl=base["UnrealizedPnL"] + values["UnrealizedPnL"] * rate,
            # The simulated margin of what was held may be more than the broker's: what it frees is not below nothing.
            initial_margin=max(Decimal(0), base["InitMarginReq"] + values["InitMarginReq"] * rate),
            rates=rates,
        )

    def position(self, now_ns: int) -> ev.PositionReported:
        """The position now, with what is left of that which was held before."""
        held = next((one for one in self._exchange.positions() if one.con_id == self._contract.con_id), None)
        return ev.PositionReported(
            time_ns=now_ns,
            con_id=self._contract.con_id,
            local_symbol=self._contract.local_symbol,
            symbol=self._contract.symbol,
            lots=0 if held is None else held.lots,
            average_cost=Decimal(0) if held is None else held.average_cost,
        )
