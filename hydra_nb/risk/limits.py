"""The limits that the gate holds every order against."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hydra_nb.domain.frozen import FrozenMapping
from hydra_nb.errors import LimitsError
from hydra_nb.risk.limit_names import unknown_limit
from hydra_nb.risk.limits_file import read_entries

ALL_SYMBOLS = "*"
"""Stands where a symbol would, for the limits of all that have none of their own."""

_SYMBOL = re.compile(r"[A-Z0-9](?:[A-Z0-9 .&/-]*[A-Z0-9])?")
_MONTH = re.compile(r"([A-Z0-9]{2,})[FGHJKMNQUVXZ][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the risk gate; a value that equals its limit passes.

    The defaults suit a small or medium account that trades a few lots of thin futures. Cash is in the
    account's currency; a contract in another is valued at the broker's rate of exchange, and refused without one.

    Attributes
    ----------
    max_daily_loss
        Cash by which equity may lie below that of the day's start.
    max_drawdown_percent
        Percent by which equity may lie below its peak.
    max_parent_loss
        Cash that the last parent order that closed lots may have lost, by the broker's realised P&L.
    max_position_percent_of_equity
        Percent of equity that the notional of the worst-case position of one contract may reach.
    max_position_lots
        Lots of the worst-case position of one contract, long or short.
    max_adv_percent
        Percent of the average daily volume that the lots of one day and contract may reach.
    max_lots_unknown_adv
        Lots a day of a contract whose average daily volume the broker does not tell.
    max_lots_per_order, max_lots_per_parent
        Lots of one order at the broker, and of one parent order.
    max_notional_per_order
        Cash value of one order at the broker, at the reference mid.
    max_messages_per_parent
        Frames that the plan of one parent order may send at most.
    collar_ticks, collar_percent
        Distance of a limit price from the reference mid, on either side.
    max_quote_age_s
        Seconds since the last tick of the quote.
    max_reference_age_s
        Seconds since the reference mid was seen, where a side of the book is empty.
    max_own_touch_age_s
        The same where both sides show, but one is nobody's but ours.
    max_messages_per_second
        Frames sent in any second, all orders together.
    max_clock_skew_s
        Seconds between our market time and the broker's.
    reset_window_s
        Seconds before and after the gateway's nightly reset, 23:45 in New York, in which nothing is sent.
    collar_last_percent, collar_settlement_percent
        Distance of a limit price from the last trade, and from the last settlement, on either side.
    max_chase_percent
        Distance that the prices of a parent order may run after the market, from the mid at its arrival.
    max_adv_percent_per_parent
        Percent of the average daily volume that the lots of one parent order may reach.
    max_notional_per_day
        Cash value of all that is bought and sold, or works, in one UTC day, over all contracts.
    max_displayed_percent
        Percent of the lots that the other side shows at its touch that one crossing order may have.
    max_position_lots_per_symbol
        Lots of the worst-case position over all months of one symbol, long or short.
    max_gross_percent_of_equity
        Percent of equity that the notional of the worst-case positions of all contracts may reach together.
    max_equity_at_risk_percent
        Percent of equity that a bad day in a hundred may cost the worst-case positions of all contracts.
    max_margin_percent_of_equity
        Percent of equity that the account's initial margin may reach.
    max_spread_multiple
        Spread as a multiple of the usual one.
    min_session_left_s
        Seconds that the session must go on.
    close_out_days
        Calendar days before the last trade from which only what reduces passes, where no notice day is told.
    notice_days
        Calendar days before a first notice day that a person has told, from which only what reduces passes.
    max_months_ahead
        Months between now and the contract's last trade.
    max_messages_per_lot
        Messages of a parent order's plan for each of its lots.
    max_active_orders
        Orders at work on one side of a contract.
    max_parents_at_work
        Parent orders at work at once.
    max_loop_lag_ms
        Milliseconds by which the event loop may be late.
    max_consecutive_refusals
        Hard refusals of the gate in a row.
    max_reject_percent, min_reject_messages
        Percent of the last hour's places and modifies that the broker may reject, judged from so many on.
    max_slippage_multiple, max_slippage_excess_ticks, min_slippage_fills
        What a lot of today's fills may cost on average: a multiple of what was predicted and so many ticks on top,
        judged from so many fills on.
    symbols
        Limits of single symbols, which take the place of those above: ``{"ZO": {"max_lots_per_order": 5}}``.

    Raises
    ------
    LimitsError
        A limit is unknown, of the wrong type, not finite, or out of its bounds; or one of the whole account is
        given to a symbol.
    """

    max_daily_loss: float = 10_000.0
    max_drawdown_percent: float = 5.0
    max_parent_loss: float = 5_000.0
    max_position_percent_of_equity: float = 50.0
    max_position_lots: int = 50
    max_adv_percent: float = 5.0
    max_lots_unknown_adv: int = 3
    max_lots_per_order: int = 20
    max_lots_per_parent: int = 50
    max_notional_per_order: float = 300_000.0
    max_messages_per_parent: int = 200
    collar_ticks: int = 120
    collar_percent: float = 1.5
    max_quote_age_s: float = 30.0
    max_reference_age_s: float = 60.0
    max_own_touch_age_s: float = 600.0
    max_messages_per_second: int = 40
    max_clock_skew_s: float = 2.0
    reset_window_s: float = 300.0
    collar_last_percent: float = 5.0
    collar_settlement_percent: float = 10.0
    max_chase_percent: float = 2.0
    max_adv_percent_per_parent: float = 5.0
    max_notional_per_day: float = 2_000_000.0
    max_displayed_percent: float = 1_000.0
    max_position_lots_per_symbol: int = 75
    max_gross_percent_of_equity: float = 200.0
    max_equity_at_risk_percent: float = 10.0
    max_margin_percent_of_equity: float = 50.0
    max_spread_multiple: float = 5.0
    min_session_left_s: float = 30.0
    close_out_days: int = 20
    notice_days: int = 3
    max_months_ahead: int = 18
    max_messages_per_lot: float = 20.0
    max_active_orders: int = 15
    max_parents_at_work: int = 25
    max_loop_lag_ms: float = 1_000.0
    max_consecutive_refusals: int = 10
    max_reject_percent: float = 20.0
    min_reject_messages: int = 10
    max_slippage_multiple: float = 5.0
    max_slippage_excess_ticks: float = 10.0
    min_slippage_fills: int = 10
    symbols: Mapping[str, Mapping[str, float]] = field(default_factory=FrozenMapping)
    _by_symbol: Mapping[str, "Limits"] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse limits that could not limit, and work out those of each symbol once, as every order asks for them."""
        for name in BOUNDS:
            check_limit(name, getattr(self, name))
        symbols = _checked_symbols(self.symbols)
        by_symbol = {}
        if symbols:
            common = dataclasses.replace(self, symbols=FrozenMapping())
            by_symbol = {symbol: dataclasses.replace(common, **dict(own)) for symbol, own in symbols.items()}
            by_symbol[ALL_SYMBOLS] = common
        object.__setattr__(self, "symbols", symbols)
        object.__setattr__(self, "_by_symbol", by_symbol)

    def for_symbol(self, symbol: str) -> "Limits":
        """Give the limits that hold for a symbol: its own, and those of all where it has none."""
        by_symbol = self._by_symbol
        return by_symbol.get(symbol, by_symbol[ALL_SYMBOLS]) if by_symbol else self

    @classmethod
    def from_toml(cls, path: Path | str) -> "Limits":
        """Read limits from a TOML file; what it does not name keeps its default.

        Parameters
        ----------
        path
            A file of ``name = number`` lines, at the top level or in a section ``[limits]``, with a section such as
            ``[symbols.ZO]`` for each symbol that has limits of its own.

        Raises
        ------
        LimitsError
            The file cannot be read, is not TOML, sets nothing, names an unknown limit or section, or holds a wrong
            value; the message names the file, the key, its line where it can be found, and the remedy.
        """
        values: dict[str, Any] = {}
        symbols: dict[str, dict[str, float]] = {}
        for entry in read_entries(Path(path)):
            try:
                value = check_limit(entry.name, entry.value, symbol=entry.symbol)
            except LimitsError as error:
                raise LimitsError(f"{entry.where}: {error}") from error
            own = values if entry.symbol is None else symbols.setdefault(entry.symbol, {})
            own[entry.name] = value
        return cls(**values, symbols=symbols)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a limit may be: a whole number or any, from `low` to `high`, in `unit`.

    Attributes
    ----------
    per_symbol
        Whether a symbol may have its own; not so for what all contracts of the account share.
    tighter
        The direction in which less is allowed.
    """

    low: float
    high: float
    unit: str
    whole: bool = False
    per_symbol: bool = True
    tighter: Literal["lower", "higher"] = "lower"

    def is_tighter(self, value: float, *, than: float) -> bool:
        """Whether `value` allows less than another."""
        return value < than if self.tighter == "lower" else value > than


BOUNDS: Mapping[str, Bounds] = {
    "max_daily_loss": Bounds(low=0, high=1e12, unit="cash", per_symbol=False),
    "max_drawdown_percent": Bounds(low=0, high=100, unit="%", per_symbol=False),
    "max_parent_loss": Bounds(low=0, high=1e12, unit="cash", per_symbol=False),
    "max_position_percent_of_equity": Bounds(low=0, high=10_000, unit="%"),
    "max_position_lots": Bounds(low=0, high=100_000, unit="lots", whole=True),
    "max_adv_percent": Bounds(low=0, high=100, unit="%"),
    "max_lots_unknown_adv": Bounds(low=0, high=100, unit="lots", whole=True),
    "max_lots_per_order": Bounds(low=0, high=10_000, unit="lots", whole=True),
    "max_lots_per_parent": Bounds(low=0, high=100_000, unit="lots", whole=True),
    "max_notional_per_order": Bounds(low=0, high=1e12, unit="cash"),
    "max_messages_per_parent": Bounds(low=0, high=100_000, unit="messages", whole=True),
    "collar_ticks": Bounds(low=0, high=10_000, unit="ticks", whole=True),
    "collar_percent": Bounds(low=0, high=100, unit="%"),
    "max_quote_age_s": Bounds(low=0, high=3_600, unit="s"),
    "max_reference_age_s": Bounds(low=0, high=3_600, unit="s"),
    "max_own_touch_age_s": Bounds(low=0, high=3_600, unit="s"),
    "max_messages_per_second": Bounds(low=0, high=45, unit="messages", whole=True, per_symbol=False),
    "max_clock_skew_s": Bounds(low=0, high=60, unit="s", per_symbol=False),
    "reset_window_s": Bounds(low=0, high=3_600, unit="s", per_symbol=False, tighter="higher"),
    "collar_last_percent": Bounds(low=0, high=100, unit="%"),
    "collar_settlement_percent": Bounds(low=0, high=100, unit="%"),
    "max_chase_percent": Bounds(low=0, high=100, unit="%"),
    "max_adv_percent_per_parent": Bounds(low=0, high=100, unit="%"),
    "max_notional_per_day": Bounds(low=0, high=1e12, unit="cash", per_symbol=False),
    "max_displayed_percent": Bounds(low=0, high=100_000, unit="%"),
    "max_position_lots_per_symbol": Bounds(low=0, high=100_000, unit="lots", whole=True),
    "max_gross_percent_of_equity": Bounds(low=0, high=10_000, unit="%", per_symbol=False),
    "max_equity_at_risk_percent": Bounds(low=0, high=100, unit="%", per_symbol=False),
    "max_margin_percent_of_equity": Bounds(low=0, high=100, unit="%", per_symbol=False),
    "max_spread_multiple": Bounds(low=1, high=1_000, unit="times"),
    "min_session_left_s": Bounds(low=0, high=3_600, unit="s", tighter="higher"),
    "close_out_days": Bounds(low=0, high=365, unit="days", whole=True, tighter="higher"),
    "notice_days": Bounds(low=0, high=365, unit="days", whole=True, tighter="higher"),
    "max_months_ahead": Bounds(low=0, high=120, unit="months", whole=True),
    "max_messages_per_lot": Bounds(low=0, high=1_000, unit="messages"),
    "max_active_orders": Bounds(low=1, high=20, unit="orders", whole=True),
    "max_parents_at_work": Bounds(low=1, high=1_000, unit="orders", whole=True, per_symbol=False),
    "max_loop_lag_ms": Bounds(low=1, high=60_000, unit="ms", per_symbol=False),
    "max_consecutive_refusals": Bounds(low=0, high=1_000, unit="refusals", whole=True, per_symbol=False),
    "max_reject_percent": Bounds(low=0, high=100, unit="%", per_symbol=False),
    "min_reject_messages": Bounds(low=1, high=200, unit="messages", whole=True, per_symbol=False),
    "max_slippage_multiple": Bounds(low=0, high=1_000, unit="times", per_symbol=False),
    "max_slippage_excess_ticks": Bounds(low=0, high=10_000, unit="ticks", per_symbol=False),
    "min_slippage_fills": Bounds(low=1, high=10_000, unit="fills", whole=True, per_symbol=False),
}
"""What each limit may be. Beyond 45 messages a second the client queues, and a cancel would wait behind orders."""


def check_limit(name: str, value: object, *, symbol: str | None = None) -> float:
    """Give a value back that may be this limit, of a symbol or of all.

    Raises
    ------
    LimitsError
        There is no such limit, it cannot be that of a single symbol, the symbol is none, or the value is out of its
        bounds.
    """
    if symbol is not None:
        check_symbol(symbol)
    bounds = BOUNDS.get(name)
    if bounds is None:
        raise LimitsError(unknown_limit(str(name), units={known: one.unit for known, one in BOUNDS.items()}))
    if symbol is not None and not bounds.per_symbol:
        raise LimitsError(
            f"limit {name} cannot be that of {symbol} alone, as all contracts of the account share what it limits; "
            f"set it for all"
        )
    named = f"limit {name}" if symbol is None else f"limit {name} of {symbol}"
    wanted = f"give {'a whole number' if bounds.whole else 'a number'} from {bounds.low:g} to {bounds.high:g}"
    # A bool is an int to Python, and no limit to a person.
    if isinstance(value, bool) or not isinstance(value, int | float) or (bounds.whole and isinstance(value, float)):
        raise LimitsError(f"{named} = {value!r} is of type {type(value).__name__}; {wanted} ({bounds.unit})")
    if not bounds.low <= value <= bounds.high:  # NaN is not within them either
        raise LimitsError(f"{named} = {value} {bounds.unit} is outside {bounds.low:g} to {bounds.high:g}; {wanted}")
    return value


def check_symbol(symbol: object) -> None:
    """Refuse what cannot be the symbol of a contract: its limits would never be asked for.

    Raises
    ------
    LimitsError
        It is empty, not in capitals, or a single month.
    """
    advice = "write the broker's symbol in capitals, such as ZO"
    if not isinstance(symbol, str) or not symbol.strip():
        raise LimitsError(f"{symbol!r} is no symbol; {advice}")
    if not _SYMBOL.fullmatch(symbol):
        capitals = symbol.strip().upper()
        near = f"write {capitals}" if _SYMBOL.fullmatch(capitals) else advice
        raise LimitsError(f"{symbol!r} is no symbol; {near}")
    month = _MONTH.fullmatch(symbol)
    if month is not None:
        raise LimitsError(f"{symbol!r} is a month; limits hold for all months of a symbol: write {month[1]}")


def _checked_symbols(symbols: object) -> FrozenMapping[str, FrozenMapping[str, Any]]:
    """A frozen copy of limits by symbol, in the order of the symbols, so that equal ones also look equal."""
    if not isinstance(symbols, Mapping):
        raise LimitsError(f'symbols = {symbols!r} is no mapping; give such as {{"ZO": {{"max_lots_per_order": 5}}}}')
    checked: dict[str, FrozenMapping[str, Any]] = {}
    for symbol, own in symbols.items():
        check_symbol(symbol)
        if not isinstance(own, Mapping) or not own:
            raise LimitsError(f"{symbol} sets no limit; give such as {{'max_lots_per_order': 5}}, or leave it out")
        checked[symbol] = FrozenMapping({name: check_limit(name, own[name], symbol=symbol) for name in own})
    return FrozenMapping(dict(sorted(checked.items())))
