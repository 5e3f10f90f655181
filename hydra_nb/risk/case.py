"""One order with all that its checks may look at."""

import math
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder
from hydra_nb.domain.units import Side
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import RiskSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one check sees: the order, the snapshot, the limits; nothing else.

    Attributes
    ----------
    parent_id
        The parent of a child; None for a parent, which has no id before it is accepted.
    lots
        Lots of the order in full, with what a modified order has booked.
    open_lots
        Lots that can still fill: what the order adds to working lots.
    order_lots
        Lots of the largest single order at the broker: of a child its own, of a parent that runs in slices
        twice a slice, as a slice may work what the one before left.
    price
        The limit price; of a parent the worst that its plan could use; None where there is none.
    messages
        Frames that the order sends at most.
    reference
        The reference mid of the snapshot, None also where it is not finite.
    lot_value
        Notional of one lot at the reference, in the account's currency; None without a reference or a rate of exchange.
    """

    action: Action
    parent_id: str | None
    account: str
    contract: FutureContract
    side: Side
    lots: int
    open_lots: int
    order_lots: int
    price: Decimal | None
    messages: int
    reference: Decimal | None
    lot_value: float | None
    snapshot: RiskSnapshot
    limits: Limits

    @property
    def acts_ns(self) -> int:
        """When it would first act: now, or at the start of a parent that begins later."""
        begins_ns = self.snapshot.begins_ns
        return self.snapshot.now_ns if begins_ns is None else begins_ns

    @classmethod
    def of_child(cls, child: ChildOrder, *, action: Action, snapshot: RiskSnapshot, limits: Limits) -> "Case":
        """Case of one child order, or of its modify."""
        reference = finite(snapshot.reference_mid)
        return cls(
            action=action,
            parent_id=child.parent_id,
            account=child.account,
            contract=child.contract,
            side=child.side,
            lots=child.lots,
            open_lots=child.lots - snapshot.order_booked_lots,
            order_lots=child.lots,
            price=child.limit_price,
            messages=1,
            reference=reference,
            lot_value=_lot_value(child.contract, reference=reference, rate=snapshot.exchange_rate),
            snapshot=snapshot,
            limits=limits,
        )

    @classmethod
    def of_parent(
        cls,
        parent: ParentOrder,
        *,
        lots: int,
        slices: int,
        price: Decimal | None,
        messages: int,
        snapshot: RiskSnapshot,
        limits: Limits,
    ) -> "Case":
        """Case of a parent order, were it one of `lots` lots in at most `slices` slices."""
        reference = finite(snapshot.reference_mid)
        return cls(
            action=Action.PARENT,
            parent_id=None,
            account=parent.account,
            contract=parent.contract,
            side=parent.side,
            lots=lots,
            open_lots=lots,
            order_lots=lots if slices <= 1 else min(lots, 2 * math.ceil(lots / slices)),
            price=price,
            messages=messages,
            reference=reference,
            lot_value=_lot_value(parent.contract, reference=reference, rate=snapshot.exchange_rate),
            snapshot=snapshot,
            limits=limits,
        )


def _lot_value(contract: FutureContract, *, reference: Decimal | None, rate: float | None) -> float | None:
    if reference is None or rate is None or not math.isfinite(rate):
        return None
    return float(contract.notional(reference, lots=1)) * rate


def finite(value: Decimal | None) -> Decimal | None:
    """`value`, or None where it is NaN or infinite: both mean that nothing is known."""
    return value if value is not None and value.is_finite() else None


def number(value: float | None) -> float | None:
    """`value`, or None where it is NaN or infinite."""
    return value if value is not None and math.isfinite(value) else None
