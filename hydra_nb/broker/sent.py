"""What this client id has sent, so that no order is sent as new twice and every report finds its order."""

from dataclasses import dataclass

from hydra_nb.domain.orders import Action, ChildOrder
from hydra_nb.errors import SendRefused

_WIRE_DEAD = frozenset({"Cancelled", "ApiCancelled"})
_WIRE_FILLED = "Filled"
WIRE_OVER = _WIRE_DEAD | {_WIRE_FILLED}
"""Status words after which an order takes no modify."""


@dataclass(slots=True)
class _Sent:
    child: ChildOrder
    is_over: bool = False


class SentOrders:
    """Orders of this client id, by reference, order id and permanent id; across restarts too, once told of them."""

    def __init__(self) -> None:
        self._by_ref: dict[str, _Sent] = {}
        self._ref_of_order: dict[int, str] = {}
        self._ref_of_perm: dict[int, str] = {}

    def note(self, child: ChildOrder) -> None:
        """Remember the latest content of an order that is, or may have been, sent."""
        known = self._by_ref.get(child.order_ref)
        if known is None:
            self._by_ref[child.order_ref] = _Sent(child)
            self._ref_of_order.setdefault(child.order_id, child.order_ref)
        else:
            known.child = child

    def check(self, child: ChildOrder, *, action: Action) -> None:
        """Refuse a second PLACE of a reference or an order id, and a MODIFY of what is not there to modify.

        Raises
        ------
        SendRefused
            Saying which.
        """
        known = self._by_ref.get(child.order_ref)
        if action is Action.PLACE:
            if known is not None:
                raise SendRefused(f"order {child.order_ref} was sent before; an order is sent as new once")
            if child.order_id in self._ref_of_order:
                raise SendRefused(
                    f"order id {child.order_id} belongs to {self._ref_of_order[child.order_id]};"
                    " every order needs one of its own"
                )
            return
        if action is not Action.MODIFY:
            raise SendRefused(f"an approval for {action} sends nothing; only place and modify do")
        if known is None:
            raise SendRefused(f"order {child.order_ref} was not sent by this client; it cannot be modified")
        if known.is_over:
            raise SendRefused(f"order {child.order_ref} is over; it cannot be modified")
        before = known.child
        if (before.order_id, before.contract.con_id, before.side, before.lots) != (
            child.order_id,
            child.contract.con_id,
            child.side,
            child.lots,
        ):
            raise SendRefused(f"a modify of {child.order_ref} may change limit price and expiry only")

    def knows(self, order_ref: str) -> bool:
        """Whether this client id sent an order of that reference."""
        return order_ref in self._by_ref

    def ref_of_order(self, order_id: int) -> str | None:
        """Reference of the order that we sent with an id; None for the id of anything else."""
        return self._ref_of_order.get(order_id)

    def ref_of_perm(self, perm_id: int) -> str | None:
        """Reference that the broker reported with a permanent id."""
        return self._ref_of_perm.get(perm_id)

    def learn_perm(self, perm_id: int, *, order_ref: str) -> None:
        """The broker named an order by reference and permanent id together."""
        if perm_id > 0 and order_ref:
            self._ref_of_perm[perm_id] = order_ref

    def learn_status(self, order_ref: str, *, status: str) -> None:
        """The wire's own word of an order; an error code is none."""
        known = self._by_ref.get(order_ref)
        if known is not None:
            known.is_over = known.is_over or status in WIRE_OVER  # a late status revives nothing
