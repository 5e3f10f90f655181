"""Open and completed orders on the wire: the longest messages of the protocol.

Both carry every attribute that IB knows of an order. This market has limit orders only, so most fields are constant:
``_absent`` writes what IB writes for an attribute that is not set.
"""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.sim.framing import encode
from hydra_nb.sim.records import Listing, OrderStatus, OrderTerms, OrderView, TimeInForce
from hydra_nb.sim.replies import UNSET, contract_fields, plain
from hydra_nb.sim.wire_time import execution_time, good_till_text

DURATION = 158  # first server version with each attribute at the end of an open order
POST_TO_ATS = 160
AUTO_CANCEL_PARENT = 162
PEG_OFFSETS = 170
FA_PROFILE_DROPPED = 177


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What an order would change, in the account's currency."""

    initial_before: Decimal
    initial_after: Decimal
    maintenance_before: Decimal
    maintenance_after: Decimal
    equity: Decimal
    commission: Decimal
    currency: str


def open_order(order: OrderView, *, listing: Listing, server_version: int) -> bytes:
    """5: an order as it works now."""
    state = [order.status.value, *[UNSET] * 9, "", "", "", "", ""]  # margins, commissions, currency, warning
    return _open_order(order.terms, order.perm_id, listing=listing, state=state, what_if=False, version=server_version)


def what_if(terms: OrderTerms, *, listing: Listing, margin: Margin, server_version: int) -> bytes:
    """5: the answer to a what-if order, which is never placed."""
    state = [
        OrderStatus.PRE_SUBMITTED.value,
        plain(margin.initial_before),
        plain(margin.maintenance_before),
        plain(margin.equity),
        plain(margin.initial_after - margin.initial_before),
        plain(margin.maintenance_after - margin.maintenance_before),
        "0",
        plain(margin.initial_after),
        plain(margin.maintenance_after),
        plain(margin.equity),
        plain(margin.commission),
        "",  # smallest
        "",  # and largest commission
        margin.currency,
        "",  # warning
    ]
    return _open_order(terms, 0, listing=listing, state=state, what_if=True, version=server_version)


def completed_order(order: OrderView, *, listing: Listing, server_version: int) -> bytes:
    """101: an order that is done; the message carries no order id and no client id."""
    terms = order.terms
    return encode(
        [
            101,
            *contract_fields(listing),
            *_what_it_is(terms),
            order.perm_id,
            *_absent("0 0 0 _"),  # outside RTH, hidden, discretionary amount, good after time
            *_absent("_ _ _" if server_version >= FA_PROFILE_DROPPED else "_ _ _ _"),  # financial advisor
            "",  # model code
            good_till_text(terms.good_till_ns),
            *_absent("_ U _ 0 _ -1"),  # rule 80A, percent offset, settling firm, short sale slot, location, exempt code
            *_absent("0 0 0 0 0 U"),  # starting and reference price, delta, stock range, display size
            *_absent("0 0 U 3 0"),  # sweep to fill, all or none, smallest quantity, OCA type, trigger method
            *_absent("U 0 _ U"),  # volatility and its type, delta neutral order and price
            *_absent("0 0 U U _"),  # continuous update, reference price, trail stop and percent, combination
            *_absent("0 0 0"),  # legs, order legs, routing parameters
            *_absent("U U U _"),  # scale sizes and increment, hedge
            *_absent("_ IB 0 0 _"),  # clearing account and intent, not held, delta neutral contract, algorithm
            *_absent("0"),  # solicited
            order.status.value,
            *_absent("0 0 0"),  # randomised size and price, conditions
            *_absent(
                "U U U 0 0 _"
            ),  # trail stop, limit offset, cash quantity, hedge price, container, auto cancel date
            order.filled_lots,
            *_absent("0 0 _ 0 0 0"),  # reference future, auto cancel parent, shareholder, imbalance, routing, parent
            execution_time(order.completed_ns or order.submitted_ns),
            _completed_text(order),
            *(_absent("U U U U U") if server_version >= PEG_OFFSETS else []),
        ]
    )


def _open_order(
    terms: OrderTerms, perm_id: int, *, listing: Listing, state: list[str], what_if: bool, version: int
) -> bytes:
    return encode(
        [
            5,
            terms.order_id,
            *contract_fields(listing),
            *_what_it_is(terms),
            terms.client_id,
            perm_id,
            *_absent("0 0 0 _ _"),  # outside RTH, hidden, discretionary amount, good after time, shares allocation
            *_absent("_ _ _" if version >= FA_PROFILE_DROPPED else "_ _ _ _"),  # financial advisor
            "",  # model code
            good_till_text(terms.good_till_ns),
            *_absent("_ U _ 0 _ -1"),  # rule 80A, percent offset, settling firm, short sale slot, location, exempt code
            *_absent("0 U U U U U"),  # auction strategy, starting and reference price, delta, stock range
            *_absent("U 0 0 0 U 3"),  # display size, block, sweep, all or none, smallest quantity, OCA type
            *_absent("0 0 U 0 0"),  # electronic only, firm quote, price cap, parent, trigger method
            *_absent("U 0 _ U"),  # volatility and its type, delta neutral order and price
            *_absent("0 0 U U U U _"),  # continuous update, reference price, trail stop and percent, basis, combination
            *_absent("0 0 0"),  # legs, order legs, routing parameters
            *_absent("U U U _"),  # scale sizes and increment, hedge
            *_absent("0 _ IB 0 0 _"),  # opt out, clearing account, intent, not held, delta neutral contract, algorithm
            "0",  # solicited
            "1" if what_if else "0",
            *state,
            *_absent("0 0 0"),  # randomised size and price, conditions
            *_absent("_ U U U U U U 0"),  # adjusted order type, trigger, trail, offset, adjusted prices, unit
            *_absent("_ _ _"),  # soft dollar tier
            *_absent("0 0 0 0 0"),  # cash quantity, hedge price, container, discretionary up to limit, price management
            *(_absent("U") if version >= DURATION else []),
            *(_absent("U") if version >= POST_TO_ATS else []),
            *(_absent("0") if version >= AUTO_CANCEL_PARENT else []),
            *(_absent("U U U U U") if version >= PEG_OFFSETS else []),
        ]
    )


def _what_it_is(terms: OrderTerms) -> list[object]:
    """Fields from the action to the order reference, alike in both messages."""
    tif = TimeInForce.GTD if terms.good_till_ns is not None else terms.tif
    return [
        terms.side.value,
        terms.lots,
        "LMT",
        plain(terms.limit_price),
        "0.0",  # auxiliary price
        tif.value,
        "",  # OCA group
        terms.account,
        "",  # open or close
        "0",  # origin: customer
        terms.order_ref,
    ]


def _completed_text(order: OrderView) -> str:
    if order.status is OrderStatus.FILLED:
        return f"Filled Size: {order.filled_lots}"
    expiry = order.terms.good_till_ns
    has_expired = expiry is not None and order.completed_ns is not None and order.completed_ns >= expiry
    return "Cancelled by expiry" if has_expired else "Cancelled by Trader"


def _absent(pattern: str) -> list[str]:
    """Spell out fields that are not set: ``_`` a text, ``U`` a number, both empty on the wire; else the word itself."""
    return ["" if word in {"_", "U"} else word for word in pattern.split()]
