"""Situations for every check, whose figures differ on purpose; what the check decides in each is in decisions.txt."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.risk.case import Case
from hydra_nb.risk.limits import Limits

from .making import EXPOSURE, NOW_NS, OATS, MarginTold, make_child, make_quote, make_snapshot

NAN = float("nan")
SEVEN_LEFT_NS = OATS.sessions[0].close_ns - 7 * NS_PER_S
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


def others(*, notional: float = 0.0, at_risk: float = 0.0) -> dict[str, Any]:
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

SITUATIONS: dict[str, dict[str, Case]] = {
    "kill_switch": {"off": at(), "on": at(killed="by hand")},
    "contract_locked": {"not locked": at(), "locked": at(locked="a fill that nobody sent")},
    "journal_healthy": {"good": at(), "full disk": at(journal_healthy=False)},
    "account": {
        "the desk's": at(),
        "another": at(account="SIM7654321"),
        "none": at(account="", case={"account": ""}),
    },
    "currency": {
        "the same": at(exchange_rate=None),
        "another, with a rate": at(currency="EUR", exchange_rate=0.92),
        "another, without": at(currency="EUR", exchange_rate=None),
        "a rate of 0": at(currency="EUR", exchange_rate=0.0),
        "a rate of half": at(currency="EUR", exchange_rate=0.5),
        "a rate that is no number": at(currency="EUR", exchange_rate=NAN),
        "of the account unknown": at(currency="", exchange_rate=1.0),
        "of both unknown": at(
            currency="", exchange_rate=1.0, case={"contract": dataclasses.replace(OATS, currency="")}
        ),
        "of the contract unknown": at(
            currency="USD", exchange_rate=None, case={"contract": dataclasses.replace(OATS, currency="")}
        ),
    },
    "repeated_order": {"none": at(), "itself": at(equal_parent="P-0001"), "another": at(equal_parent="P-0007")},
    "connection": {
        "up": at(),
        "1100": at(connection=ConnectionState.DEGRADED),
        "down": at(connection=ConnectionState.DOWN),
    },
    "reconciled": {"yes": at(), "no": at(reconciled=False)},
    "gateway_reset": {
        "far": at(),
        "a minute and a half before, by half a second": at(now_ns=NEW_YORK_2344_NS - 30_500_000_000),
        "two and a half minutes after": at(now_ns=NEW_YORK_2344_NS + 210 * NS_PER_S),
        "14 minutes after, so short of midnight": at(
            now_ns=NEW_YORK_2344_NS + 900 * NS_PER_S, limits={"reset_window_s": 3_600.0}
        ),
        "half an hour after, past midnight": at(
            now_ns=NEW_YORK_2344_NS + 1_860 * NS_PER_S, limits={"reset_window_s": 3_600.0}
        ),
    },
    "clock_skew": {
        "none": at(),
        "slow": at(clock_skew_s=-2.0),
        "too slow": at(clock_skew_s=-2.25),
        "too fast": at(clock_skew_s=3.5),
        "unknown": at(clock_skew_s=None),
        "no number": at(clock_skew_s=NAN),
    },
    "loop_lag": {"unmeasured": at(), "some": at(loop_lag_ms=250.0), "late": at(loop_lag_ms=1_250.0)},
    "session_open": {
        "open": at(),
        "closed until the next": at(now_ns=OATS.sessions[0].close_ns),
        "closed for good": at(now_ns=OATS.sessions[1].close_ns),
    },
    "session_left": {
        "an hour": at(),
        "seven seconds": at(now_ns=SEVEN_LEFT_NS),
        "closed": at(now_ns=OATS.sessions[0].close_ns),
    },
    "contract_month": {
        "May": at(),
        "expired": at(**day(2026, 3, 2)),
        "expired last year": at(**day(2025, 12, 31)),
        "last day": at(**day(2026, 3, 3)),
        "eighteen months": at(**day(2027, 9, 30)),
        "nineteen months": at(**day(2027, 10, 1)),
    },
    "quote_sane": {
        "good": at(),
        "none": unquoted(),
        "of another contract": at(quote={"con_id": 102}),
        "delayed": at(quote={"feed": FeedType.DELAYED}),
        "delayed and frozen": at(quote={"feed": FeedType.DELAYED_FROZEN}),
        "halted": at(quote={"halted": True}),
        "bid no number": at(quote={"bid": Decimal("NaN")}),
        "ask infinite": at(quote={"ask": Decimal("Infinity")}),
        "negative bid size": at(quote={"bid_size": -1}),
        "negative ask size": at(quote={"ask_size": -1}),
        "both empty": at(quote={"bid": None, "ask": None}),
        "both of no lots": at(quote={"bid_size": 0, "ask_size": 0}),
        "bid of no lots": at(quote={"bid_size": 0}),
        "ask of no lots": at(quote={"ask_size": 0}),
        "one lot on each side": at(quote={"bid_size": 1, "ask_size": 1}),
        "one lot bid, no ask": at(quote={"bid_size": 1, "ask": None}),
        "one lot offered, no bid": at(quote={"bid": None, "ask_size": 1}),
        "no bid, and an ask of no lots": at(quote={"bid": None, "ask_size": 0}),
        "no ask, and a bid of no lots": at(quote={"bid_size": 0, "ask": None}),
        "locked": at(quote={"bid": Decimal("371.75")}),
        "crossed": at(quote={"bid": Decimal("372.00")}),
    },
    "quote_age": {
        "a second": at(),
        "30.5 s": at(quote={"time_ns": NOW_NS - 30_500_000_000}),
        "from now": at(quote={"time_ns": NOW_NS}),
        "two seconds ahead": at(quote={"time_ns": NOW_NS + 2 * NS_PER_S}),
        "2.5 s ahead": at(quote={"time_ns": NOW_NS + 2_500_000_000}),
        "none": unquoted(),
    },
    "reference_age": {
        "a second": at(),
        "both sides, 600 s": at(reference_age_s=600.0),
        "both sides, 600.5 s": at(reference_age_s=600.5),
        "one side, 60 s": at(reference_age_s=60.0, quote={"ask": None}),
        "one side, 60.5 s": at(reference_age_s=60.5, quote={"ask": None}),
        "no quote, 60.5 s": unquoted(reference_age_s=60.5),
        "two seconds ahead": at(reference_age_s=-2.0),
        "2.5 s ahead": at(reference_age_s=-2.5),
        "age unknown": at(reference_age_s=None),
        "mid unknown": at(reference_mid=None),
    },
    "spread_width": {
        "usual": at(),
        "five times": at(usual_spread_ticks=2.8),
        "seven times": at(usual_spread_ticks=2.0),
        "usual unknown": at(usual_spread_ticks=None),
        "usual zero": at(usual_spread_ticks=0.0),
        "usual half a tick": at(usual_spread_ticks=0.5),
        "usual no number": at(usual_spread_ticks=NAN),
        "no bid": at(quote={"bid": None}),
        "no ask": at(quote={"ask": None}),
        "no quote": unquoted(),
    },
    "daily_loss": {
        "flat": at(),
        "a gain": at(equity=Decimal(1_000_500)),
        "half a dollar lost": at(equity=Decimal("999999.50")),
        "a loss": at(equity=Decimal("991000.25")),
        "too much lost": at(equity=Decimal("988765.43")),
        "equity unknown": at(equity=None),
        "start unknown": at(day_start_equity=None),
        "equity no number": at(equity=Decimal("NaN")),
        "tripped": at(
            breakers=trip("daily_loss", unit="USD", reason="Lost 12.50 USD today"), equity=Decimal("999999.50")
        ),
        "tripped, unknown now": at(breakers=trip("daily_loss", unit="USD", reason="Lost 12.50 USD today"), equity=None),
    },
    "drawdown": {
        "none": at(),
        "some": at(equity=Decimal(955_000)),
        "too much": at(equity=Decimal(936_543)),
        "equity unknown": at(equity=None),
        "peak unknown": at(peak_equity=None),
        "peak of 0": at(peak_equity=Decimal(0)),
        "peak of 1": at(peak_equity=Decimal(1), equity=Decimal(1)),
        "tripped": at(breakers=trip("drawdown", unit="% of peak equity", reason="Equity 12.5 % below its peak")),
    },
    "last_trade_loss": {
        "none yet": at(),
        "nothing lost": at(last_parent_pnl=Decimal(0)),
        "half a dollar lost": at(last_parent_pnl=Decimal("-0.50")),
        "a loss": at(last_parent_pnl=Decimal("-4321.05")),
        "too much lost": at(last_parent_pnl=Decimal("-5432.10")),
        "no number": at(last_parent_pnl=Decimal("NaN")),
        "tripped": at(
            breakers=trip("last_trade_loss", unit="USD", reason="The last trade lost 12.50 USD"),
            last_parent_pnl=Decimal("-3.456"),
        ),
    },
    "consecutive_refusals": {
        "none": at(),
        "ten": at(conduct=Conduct(refusals_in_row=10)),
        "twelve": at(conduct=Conduct(refusals_in_row=12)),
        "tripped": at(breakers=trip("consecutive_refusals", unit="refusals", reason="12 hard refusals in a row")),
    },
    "reject_rate": {
        "too few": at(conduct=Conduct(messages=9, rejected_messages=9)),
        "a tenth": at(conduct=Conduct(messages=10, rejected_messages=1)),
        "a third": at(conduct=Conduct(messages=12, rejected_messages=4)),
        "tripped": at(breakers=trip("reject_rate", unit="% of messages", reason="The broker rejected 12.5 %")),
    },
    "slippage_breach": {
        "too few": at(conduct=Conduct(fills=9, predicted_ticks=2.0, slippage_ticks=99.0)),
        "within": at(conduct=Conduct(fills=10, predicted_ticks=2.0, slippage_ticks=19.5)),
        "beyond": at(conduct=Conduct(fills=10, predicted_ticks=2.0, slippage_ticks=21.5)),
        "nothing predicted": at(conduct=Conduct(fills=10, slippage_ticks=10.25)),
        "tripped": at(breakers=trip("slippage_breach", unit="ticks", reason="Today's fills cost 12.5 ticks a lot")),
    },
    "lots_whole": {
        "three": lots(3),
        "one": lots(1),
        "none": lots(0),
        "less than none": lots(-1),
        "a fraction": at(case={"lots": 2.5}),
        "true": at(case={"lots": True, "open_lots": True}),
        "one of three left": at(case={"open_lots": 1}),
        "none left": at(case={"open_lots": 0}),
        "more left than lots": at(case={"open_lots": 4}),
        "a fraction left": at(case={"open_lots": 1.5}),
    },
    "order_lots": {"20": lots(20), "21": lots(21), "none allowed": lots(3, limits={"max_lots_per_order": 0})},
    "parent_lots": {"50": lots(50), "51": lots(51), "none allowed": lots(3, limits={"max_lots_per_parent": 0})},
    "lots_left": {"13": at(), "3": at(parent_open_lots=3), "1": at(parent_open_lots=1), "0": at(parent_open_lots=0)},
    "order_notional": {
        "55,500": at(),
        "148,000": lots(8, limits={"max_notional_per_order": 140_000.0}),
        "one lot too many": lots(1, limits={"max_notional_per_order": 18_499.0}),
        "two lots, one allowed": lots(2, limits={"max_notional_per_order": 18_500.0}),
        "in euros": lots(3, currency="EUR", exchange_rate=0.5, limits={"max_notional_per_order": 9_999.0}),
        "no mid": at(**UNVALUED),
        "of no value": at(**VALUELESS),
    },
    "volume_share": {
        "bars": at(),
        "too many": at(lots_today=20),
        "none left": at(lots_today=21),
        "one left": at(lots_today=20, case={"open_lots": 2}),
        "the caller's is smaller": at(caller_adv_lots=100.0),
        "the caller's is smaller, and too small": at(caller_adv_lots=40.0),
        "the caller's is larger": at(caller_adv_lots=1_000.0, lots_today=4),
        "the caller's is equal": at(caller_adv_lots=420.0),
        "the caller's is negative": at(caller_adv_lots=-1.0),
        "the caller's is 0": at(caller_adv_lots=0.0),
        "ticks": at(adv_source="ticks"),
        "the broker's is 0": at(adv_lots=0.0),
        "the broker's is half a lot": at(adv_lots=0.5),
        "the broker's is no number": at(adv_lots=NAN),
        "the broker's is negative": at(adv_lots=-5.0),
        "only the caller's": at(adv_lots=None, caller_adv_lots=500.0),
        "only the caller's, so called": at(adv_lots=7_000.0, adv_source="caller", caller_adv_lots=500.0),
        "only the caller's, all used": at(adv_lots=None, caller_adv_lots=500.0, lots_today=3),
        "only the caller's, one left": at(adv_lots=None, caller_adv_lots=500.0, lots_today=2),
        "only the caller's, and small": at(adv_lots=None, caller_adv_lots=45.0),
        "only the caller's, of 0": at(adv_lots=None, caller_adv_lots=0.0),
    },
    "parent_volume_share": {
        "some": at(),
        "too much": lots(22),
        "the caller's is smaller": lots(6, caller_adv_lots=100.0),
        "the caller's is negative": at(caller_adv_lots=-1.0),
        "the caller's is 0": at(caller_adv_lots=0.0),
        "the caller's is half a lot": at(caller_adv_lots=0.5),
        "nobody's": at(adv_lots=None),
        "no number": at(adv_lots=NAN),
    },
    "day_notional": {
        "some": at(notional_today=1_900_000.0),
        "too much": at(notional_today=1_980_000.0),
        "two more": at(notional_today=1_960_000.0),
        "one more": at(notional_today=1_981_500.0),
        "beyond already": at(notional_today=2_100_000.0),
        "today unknown": at(notional_today=None),
        "no mid": at(**UNVALUED),
        "of no value": at(notional_today=1_900_000.0, **VALUELESS),
        "in euros": at(currency="EUR", exchange_rate=0.5, notional_today=1_990_000.0),
    },
    "displayed_share": {
        "passive": at(),
        "a BUY at the ask": at("371.75"),
        "a BUY below the ask": at("371.50"),
        "a BUY far above": at("372", limits={"max_displayed_percent": 50.0}),
        "a SELL at the bid": sells("368.25", limits={"max_displayed_percent": 50.0}),
        "a SELL above the bid": sells("368.50", limits={"max_displayed_percent": 50.0}),
        "a SELL below": sells("368", limits={"max_displayed_percent": 200.0}),
        "not one lot": at("372", limits={"max_displayed_percent": 1.0}),
        "into one lot": at("372", quote={"ask_size": 1}, limits={"max_displayed_percent": 100.0}),
        "into nothing": at("372", quote={"ask_size": 0}),
        "without an ask": at("372", quote={"ask": None}),
        "without a price": at(None),
        "without a quote": unquoted(),
    },
    "close_out": {
        "far": at(**day(2026, 3, 24)),
        "20 days": at(**day(2026, 3, 23)),
        "a BUY that reduces": at(**day(2026, 3, 20), **held(-3)),
        "a SELL that reduces": sells(**day(2026, 3, 20), **held(3)),
        "a BUY, two of three short": at(**day(2026, 3, 20), **held(-2)),
        "a BUY, one of three short": at(**day(2026, 3, 20), **held(-1)),
        "a BUY with two at work": at(**day(2026, 3, 20), **held(-4, 2, 1)),
        "a SELL with two at work": sells(**day(2026, 3, 20), **held(4, 1, 2)),
        "a BUY when long": at(**day(2026, 3, 20), **held(5)),
        "position unknown": at(**day(2026, 3, 20), position_lots=None),
        "notice in 3 days": at(notice_date=dt.date(2026, 3, 6)),
        "notice in 4 days": at(notice_date=dt.date(2026, 3, 7)),
        "notice in 3 days, reducing": at(notice_date=dt.date(2026, 3, 6), **held(-3)),
        "notice on the last day": at(notice_date=dt.date(2026, 3, 20), **day(2026, 3, 20)),
        "notice after the last day": at(notice_date=dt.date(2026, 3, 21), **day(2026, 3, 20)),
    },
    "position_lots": {
        "flat": at(),
        "long 49": at(**held(49)),
        "long 46, 2 at work": at(**held(46, 2, 1)),
        "long 60": at(**held(60)),
        "short 49": sells(**held(-49)),
        "short 46, 2 at work": sells(**held(-46, 1, 2)),
        "long 60, selling": sells(**held(60)),
        "unknown": at(position_lots=None),
        "tripped": at(**held(60), breakers=trip("position_lots", unit="lots", reason="ZOK6 long", **POSITION)),
        "tripped, selling": sells(
            **held(60), breakers=trip("position_lots", unit="lots", reason="ZOK6 long", **POSITION)
        ),
        "tripped, selling more than there is": sells(
            **held(2), breakers=trip("position_lots", unit="lots", reason="ZOK6 long", **POSITION)
        ),
    },
    "position_share": {
        "flat": at(),
        "too much": at(**EQUITY),
        "one at work": at(**EQUITY, **held(0, 1, 0)),
        "short": sells(**EQUITY),
        "long, selling": sells(**EQUITY, **held(5)),
        "equity below 0": at(**BROKE),
        "equity below 0, reducing": sells(**BROKE, **held(3)),
        "equity of 1": at(equity=Decimal(1)),
        "equity of 0": at(equity=Decimal(0)),
        "equity unknown": at(equity=None),
        "no mid": at(**UNVALUED),
        "of no value": at(**EQUITY, **VALUELESS),
        "position unknown": at(position_lots=None),
        "tripped": at(breakers=trip("position_share", unit="% of equity", reason="ZOK6 long", **POSITION)),
        "tripped, reducing": sells(
            **held(4), breakers=trip("position_share", unit="% of equity", reason="ZOK6 long", **POSITION)
        ),
    },
    "symbol_position": {
        "flat": at(),
        "long 74": at(**months(74)),
        "long 70, 4 at work": at(**months(70, 4, 1)),
        "long 71, 2 at work": at(**months(71, 2, 3)),
        "short 74": sells(**months(-74)),
        "short 70, 4 at work": sells(**months(-70, 1, 4)),
        "long 80": at(**months(80)),
        "long 80, selling": sells(**months(80)),
        "unknown": at(**months(None)),
        "all unknown": at(exposure=None),
    },
    "gross_exposure": {
        "alone": at(),
        "too much": at(**others(notional=1_970_000.0)),
        "far too much": at(**others(notional=2_000_001.0)),
        "too much, reducing": sells(**held(8), **others(notional=1_970_000.0)),
        "too much, turning": sells(**held(2), **others(notional=1_970_000.0)),
        "others at work": at(**held(0, 1, 2), **others(notional=1_970_000.0)),
        "a SELL with others at work": sells(**held(0, 2, 1), **others(notional=1_970_000.0)),
        "equity below 0": at(**BROKE),
        "equity below 0, reducing": sells(**BROKE, **held(8)),
        "equity of 1": at(equity=Decimal(1)),
        "equity of 0": at(equity=Decimal(0)),
        "equity unknown": at(equity=None),
        "no mid": at(**UNVALUED),
        "of no value": at(**VALUELESS),
        "others unknown": at(exposure=None),
        "others infinite": at(**others(notional=float("inf"))),
        "position unknown": at(position_lots=None),
    },
    "equity_at_risk": {
        "alone": at(),
        "too much": at(**others(at_risk=42_500.0)),
        "volatility unknown": at(daily_volatility=None, **others(at_risk=40_000.0)),
        "volatility negative": at(daily_volatility=-0.02, **others(at_risk=40_000.0)),
        "volatility 0": at(daily_volatility=0.0, **others(at_risk=40_000.0)),
        "volatility no number": at(daily_volatility=NAN, **others(at_risk=40_000.0)),
        "no mid": at(**UNVALUED),
        "others unknown": at(exposure=None),
    },
    "margin": {
        "some": at(),
        "too much": at(**margin(3, 495_500.0, 6_000.0)),
        "one more": at(**margin(3, 498_000.0, 6_000.0)),
        "not one": at(**margin(3, 499_000.0, 6_000.0)),
        "used up": at(**margin(3, 510_000.0, 6_000.0)),
        "lowered": at(**margin(3, 510_000.0, -6_000.0)),
        "not changed": at(**margin(3, 510_000.0, 0.0)),
        "of one lot": at(**margin(1, 10_000.0, 2_000.0)),
        "of no lots": at(**margin(0, 10_000.0, 0.0)),
        "of negative lots": at(**margin(-1, 10_000.0, 10.0)),
        "no number": at(**margin(3, NAN, 0.0)),
        "not told": at(margin=None),
        "equity unknown": at(equity=None),
        "equity below 0": at(**BROKE),
        "equity of 0": at(equity=Decimal(0)),
        "equity of 1": at(equity=Decimal(1)),
    },
    "price_on_tick": {
        **NOTHING,
        "on": at("370.25"),
        "nearer below": at("370.10"),
        "half way": at("370.125"),
        "nearer above": at("370.15"),
        "below 0": at("-0.10"),
    },
    "price_sign": {
        **NOTHING,
        "above": at("0.25"),
        "zero": at("0"),
        "below": at("-1"),
        "zero, mid near": at("0", reference_mid=Decimal(30)),
        "zero, mid not so near": at("0", reference_mid=Decimal("30.25")),
        "no mid": at(reference_mid=None),
    },
    "caller_limit": {
        **NOTHING,
        "no price, limit given": at(None, caller_limit=Decimal(369)),
        "no limit": at(),
        "a BUY within": at(caller_limit=Decimal(371)),
        "a BUY above": at(caller_limit=Decimal(369)),
        "a SELL within": sells(caller_limit=Decimal(369)),
        "a SELL below": sells(caller_limit=Decimal(371)),
    },
    "collar_ticks": {
        **NOTHING,
        "no mid": at(reference_mid=None),
        "within": at("375"),
        "at the mid": at("370"),
        "above": at("401"),
        "below": at("339"),
        "above, one side empty": at("401", quote={"bid": None}),
        "within, one side empty": at("375", quote={"ask": None}),
        "above, no quote": unquoted("401"),
        "no tick within": at("370", reference_mid=Decimal("370.125"), limits={"collar_ticks": 0}),
        "no tick but the mid": at("371", limits={"collar_ticks": 0}),
    },
    "collar_percent": {
        **NOTHING,
        "no mid": at(reference_mid=None),
        "within": at("375"),
        "above": at("376.25"),
        "below": at("363"),
        "above, one side empty": at("376.25", quote={"bid": None}),
        "mid of 0": at("1", reference_mid=Decimal(0)),
        "mid of 0, within": at("0.25", reference_mid=Decimal(0)),
        "mid below 0": at("-371", reference_mid=Decimal(-380)),
        "no tick within": at("370.5", reference_mid=Decimal("370.125"), limits={"collar_percent": 0.0}),
        "a fifth of a percent": at("371", limits={"collar_percent": 0.2}),
    },
    "collar_last": {
        **NOTHING,
        "no last": at(),
        "last no number": at(quote={"last": Decimal("NaN")}),
        "no quote": unquoted(),
        "within": at("380", quote={"last": Decimal(371)}),
        "above": at("400", quote={"last": Decimal(371)}),
        "below": at("350", quote={"last": Decimal(371)}),
        "last of 0": at("1", quote={"last": Decimal(0)}),
        "no tick within": at("371", quote={"last": Decimal("370.125")}, limits={"collar_last_percent": 0.0}),
    },
    "collar_settlement": {
        **NOTHING,
        "no settlement": at(),
        "no quote": unquoted(),
        "within": at("380", quote={"settlement": Decimal(371)}),
        "above": at("410", quote={"settlement": Decimal(371)}),
        "below": at("330", quote={"settlement": Decimal(371)}),
    },
    "daily_limit": {
        **NOTHING,
        "no price, points told": at(None, daily_limit=Decimal("12.5")),
        "no points": at(quote={"settlement": Decimal(371)}),
        "no settlement": at(daily_limit=Decimal("12.5")),
        "no quote": unquoted(daily_limit=Decimal("12.5")),
        "within": at("380", quote={"settlement": Decimal(371)}, daily_limit=Decimal("12.5")),
        "at it": at("383.5", quote={"settlement": Decimal(371)}, daily_limit=Decimal("12.5")),
        "above": at("384", quote={"settlement": Decimal(371)}, daily_limit=Decimal("12.5")),
        "below": at("358", quote={"settlement": Decimal(371)}, daily_limit=Decimal("12.5")),
        "no tick within": at("371", quote={"settlement": Decimal("370.125")}, daily_limit=Decimal("0.05")),
    },
    "chase": {
        **NOTHING,
        "no arrival": at(arrival_mid=None),
        "a BUY at arrival": at(),
        "a BUY at 2 %": at("377.25"),
        "a BUY beyond": at("378"),
        "a BUY far below": at("300"),
        "a SELL at 2 %": sells("362.75"),
        "a SELL beyond": sells("362"),
        "a SELL far above": sells("440"),
        "arrival of 0, a BUY": at("1", arrival_mid=Decimal(0)),
        "arrival of 0, a SELL": sells("-1", arrival_mid=Decimal(0)),
        "no tick within": at("371", arrival_mid=Decimal("370.125"), limits={"max_chase_percent": 0.01}),
    },
    "self_match": {
        "none": at(),
        "none, and no price": at(None),
        "none, and price NaN": at("NaN"),
        "no price": at(None, opposite_price=Decimal(371)),
        "price NaN": at("NaN", opposite_price=Decimal(371)),
        "a BUY below": at("370.75", opposite_price=Decimal(371)),
        "a BUY at it": at("371", opposite_price=Decimal(371)),
        "a SELL above": sells("371.25", opposite_price=Decimal(371)),
        "a SELL at it": sells("371", opposite_price=Decimal(371)),
    },
    "active_orders": {
        "15": at(active_orders=14),
        "17": at(active_orders=16),
        "a modify": at(active_orders=16, case={"action": Action.MODIFY}),
    },
    "parents_at_work": {"25": at(parents_at_work=24), "27": at(parents_at_work=26)},
    "message_budget": {"40": at(messages_last_second=39), "42": at(messages_last_second=41)},
    "parent_messages": {
        "200": at(case={"messages": 200}),
        "none": at(case={"messages": 0}),
        "201": at(case={"messages": 201}),
        "less than none": at(case={"messages": -1}),
    },
    "order_efficiency": {
        "20": at(case={"messages": 60}),
        "none": at(case={"messages": 0}),
        "20.5": at(case={"messages": 41, "lots": 2}),
        "less than none": at(case={"messages": -1}),
        "of one lot": at(case={"messages": 20, "lots": 1}),
        "without lots": at(case={"lots": 0}),
    },
}
"""By check and by what is so; in the order of the table of checks."""
