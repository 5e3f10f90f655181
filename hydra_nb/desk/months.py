"""Which month a bare symbol means, and why: the liquid one among the next that the gate lets anybody enter."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hydra_nb.domain.instrument import NO_FACTS, ContractFacts, FutureContract
from hydra_nb.errors import BrokerError
from hydra_nb.risk.close_out import CloseOut, close_out_of, exchange_date, months_ahead
from hydra_nb.risk.limits import Limits

CANDIDATES = 3
"""How many of the next months are compared by volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A listed month as the choice sees it.

    Attributes
    ----------
    window
        Its close-out window, as the gate counts it.
    first_notice
        The day that a person told; None where nobody did.
    obstacle
        Why the gate would let nobody enter it, in words; empty where it would.
    adv_lots
        Average daily volume; None where the broker does not tell, or was not asked.
    """

    contract: FutureContract
    window: CloseOut
    first_notice: dt.date | None
    obstacle: str
    adv_lots: float | None = None

    @property
    def name(self) -> str:
        """The month, as the exchange writes it."""
        return self.contract.local_symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The month that a symbol means, and what it was chosen among.

    Attributes
    ----------
    chosen
        The month itself.
    others
        The other candidates, nearest first.
    passed_over
        Nearer months that the gate would let nobody enter.
    """

    symbol: str
    chosen: Month
    others: tuple[Month, ...]
    passed_over: tuple[Month, ...]

    def why(self, now: Month) -> str:
        """The choice as a sentence or two; `now` is the chosen month with the days that are left now."""
        parts = [f"{self.symbol} means {self.chosen.name}: {self._volumes}; {days_left(now)}."]
        parts += [f"{month.name} is passed over: {month.obstacle}." for month in self.passed_over]
        return " ".join(parts)

    def in_short(self, now: Month) -> str:
        """The choice in one line of a plan; `why` has what it was chosen among."""
        volume = f"{lots_a_day(self.chosen)} lots a day" if self.chosen.adv_lots else "no volume is told"
        return f"{self.symbol} means {self.chosen.name}: {volume}; {days_left(now)}."

    @property
    def _volumes(self) -> str:
        if not self.chosen.adv_lots:
            return "the nearest that may be entered, as the broker tells no volume"
        against = [f"{lots_a_day(month)} in {month.name}" for month in self.others]
        words = f"{lots_a_day(self.chosen)} lots a day"
        return f"{words} against {' and '.join(against)}" if against else f"{words}, the only month that may be entered"

    def why_of(self, month: Month) -> str:
        """What the choice says of one listed month, in words."""
        if month.contract.con_id == self.chosen.contract.con_id:
            return f"chosen: {self._volumes}"
        if month.obstacle:
            return month.obstacle
        if month.contract.con_id not in [one.contract.con_id for one in self.others]:
            return f"only the next {CANDIDATES} months that may be entered are compared"
        if month.adv_lots is None:
            return "the broker tells no volume of it"
        return f"{lots_a_day(month)} lots a day, {lots_a_day(self.chosen)} in {self.chosen.name}"


def survey(
    contracts: Sequence[FutureContract], *, facts: Mapping[str, ContractFacts], limits: Limits, now_ns: int
) -> tuple[Month, ...]:
    """Look at listed months, nearest last trade first, by the limits and the facts that the gate goes by.

    Parameters
    ----------
    facts
        What a person told of contracts, by local symbol.
    limits
        Of all symbols.
    """
    listed = sorted(contracts, key=lambda contract: (contract.last_trade_date, contract.con_id))
    return tuple(_looked_at(contract, facts=facts, limits=limits, now_ns=now_ns) for contract in listed)


def _looked_at(contract: FutureContract, *, facts: Mapping[str, ContractFacts], limits: Limits, now_ns: int) -> Month:
    own, notice = limits.for_symbol(contract.symbol), facts.get(contract.local_symbol, NO_FACTS).first_notice
    window = close_out_of(contract, first_notice=notice, now_ns=now_ns, limits=own)
    ahead = months_ahead(contract, now_ns=now_ns)
    obstacle = ""
    if contract.last_trade_date < exchange_date(now_ns, zone=contract.time_zone):
        obstacle = f"its last trade was on {contract.last_trade_date}"
    elif window.is_inside:
        obstacle = f"{count(window.days, 'day')} before {window.event}, more than {window.limit} wanted"
    elif ahead > own.max_months_ahead:
        obstacle = f"it trades last {ahead} months ahead, {own.max_months_ahead} allowed"
    return Month(contract=contract, window=window, first_notice=notice, obstacle=obstacle)


def candidates(months: Sequence[Month]) -> tuple[Month, ...]:
    """Give the next months that may be entered, nearest first."""
    return tuple(month for month in months if not month.obstacle)[:CANDIDATES]


def choose(symbol: str, months: Sequence[Month], *, adv_lots: Mapping[int, float | None]) -> Choice | None:
    """Choose the candidate with the largest average daily volume, the nearest of equals; None where there is none.

    Parameters
    ----------
    months
        As `survey` gives them.
    adv_lots
        Average daily volumes by contract id; what is missing counts as none.
    """
    near = [replace(month, adv_lots=adv_lots.get(month.contract.con_id)) for month in candidates(months)]
    if not near:
        return None
    chosen = max(near, key=lambda month: month.adv_lots or 0.0)  # max keeps the first of equals
    nearer = months[: [month.name for month in months].index(chosen.name)]
    return Choice(
        symbol=symbol,
        chosen=chosen,
        others=tuple(month for month in near if month is not chosen),
        passed_over=tuple(month for month in nearer if month.obstacle),
    )


def days_left(month: Month) -> str:
    """Days to the last trade, and to first notice where that comes before, in words."""
    last = month.contract.last_trade_date
    if not month.window.is_notice:
        return f"{count(month.window.days, 'day')} to its last trade"
    to_last = month.window.days + (last - month.window.ends).days
    return f"{count(to_last, 'day')} to its last trade, {month.window.days} to first notice"


def lots_a_day(month: Month) -> str:
    """Average daily volume as a whole number; a question mark where it is not known."""
    return "?" if month.adv_lots is None else f"{month.adv_lots:,.0f}"


def count(number: int, what: str) -> str:
    """A number with its noun: 1 day, 2 days."""
    return f"{number} {what}" if abs(number) == 1 else f"{number} {what}s"


async def current(
    known: FutureContract | None,
    *,
    ask: Callable[[], Awaitable[FutureContract]],
    now_ns: int,
    still_meant: Callable[[FutureContract], bool] = lambda _month: True,
) -> FutureContract:
    """Give a month of which a coming session is listed: `known` while it is still meant, else what the broker says.

    The broker lists the sessions of a few days, and a desk may be open for longer. Where it does not answer, `known`
    has to do: the gate says what is wrong.
    """
    if known is not None and known.opens_ns(now_ns) is not None and still_meant(known):
        return known
    try:
        return await ask()
    except BrokerError:
        if known is None:
            raise
        return known
