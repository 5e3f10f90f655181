"""The limits that the gate holds every order against."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hydra_nb.errors import LimitsError

_ADVICE = "see docs/checks.md for the limits there are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the risk gate; a value that equals its limit passes.

    The defaults suit a small or medium account that trades a few lots of thin futures. Cash is in the
    account's currency; a contract in another currency is refused by a check of its own.

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
    max_consecutive_refusals
        Hard refusals of the gate in a row.
    max_reject_percent, min_reject_messages
        Percent of the last hour's places and modifies that the broker may reject, judged from so many on.
    max_slippage_multiple, max_slippage_excess_ticks, min_slippage_fills
        What a lot of today's fills may cost on average: a multiple of what was predicted and so many ticks on top,
        judged from so many fills on.

    Raises
    ------
    LimitsError
        A limit is of the wrong type, not finite, or out of its bounds.
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
    max_consecutive_refusals: int = 10
    max_reject_percent: float = 20.0
    min_reject_messages: int = 10
    max_slippage_multiple: float = 5.0
    max_slippage_excess_ticks: float = 10.0
    min_slippage_fills: int = 10

    def __post_init__(self) -> None:
        """Refuse limits that could not limit."""
        for name, bounds in BOUNDS.items():
            _check_value(name, getattr(self, name), bounds=bounds)

    @classmethod
    def from_toml(cls, path: Path | str) -> "Limits":
        """Read limits from a TOML file; what it does not name keeps its default.

        Parameters
        ----------
        path
            A file of ``name = number`` lines, at the top level or in one table ``[limits]``.

        Raises
        ------
        LimitsError
            The file cannot be read, is not TOML, names an unknown limit, or holds a wrong value; the
            message names the file, the key, and its line where it can be found.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LimitsError(f"limits file {path} cannot be read: {error}; give the path of a TOML file") from error
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise LimitsError(
                f"limits file {path} is not TOML: {error}; write lines such as collar_ticks = 20"
            ) from error
        values = table["limits"] if set(table) == {"limits"} and isinstance(table["limits"], dict) else table
        for name, value in values.items():
            where = f"{path}{_line_of(name, text=text)}"
            if name not in BOUNDS:
                raise LimitsError(f"{where}: unknown limit {name!r}; {_ADVICE}")
            try:
                _check_value(name, value, bounds=BOUNDS[name])
            except LimitsError as error:
                raise LimitsError(f"{where}: {error}") from error
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a limit may be: a whole number or any, from `low` to `high`, in `unit`."""

    low: float
    high: float
    unit: str
    whole: bool = False


BOUNDS: Mapping[str, Bounds] = {
    "max_daily_loss": Bounds(low=0, high=1e12, unit="cash"),
    "max_drawdown_percent": Bounds(low=0, high=100, unit="%"),
    "max_parent_loss": Bounds(low=0, high=1e12, unit="cash"),
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
    "max_messages_per_second": Bounds(low=0, high=45, unit="messages", whole=True),
    "max_clock_skew_s": Bounds(low=0, high=60, unit="s"),
    "reset_window_s": Bounds(low=0, high=3_600, unit="s"),
    "max_consecutive_refusals": Bounds(low=0, high=1_000, unit="refusals", whole=True),
    "max_reject_percent": Bounds(low=0, high=100, unit="%"),
    "min_reject_messages": Bounds(low=1, high=200, unit="messages", whole=True),
    "max_slippage_multiple": Bounds(low=0, high=1_000, unit="times"),
    "max_slippage_excess_ticks": Bounds(low=0, high=10_000, unit="ticks"),
    "min_slippage_fills": Bounds(low=1, high=10_000, unit="fills", whole=True),
}
"""What each limit may be. Beyond 45 messages a second the client queues, and a cancel would wait behind orders."""


def _check_value(name: str, value: object, *, bounds: Bounds) -> None:
    wanted = f"give {'a whole number' if bounds.whole else 'a number'} from {bounds.low:g} to {bounds.high:g}"
    # A bool is an int to Python, and no limit to a person.
    if isinstance(value, bool) or not isinstance(value, int | float) or (bounds.whole and isinstance(value, float)):
        raise LimitsError(f"limit {name} = {value!r} is of type {type(value).__name__}; {wanted} ({bounds.unit})")
    if not math.isfinite(value) or not bounds.low <= value <= bounds.high:
        raise LimitsError(
            f"limit {name} = {value} {bounds.unit} is outside {bounds.low:g} to {bounds.high:g}; {wanted}"
        )


def _line_of(name: str, *, text: str) -> str:
    """Line of a key as ``":3"``, or nothing where the key cannot be found at the start of a line."""
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, _ = line.partition("=")
        if equals and key.strip().strip("\"'") == name:
            return f":{number}"
    return ""
