"""The fields of the order ticket, and what they say as the arguments of a preview."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import ipywidgets

from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder

SUGGESTIONS = ("ZO", "ZR", "KE", "LBR", "GF", "HE", "OJ", "PA", "PL", "DA", "CSC", "CB")
MOST_LOTS = 9_999
MOST_SLICES = 999


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
    def complete(self) -> bool:
        """Whether a contract, a side and lots are given."""
        return bool(self.instrument.value.strip()) and self.side.value is not None

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


def make_fields(symbol: str) -> Fields:
    """The fields as a person finds them: no side chosen, one lot, the defaults of the contract."""
    return Fields(
        instrument=ipywidgets.Combobox(
            value=symbol,
            options=tuple(dict.fromkeys((symbol, *SUGGESTIONS))),
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
        jitter=ipywidgets.BoundedIntText(value=20, min=0, max=100, description="Jitter, ± % of a gap"),
        tag=ipywidgets.Text(description="Tag", placeholder="none"),
    )


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
