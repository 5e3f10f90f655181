"""Desk, market and breakers: may anything be sent at all."""

import dataclasses
from decimal import Decimal

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.case import Case
from tests.risk.making import NOW_NS, OATS

from .building import CHICAGO_MIDNIGHT_NS, NAN, NEW_YORK_2344_NS, SEVEN_LEFT_NS, at, day, trip, unquoted

OF_DESK: dict[str, dict[str, Case]] = {
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
        "five minutes and a billionth of a second before": at(now_ns=NEW_YORK_2344_NS - 240 * NS_PER_S - 1),
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
        "last day, a billionth of a second before midnight": at(now_ns=CHICAGO_MIDNIGHT_NS - 1, **day(2026, 3, 3)),
        "midnight after the last day": at(now_ns=CHICAGO_MIDNIGHT_NS, **day(2026, 3, 3)),
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
}
