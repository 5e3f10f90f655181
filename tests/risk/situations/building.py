"""Cases that differ from one that passes every check by what is given."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.risk.case import Case
from hydra_nb.risk.limits import Limits
from tests.risk.making import EXPOSURE, NOW_NS, OATS, MarginTold, make_child, make_quote, make_snapshot

NAN = float("nan")
SEVEN_LEFT_NS = OATS.sessions[0].close_ns - 7 * NS_PER_S
CHICAGO_MIDNIGHT_NS = NOW_NS + 15 * 3_600 * NS_PER_S
NEW_YORK_2344_NS = NOW_NS + (13 * 60 + 44) * 60 * NS_PER_S


def at(
    price: str | None = "370",
    *,
    side: Side = Side.BUY,
    case: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    quote: Mapping[str, Any] | None = MappingProxyType({}),
    **snapshot: Any,
) -> Case:
    """A child of 3 oats at a price, but for what is given of the case, the limits, the quote and the snapshot."""
    snapshot["quote"] = None if quote is None else make_quote(**quote)
    made = Case.of_child(
        make_child(side=side),
        action=Action.PLACE,
        snapshot=make_snapshot(**snapshot),
        limits=Limits(**(limits or {})),
    )
    return dataclasses.replace(made, price=None if price is None else Decimal(price), **(case or {}))


def sells(price: str | None = "370", **given: Any) -> Case:
    """The same of an order to sell."""
    return at(price, side=Side.SELL, **given)


def unquoted(price: str = "370", **snapshot: Any) -> Case:
    """The same without any quote, by the last mid."""
    return at(price, **{**snapshot, "quote": None})


def lots(number: int, **given: Any) -> Case:
    """An order of so many lots."""
    return at(case={"lots": number, "open_lots": number, "order_lots": number}, **given)


def trip(breaker: str, *, unit: str, reason: str, **position: Any) -> dict[str, BreakerTripped]:
    """A trip of ninety seconds ago, at 12.5 where 10.5 were allowed."""
    return {
        breaker: BreakerTripped(
            time_ns=NOW_NS - 90 * NS_PER_S,
            breaker=breaker,
            observed=12.5,
            limit=10.5,
            unit=unit,
            reason=reason,
            **position,
        )
    }


def day(year: int, month: int, number: int) -> dict[str, Any]:
    """The contract trades last on a day; it is 3 March 2026 at the exchange."""
    return {"case": {"contract": dataclasses.replace(OATS, last_trade_date=dt.date(year, month, number))}}


def held(position: int, buys: int = 0, sells: int = 0, **given: Any) -> dict[str, Any]:
    """A position, and lots at work on either side."""
    return {"position_lots": position, "working_buy_lots": buys, "working_sell_lots": sells, **given}


def months(position: int | None, buys: int = 0, sells: int = 0) -> dict[str, Any]:
    """Position and lots at work over all months of the symbol."""
    exposure = dataclasses.replace(
        EXPOSURE, symbol_position_lots=position, symbol_buy_lots=buys, symbol_sell_lots=sells
    )
    return {"exposure": exposure}


def others(*, notional: float | None = 0.0, at_risk: float | None = 0.0) -> dict[str, Any]:
    """What all other contracts come to."""
    return {"exposure": dataclasses.replace(EXPOSURE, others_notional=notional, others_at_risk=at_risk)}


def margin(lots: int, before: float, change: float, **given: Any) -> dict[str, Any]:
    """The broker's answer to the what-if."""
    return {"margin": MarginTold(lots=lots, before=before, change=change), **given}


NOTHING = {"no price": at(None), "price NaN": at("NaN")}
POSITION = {"con_id": 101, "local_symbol": "ZOK6", "side": Side.BUY}
VALUELESS = {"case": {"lot_value": 0.0}}
UNVALUED = {"reference_mid": None}
EQUITY = {"equity": Decimal(100_000)}
BROKE = {"equity": Decimal(-2_500)}
