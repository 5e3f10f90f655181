"""How a day's report writes dates, and what of a day a person should look at."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from hydra_nb.analysis.daily.day import TIME_ZONE, TradingDay
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report.words import cash, is_unknown, number, plural
from hydra_nb.domain.breakers import BreakerState
from hydra_nb.domain.events import BrokerErrorReported, CycleStatus
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.risk.limits import Limits

RULE = "A trading day goes from 17:00 in Chicago on the day before up to 17:00 in Chicago"
"""Which interval a day is."""

_CYCLE_ENDS = {
    CycleStatus.SHORT: "ended short",
    CycleStatus.REFUSED: "was refused",
    CycleStatus.FAILED: "failed",
    CycleStatus.SKIPPED: "was skipped",
    CycleStatus.MISSED: "was missed",
    CycleStatus.INTERRUPTED: "was interrupted",
}
_LONGEST = 200
"""Characters of a cycle's message that stand among what to look at; its section has all of them."""


class Look(NamedTuple):
    """Something to look at: in words, the section that tells more, and whether it still stands."""

    words: str
    section: str
    stands: bool = True


def date_words(day: TradingDay) -> str:
    """The date in full: ``Tuesday 12 January 2027``."""
    return f"{pd.Timestamp(day.date):%A} {day.date.day} {pd.Timestamp(day.date):%B %Y}"


def interval_words(day: TradingDay) -> str:
    """The interval of a day: ``Mon 11 Jan, 17:00 CST to Tue 12 Jan 2027, 17:00 CST``."""
    since, until = (pd.Timestamp(one, tz="UTC").tz_convert(TIME_ZONE) for one in (day.since_ns, day.until_ns))
    return f"{since:%a %d %b, %H:%M} {since.tzname()} to {until:%a %d %b %Y, %H:%M} {until.tzname()}"


def since_words(facts: DailyFacts) -> str:
    """Of which time the difference of equity is: ``over the day``, or since when, where that is older."""
    begin = facts.summary["pnl_since"]
    if is_unknown(begin) or begin >= pd.Timestamp(facts.day.before.since_ns, tz="UTC"):
        return "over the day"
    return f"since {begin.tz_convert(TIME_ZONE):%a %d %b %Y}"


def compared_words(row: dict[str, Any]) -> str:
    """What the predictions of a row of `currencies` are to be held against: ``+45.00 USD paid, 2 of 3 fills``."""
    of_fills = f"{number(row['predicted_fills'])} of {plural(row['fills'], 'fill')}"
    if not row["predicted_fills"]:
        return f"{of_fills} predicted"
    return f"{cash(row['compared_cash'], currency=row['currency'], signed=True)} paid, {of_fills}"


def looks(facts: DailyFacts) -> list[Look]:
    """What a person should look at, what still stands first."""
    found = [*_orders(facts), *_cycles(facts), *_desk(facts), *_positions(facts)]
    return sorted(found, key=lambda one: not one.stands)


def _orders(facts: DailyFacts) -> Iterator[Look]:
    row = facts.summary
    orders = facts.frame("orders")
    for status, words, stands in (
        (ParentStatus.NEEDS_HUMAN, "whose end a person has to find out", True),
        (ParentStatus.INTERRUPTED, "interrupted: resume or abandon", True),
        (ParentStatus.PARTIAL, "ended short", False),
        (ParentStatus.REFUSED, "refused", False),
    ):
        ids = orders.loc[orders["status"] == status, "parent_id"]
        if len(ids):
            yield Look(f"{plural(len(ids), 'order')} {words}: {_listed(ids)}", "orders", stands)
    if row["late_slices"]:
        yield Look(f"{plural(row['late_slices'], 'slice')} delayed by a busy notebook", "slices", stands=False)
    untold = int(facts.frame("currencies")["without_fees"].sum())
    if untold:
        yield Look(f"fees of {plural(untold, 'fill')} not told by then", "costs", stands=False)


def _cycles(facts: DailyFacts) -> Iterator[Look]:
    """Cycles that did not do what they were to do, and those of which no end was told."""
    for row in records(facts.frame("cycles")):
        status = CycleStatus(row["status"])
        name = f"{'dry run' if row['dry_run'] else 'cycle'} {row['cycle']} of {row['name']}, {row['day']}"
        if status is CycleStatus.RUNNING:
            # While the day goes on it may be at work; by its end that, or a process that died, is a person's matter.
            until = "when the day ended" if facts.is_over else "yet"
            yield Look(f"{name}, was not over {until}", "cycles", stands=facts.is_over)
        elif not status.is_well:
            yield Look(f"{name}, {_CYCLE_ENDS[status]}: {_cut(row['message'])}", "cycles", stands=False)


def _cut(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST].rstrip()}…"


def _desk(facts: DailyFacts) -> Iterator[Look]:
    breakers = facts.frame("breakers")
    tripped = breakers[breakers["state"] == BreakerState.TRIPPED]
    for breaker in records(tripped):
        about = f" {breaker['local_symbol']}" if isinstance(breaker["local_symbol"], str) else ""
        name = "the kill switch" if breaker["breaker"] == "kill" else f"breaker {breaker['breaker']}{about}"
        yield Look(f"{name} is on: {breaker['reason']}", "safety")
    row = facts.summary
    if row["trips"] or row["kills"]:
        words = [plural(row["trips"], "trip")] if row["trips"] else []
        words += [plural(row["kills"], "kill")] if row["kills"] else []
        yield Look(" and ".join(words), "safety", stands=False)
    if row["breaks_open"]:
        yield Look(f"{plural(row['breaks_open'], 'break')} between ledger and broker not resolved", "breaks")
    if row["breaks"] - row["breaks_open"] > 0:
        yield Look(f"{plural(row['breaks'] - row['breaks_open'], 'break')} found and resolved", "breaks", stands=False)
    standing = facts.frame("alerts")["cleared"].isna()
    if standing.any():
        yield Look(f"{plural(int(standing.sum()), 'alert')} not over", "alerts")
    if not standing.all():
        yield Look(f"{plural(int((~standing).sum()), 'alert')} raised and over", "alerts", stands=False)
    lost = facts.frame("connection")
    if lost["back"].isna().any():
        yield Look("the connection is lost", "connection")
    elif len(lost):
        seconds = number(row["down_s"])
        yield Look(f"the connection was lost {plural(len(lost), 'time')}, {seconds} s in all", "connection", False)
    if row["limit_changes"]:
        yield Look(f"{plural(row['limit_changes'], 'limit')} changed", "limits", stands=False)
    events = facts.frame("events")
    notices = (events["kind"] == BrokerErrorReported.__name__) & events["parent_id"].isna()  # each sign-on brings some
    if not notices.all():
        yield Look(f"{plural(int((~notices).sum()), 'other event')} out of the ordinary", "connection", stands=False)


def _positions(facts: DailyFacts) -> Iterator[Look]:
    """Positions in their close-out window, by the default of the limits, as the journal may not tell its own."""
    default = Limits()
    for row in records(facts.frame("positions")):
        if not row["position"]:
            continue
        for name, event, window in (
            ("days_to_notice", "first notice", default.notice_days),
            ("days_to_last_trade", "its last trade", default.close_out_days),
        ):
            if not pd.isna(row[name]) and row[name] <= window:
                days = "is over" if row[name] < 0 else f"in {plural(int(row[name]), 'day')}"
                position = number(row["position"], signed=True)
                yield Look(f"{position} {row['local_symbol']}: {event} {days}", "positions")
                break


def _listed(ids: pd.Series) -> str:
    shown = ids.tolist()
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return ", ".join(shown[:6]) + more
