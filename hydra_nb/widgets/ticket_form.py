"""The left side of the ticket: its fields, what is wrong with them, the strategy's reason, and the order's value."""

from collections.abc import Callable

import ipywidgets

from hydra_nb.algos.routing import participation, route
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Strategy
from hydra_nb.widgets.fields import Fields
from hydra_nb.widgets.parts import escape
from hydra_nb.widgets.plan_parts import strategy_reason
from hydra_nb.widgets.ticket_strip import Market, order_value

Put = Callable[[ipywidgets.HTML, str], None]


class TicketForm(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The fields in two columns, with what follows from them.

    Attributes
    ----------
    hint, reason, value_view : ipywidgets.HTML
        What is wrong with the limit; the strategy and what speaks for it; the value of the order.
    """

    def __init__(self, fields: Fields, *, put: Put) -> None:
        self.fields = fields
        self._put = put
        self.hint, self.reason, self.value_view = (ipywidgets.HTML() for _ in range(3))
        for wide in (fields.instrument, fields.side, fields.strategy, self.hint, self.reason, self.value_view):
            wide.add_class("hy-wide")
        fields.side.add_class("hy-sides")
        self.value_view.add_class("hy-value")
        self.hint.add_class("hy-hint")
        self.reason.add_class("hy-hint")
        super().__init__(
            children=(
                fields.instrument,
                fields.side,
                fields.lots,
                fields.limit,
                self.hint,
                fields.strategy,
                self.reason,
                fields.duration,
                fields.slices,
                fields.jitter,
                fields.tag,
                self.value_view,
            ),
            _dom_classes=("hy-form",),
        )

    def show(self, market: Market | None, *, contract: FutureContract | None, refused: frozenset[str]) -> None:
        """Bring what follows from the fields up to date; `refused` names the fields that a check refuses."""
        fields = self.fields
        problem = fields.limit_problem(contract)
        self._put(self.hint, f'<span class="hy-bad">✕ {escape(problem)}</span>' if problem else "")
        for name in ("limit", "lots"):
            field, wrong = getattr(fields, name), name in refused or (name == "limit" and bool(problem))
            switch(field, "hy-wrong", on=wrong)
        self._put(self.reason, escape(self._reason(market)))
        lots = fields.lots.value
        limit, side = fields.sound_limit(contract), fields.chosen_side()
        self._put(self.value_view, "" if market is None else order_value(market, side=side, lots=lots, limit=limit))

    def _reason(self, market: Market | None) -> str:
        """The strategy that the fields lead to, and why: participation against ADV."""
        if market is None:
            return ""
        chosen, lots = self.fields.strategy.value, self.fields.lots.value
        forced = None if chosen == "auto" else Strategy(chosen)
        strategy = route(lots, adv_lots=market.adv_lots, forced=forced)
        words = strategy_reason(strategy, participation(lots, adv_lots=market.adv_lots), asked=forced is not None)
        return words if forced is not None else f"Auto: {words}"


def switch(part: ipywidgets.DOMWidget, name: str, *, on: bool) -> None:
    """Give a widget a class, or take it away; nothing is sent where it is so already."""
    if on:
        part.add_class(name)
    else:
        part.remove_class(name)
