"""The gate that every order passes.

The gate seals what it approves in a table of its own, keyed by the identity of the `Approved`. Only that
very object can be redeemed, once, within two seconds, while its content is what was checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder
from hydra_nb.errors import SendRefused, invariant
from hydra_nb.risk.case import Case
from hydra_nb.risk.checks import CHILD_CHECKS
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import RiskSnapshot
from hydra_nb.risk.verdict import Approved, Decision, Refused, WouldPass
from hydra_nb.risk.whole_order import check_whole, search

APPROVAL_LIFE_NS = 2_000_000_000
"""Host time for which an approval can be redeemed."""

MAX_APPROVALS = 1_024
"""Approvals that are kept at most; beyond it the oldest is dropped, and can no more be redeemed."""


@dataclass(slots=True, kw_only=True)
class _Seal:
    """What was approved, and when. It holds the `Approved` itself, so that no other object gets its identity."""

    approved: Approved
    child: ChildOrder
    action: Action
    content_hash: str
    host_ns: int
    redeemed: bool = False


class RiskGate:
    """Checks orders against limits, and seals what passes.

    Parameters
    ----------
    limits
        The limits in force until others are; each order is held against those of its symbol.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seals: dict[int, _Seal] = {}

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._limits

    def hold_to(self, limits: Limits) -> None:
        """Hold every order against other limits, from the next check on."""
        self._limits = limits

    def check(self, child: ChildOrder, *, action: Action, snapshot: RiskSnapshot) -> Approved | Refused:
        """Make every check of a child order, or of its modify, and seal the approval.

        Parameters
        ----------
        child
            The order as it would go on the wire.
        action
            `Action.PLACE` or `Action.MODIFY`.
        snapshot
            Market, account and desk, without this very order among what works.

        Returns
        -------
        Approved or Refused
            Both hold all decisions. A refusal is a value: nothing is raised for it.
        """
        invariant(action is not Action.PARENT, "a parent order is checked by check_parent, and never sealed")
        case = Case.of_child(
            child, action=action, snapshot=snapshot, limits=self._limits.for_symbol(child.contract.symbol)
        )
        decisions = tuple([check(case) for check in CHILD_CHECKS])
        for decision in decisions:
            if not decision.allowed:
                return _refused(decisions)
        approved = Approved(child=child, action=action, content_hash=child.content_hash, decisions=decisions)
        self._seal(approved, host_ns=snapshot.host_ns)
        return approved

    def check_parent(
        self,
        parent: ParentOrder,
        *,
        snapshot: RiskSnapshot,
        first_price: Decimal | None,
        worst_price: Decimal | None,
        messages: int,
        slices: int = 1,
    ) -> tuple[Decision, ...]:
        """Make every check of a parent order; nothing is sealed.

        Parameters
        ----------
        first_price, worst_price
            The prices at which its plan would begin, and the worst that it could use; both are checked, and
            a check tells of the first price only where that one is refused. None where no mid is known.
        messages
            Frames that its plan sends at most.
        slices
            Slices that its plan has, or even ones as large as its largest; a slice may hold twice its even share of
            the lots.

        Returns
        -------
        tuple of Decision
            One a check, in the order of the table of checks.
        """
        return check_whole(
            parent,
            lots=parent.lots,
            slices=slices,
            prices=(worst_price, first_price),
            messages=messages,
            snapshot=snapshot,
            limits=self._limits.for_symbol(parent.contract.symbol),
        )

    def verdict(self, decisions: Sequence[Decision]) -> Refused | None:
        """Refusal over all decisions; None where every check passed."""
        invariant(bool(decisions), "a verdict over no decision")
        return None if all(decision.allowed for decision in decisions) else _refused(tuple(decisions))

    def would_pass(
        self,
        parent: ParentOrder,
        *,
        snapshot: RiskSnapshot,
        first_price: Decimal | None,
        worst_price: Decimal | None,
        messages: int,
        slices: int = 1,
    ) -> WouldPass:
        """Tell which lots, which price and which time all checks together would allow.

        The parameters are those of `check_parent`; what the values mean says `WouldPass`. A price takes the
        place of both prices of the plan.
        """
        return search(
            parent,
            slices=slices,
            prices=(worst_price, first_price),
            messages=messages,
            snapshot=snapshot,
            limits=self._limits.for_symbol(parent.contract.symbol),
        )

    def redeem(self, approved: Approved, *, host_ns: int) -> str:
        """Spend an approval, just before its order is sent, and give the hash of what was approved.

        Parameters
        ----------
        approved
            The very object that `check` returned.
        host_ns
            Host time now, on the clock of the snapshot's `host_ns`.

        Returns
        -------
        str
            The content hash that was sealed. The frame is held against it: approval and order are objects that the
            caller has in hand, and Python lets anybody change them.

        Raises
        ------
        SendRefused
            The object is not one of this gate's, was redeemed before, is older than 2 s, or its order is
            not what was checked. Nothing may be sent.
        """
        seal = self._seals.get(id(approved))
        if seal is None or seal.approved is not approved:
            raise SendRefused(
                "this approval is not one that the gate holds: it is a copy, was made by hand, or is older than 2 s; "
                "have the order checked again"
            )
        if seal.redeemed:
            raise SendRefused("this approval was redeemed before, and one approval sends one message; check again")
        # Whatever comes of the following, this approval is spent: a second try needs a second check.
        seal.redeemed = True
        age_ns = host_ns - seal.host_ns
        if not 0 <= age_ns <= APPROVAL_LIFE_NS:
            raise SendRefused(f"this approval is {age_ns / 1e9:.3f} s old, 0 to 2 s allowed; check the order again")
        if approved.child is not seal.child or approved.action is not seal.action:
            raise SendRefused("the approval's order or action was exchanged after the check; check the order again")
        if not seal.content_hash == approved.content_hash == approved.child.content_hash:
            raise SendRefused("the order was changed after the check; check the order again")
        return seal.content_hash

    def _seal(self, approved: Approved, *, host_ns: int) -> None:
        """Keep an approval, and drop those that nobody can redeem any more."""
        seals = self._seals
        while seals:
            key = next(iter(seals))
            if len(seals) < MAX_APPROVALS and 0 <= host_ns - seals[key].host_ns <= APPROVAL_LIFE_NS:
                break
            del seals[key]
        seals[id(approved)] = _Seal(
            approved=approved,
            child=approved.child,
            action=approved.action,
            content_hash=approved.content_hash,
            host_ns=host_ns,
        )


def _refused(decisions: tuple[Decision, ...]) -> Refused:
    refusing = [decision for decision in decisions if not decision.allowed]
    decisive = next((decision for decision in refusing if not decision.transient), refusing[0])
    return Refused(decisions=decisions, decisive=decisive)
