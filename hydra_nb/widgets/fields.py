"""The fields of the order ticket, and what they say as the arguments of a preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import ipywidgets

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder

MOST_LOTS = 9_999
MOST_SLICES = 500
MOST_JITTER = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The ticket's fields, in the order in which Tab visits them."""

    instrument: ipywidgets.Combobox
    side: ipywidgets.ToggleButtons
    lots: ipywidgets.BoundedIntText
    limit: ipywidgets.Text
    strategy: ipywidgets.ToggleButtons
    duration: ipywidgets.Text
    slices: ipywidgets.BoundedIntText
    jitter: ipywidgets.BoundedIntText
    tag: ipywidgets.Text

    @property
    def all(self) -> tuple[ipywidgets.DOMWidget, ...]:
        """All fields, in order."""
        return (
            self.instrument,
            self.side,
            self.lots,
            self.limit,
            self.strategy,
            self.duration,
            self.slices,
            self.jitter,
            self.tag,
        )

    @property
    def code(self) -> str:
        """The contract's code: the first word of what was typed, or chosen from the list, whose names follow it."""
        words = self.instrument.value.split()
        return words[0].upper() if words else ""

    @property
    def complete(self) -> bool:
        """Whether a contract, a side and lots are given."""
        return bool(self.code) and self.side.value is not None

    def required_side(self) -> Side:
        """The side that is pressed; raises `InvalidOrder` before the first choice."""
        side = self.chosen_side()
        if side is None:
            raise InvalidOrder("no side is chosen: pick BUY or SELL")
        return side

    def chosen_side(self) -> Side | None:
        """The side that is pressed; None before the first choice."""
        return None if self.side.value is None else Side(self.side.value)

    def how(self) -> dict[str, Any]:
        """The fields as keywords of a preview; an empty field is None.

        Raises
        ------
        InvalidOrder
            Where the limit is no number.
        """
        return {
            "strategy": self.strategy.value,
            "slices": self.slices.value,
            "duration": self.duration.value.strip() or None,
            "jitter": self.jitter.value / 100,
            "limit": parse_limit(self.limit.value),
            "tag": self.tag.value.strip() or None,
        }

    def sound_limit(self, contract: FutureContract | None) -> Decimal | None:
        """The limit, where one is given that can be sent; None otherwise."""
        try:
            limit = parse_limit(self.limit.value)
        except InvalidOrder:
            return None
        return limit if limit is None or contract is None or contract.is_on_tick(limit) else None

    def limit_problem(self, contract: FutureContract | None) -> str:
        """What is wrong with the limit, with the nearest prices on tick; empty where nothing is."""
        try:
            limit = parse_limit(self.limit.value)
        except InvalidOrder as error:
            text = str(error)
            return f"{text[:1].upper()}{text[1:]}."
        if limit is None or contract is None or contract.is_on_tick(limit):
            return ""
        low, high = (contract.format_price(price) for price in contract.nearest_ticks(limit))
        return f"{self.limit.value.strip()} is off the {contract.tick} tick; nearest {low} or {high}."

    def step_limit(self, contract: FutureContract, *, up: bool, mid: Decimal | None) -> None:
        """Move the limit by one tick; an empty one begins at the mid, and what is off tick goes to the next price."""
        try:
            limit = parse_limit(self.limit.value)
        except InvalidOrder:
            return
        start = mid if limit is None else limit
        if start is None:
            return
        low, high = contract.nearest_ticks(start)
        nearest = high if up else low
        moved = nearest if limit is None or low != high else nearest + (contract.tick if up else -contract.tick)
        self.limit.value = f"{moved:.{contract.decimals}f}"


def make_fields(symbol: str, *, options: Sequence[str]) -> Fields:
    """The fields as a person finds them: no side chosen, one lot, the defaults of the contract.

    Parameters
    ----------
    symbol
        What the instrument field shows first.
    options
        Names to choose from, the code first.
    """
    fields = Fields(
        instrument=ipywidgets.Combobox(
            value=symbol,
            options=tuple(options),
            ensure_option=False,
            continuous_update=False,
            description="Instrument",
        ),
        side=ipywidgets.ToggleButtons(
            options=(("▲ BUY", Side.BUY.value), ("▼ SELL", Side.SELL.value)), value=None, description="Side"
        ),
        lots=ipywidgets.BoundedIntText(value=1, min=1, max=MOST_LOTS, description="Lots"),
        limit=ipywidgets.Text(description="Limit, never passed", placeholder="none"),
        strategy=ipywidgets.ToggleButtons(
            options=(("Auto", "auto"), ("Patience", "limit_patience"), ("TWAP", "twap")), description="Strategy"
        ),
        duration=ipywidgets.Text(description="Duration", placeholder="slices × 10 min"),
        slices=ipywidgets.BoundedIntText(value=5, min=1, max=MOST_SLICES, description="Slices"),
        jitter=ipywidgets.BoundedIntText(value=20, min=0, max=MOST_JITTER, description="Jitter, ± % of a gap"),
        tag=ipywidgets.Text(description="Tag", placeholder="none"),
    )
    fields.limit.add_class("hy-tick")
    return fields


def parse_limit(text: str) -> Decimal | None:
    """The price that a person typed; None for an empty field. A true minus and a comma of thousands are understood.

    Raises
    ------
    InvalidOrder
        Where it is no finite number.
    """
    cleaned = text.strip().replace("−", "-")
    if not cleaned:
        return None
    if "," in cleaned and "." not in cleaned:
        raise InvalidOrder(f"limit {text.strip()!r} is unclear: write a decimal point, as in 370.25")
    try:
        price = Decimal(cleaned.replace(",", ""))
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite():
        raise InvalidOrder(f"limit {text.strip()!r} is not a price; write it as 370.25, or leave it empty")
    return price
