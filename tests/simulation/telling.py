"""Words for what the checker saw last."""

from collections.abc import Iterable
from typing import Any

from hydra_nb.domain.events import Event
from hydra_nb.sim.records import Executed, OrderChanged

WIDTH = 260


def tell_last(last: Iterable[tuple[float, str, Any]]) -> list[str]:
    """One line for each."""
    return [f"{at_s:12.6f}  {what:8}  {_words(told)}"[:WIDTH] for at_s, what, told in last]


def _words(told: Any) -> str:
    match told:
        case (Event() as event, actions):
            asked = f"  ->  {', '.join(_short(action) for action in actions)}" if actions else ""
            return f"{_short(event)}{asked}"
        case OrderChanged():
            order = told.order
            lots = f"{order.filled_lots}/{order.terms.lots}"
            return f"order {order.terms.order_ref} perm {order.perm_id} {order.status} {lots}"
        case Executed():
            fill = told.execution
            return f"fill {fill.exec_id} {fill.order_ref} {fill.lots} @ {fill.price}"
    return str(told)


def _short(value: Any) -> str:
    """A dataclass without what everybody knows."""
    shown = []
    for name in type(value).__dataclass_fields__:
        field = getattr(value, name)
        if name == "event":
            shown.append(_short(field))
        elif name == "child":
            shown.append(f"{field.order_ref} id {field.order_id} {field.lots} @ {field.limit_price} {field.stage}")
        elif name not in ("time_ns", "quote", "plan", "content_hash", "predicted_slippage", "predictor_version"):
            shown.append(f"{name}={field}")
    return f"{type(value).__name__}({', '.join(shown)})"
