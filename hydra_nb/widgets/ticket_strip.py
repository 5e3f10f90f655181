"""What a ticket tells of the market before anything is asked of it: the quote strip, and the value of the order."""

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import age, escape

_LEAST_QUOTES = 20  # below so many quotes no spread is called usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is known of a contract's market at one moment.

    Attributes
    ----------
    usual_ticks
        The spread as it mostly is, in ticks; None where not known.
    position_lots
        The account's position, signed; None where not known.
    now_ns
        Market time.
    """

    contract: FutureContract
    quote: Quote | None
    usual_ticks: float | None
    adv_lots: float | None
    position_lots: int | None
    now_ns: int

    @property
    def mid(self) -> Decimal | None:
        """The mid; None unless a live quote shows both sides."""
        quote = self.quote
        if quote is None or quote.halted or quote.feed is not FeedType.LIVE:
            return None
        return quote.mid


def usual_spread(quotes: pd.DataFrame, *, tick: Decimal) -> float | None:
    """The median spread over the time that each quote stood, in ticks; None where too few quotes show both sides.

    Parameters
    ----------
    quotes
        Columns ``time``, ``bid``, ``ask``, in order of time.
    tick
        Of the contract.
    """
    known = quotes[["time", "bid", "ask"]].dropna()
    if len(known) < _LEAST_QUOTES:
        return None
    spread = known["ask"] - known["bid"]
    stood = known["time"].diff().shift(-1).dt.total_seconds().fillna(0.0)
    ordered = pd.DataFrame({"spread": spread, "stood": stood}).sort_values("spread")
    reached = ordered["stood"].cumsum()
    median = ordered["spread"][reached >= reached.iloc[-1] / 2].iloc[0]
    return float(median) / float(tick)


def quote_strip(market: Market, *, side: Side | None, lots: int) -> str:
    """Bid, ask, mid, spread, age, ADV, position now and after, session; an en dash for what is not known."""
    contract, quote = market.contract, market.quote
    decimals = contract.decimals
    if quote is None:
        prices = [_tile("Bid × size"), _tile("Ask × size"), _tile("Mid"), _tile("Spread"), _tile("Quote age")]
    else:
        prices = [
            _tile("Bid × size", numbers.price(quote.bid, decimals=decimals), note=f"× {numbers.lots(quote.bid_size)}"),
            _tile("Ask × size", numbers.price(quote.ask, decimals=decimals), note=f"× {numbers.lots(quote.ask_size)}"),
            _tile("Mid", numbers.mid_price(quote.mid, decimals=decimals)),
            _spread_tile(market, quote),
            _age_tile(quote, now_ns=market.now_ns),
        ]
    adv = numbers.UNKNOWN if market.adv_lots is None else numbers.lots(market.adv_lots)
    others = [
        _tile("ADV, 20 days", adv, note="lots"),
        _position_tile(market.position_lots, side=side, lots=lots),
        _session_tile(contract, now_ns=market.now_ns),
    ]
    return f'<div class="hy-quote">{"".join([*prices, *others])}</div>'


def _tile(name: str, value: str = numbers.UNKNOWN, *, note: str = "") -> str:
    return _tile_html(name, escape(value), note=note)


def _tile_html(name: str, value: str, *, note: str = "") -> str:
    label = f'<div class="hy-label">{escape(name)}</div>'
    return f"<div>{label}<b>{value}</b> <small>{escape(note)}</small></div>"


def _spread_tile(market: Market, quote: Quote) -> str:
    contract = market.contract
    if quote.bid is None or quote.ask is None or not quote.has_both_sides:
        return _tile("Spread")
    spread = quote.ask - quote.bid
    note = f"= {numbers.cash(contract.cash(spread, lots=1), currency=contract.currency, whole=True)}"
    if market.usual_ticks is not None:
        note += f", usual {numbers.plain(round(market.usual_ticks, 1))}"
    ticks = spread / contract.tick
    return _tile("Spread", f"{numbers.plain(ticks)} {'tick' if ticks == 1 else 'ticks'}", note=note)


def _age_tile(quote: Quote, *, now_ns: int) -> str:
    """The age counts in the page: a busy kernel cannot keep it young."""
    live = quote.feed is FeedType.LIVE and not quote.halted
    sign = '<span class="hy-good" aria-hidden="true">●</span>' if live else '<span class="hy-bad">!</span>'
    feed = "halted" if quote.halted else str(quote.feed).replace("_", " ")
    return _tile_html("Quote age", f"{sign} {age(quote.age_s(now_ns))}", note=feed)


def _position_tile(position: int | None, *, side: Side | None, lots: int) -> str:
    if position is None:
        return _tile("Position now → after")
    shown = numbers.lots(position, signed=True)
    if side is not None:
        shown += f" → {numbers.lots(position + side.sign * lots, signed=True)}"
    return _tile("Position now → after", shown, note="lots")


def _session_tile(contract: FutureContract, *, now_ns: int) -> str:
    closes_ns = contract.closes_ns(now_ns)
    at_ns = contract.opens_ns(now_ns) if closes_ns is None else closes_ns
    name = "Session opens" if closes_ns is None else "Session closes"
    if at_ns is None:
        return _tile("Session")
    hours, minutes = divmod((at_ns - now_ns) // 60_000_000_000, 60)
    left = f"in {hours} h {minutes} min" if hours else f"in {minutes} min"
    return _tile(name, numbers.clock_time(at_ns, time_zone=contract.time_zone, seconds=False), note=left)


def order_value(market: Market, *, side: Side | None, lots: int, limit: Decimal | None) -> str:
    """What the order is worth at mid, how much of the thing that is, cash a tick, and the most it can cost."""
    contract, mid = market.contract, market.mid
    currency = contract.currency
    notional = None if mid is None else contract.notional(mid, lots=lots)
    unit = numbers.physical_unit(contract)
    a_unit = None if mid is None else abs(mid) / contract.price_magnifier
    lines = [
        (
            f"{numbers.plain(contract.multiplier * lots)} {unit}: {numbers.plural(lots, 'lot')} × "
            f"{numbers.plain(contract.multiplier)} {unit} × {numbers.unit_price(a_unit, currency=currency)}"
        ),
        f"One tick moves it {numbers.cash(contract.tick_value * lots, currency=currency)}.",
    ]
    if limit is not None and side is not None:
        bound = numbers.cash(contract.notional(limit, lots=lots), currency=currency)
        lines.append(f"{'At most' if side is Side.BUY else 'At least'} {bound}, at the limit.")
    first, *rest = (f"<div>{escape(line)}</div>" for line in lines)
    return (
        f'<div class="hy-label">Value of the order at mid</div>'
        f'<div class="hy-big">{escape(numbers.cash(notional, currency=currency))}</div>'
        f'{first}<div class="hy-muted">{"".join(rest)}</div>'
    )
