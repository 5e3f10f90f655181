"""The sections of a day's page on how the desk fared: cycles, safety, limits, breaks, alerts, connection, proof."""

from typing import Any

from hydra_nb import __version__
from hydra_nb.analysis.daily import words as day_words
from hydra_nb.analysis.daily.cells import clock
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report import words
from hydra_nb.analysis.report.parts import (
    NUMBER,
    SENTENCE,
    Html,
    Row,
    Shown,
    amount,
    escape,
    paragraph,
    section,
    table,
    text,
)
from hydra_nb.domain.breakers import BreakerState
from hydra_nb.domain.events import CycleStatus


def cycles(facts: DailyFacts) -> Html:
    """What runners did in the day."""
    columns = (
        text("cycle"),
        text("name", "runner"),
        text("day", "trade date"),
        *clock("began", "began", facts),
        *clock("ended", "over", facts),
        Shown(head="status", write=_cycle_status),
        amount("orders"),
        amount("filled_lots", "lots filled"),
        amount("shortfall_lots", "short"),
        text("message", "what happened", style=SENTENCE),
    )
    return section("cycles", "Daily cycles", table("Cycles of runners", columns, records(facts.frame("cycles"))))


def _cycle_status(row: Row) -> str:
    status = row["status"].replace("_", " ")
    return f"{status}, dry run" if row["dry_run"] and row["status"] != CycleStatus.DRY_RUN else status


def safety(facts: DailyFacts) -> Html:
    """Circuit breakers and the kill switch: as they stood, and what happened."""
    states = (
        text("breaker"),
        text("local_symbol", "contract"),
        text("state"),
        amount("trips", "trips in the day"),
        *clock("since", "since", facts),
        _figure("observed", "read at its trip"),
        _figure("limit", "limit then"),
        text("unit"),
        text("reason", style=SENTENCE),
    )
    events = (
        *clock("time", "time", facts),
        text("what"),
        Shown(head="breaker", write=lambda row: "all" if words.is_unknown(row["breaker"]) else str(row["breaker"])),
        text("local_symbol", "contract"),
        text("reason", style=SENTENCE),
    )
    told = facts.frame("breakers")
    quiet = told["state"] == BreakerState.CLOSED
    return section(
        "safety",
        "Breakers and kills",
        table("Trips, re-armings and kills", events, records(facts.frame("halts"))),
        table("Breakers and the kill switch at the day's end", states, records(told[~quiet])),
        paragraph(f"Never tripped: {', '.join(told.loc[quiet, 'breaker'])}." if quiet.any() else ""),
    )


def limits(facts: DailyFacts) -> Html:
    """Limits and calibrations that people changed."""
    changed = (
        *clock("time", "time", facts),
        text("limit"),
        Shown(head="of", write=lambda row: "all symbols" if row["symbol"] == "*" else f"{row['symbol']} alone"),
        _figure("old", "from"),
        _figure("new", "to"),
        text("unit"),
        text("change", ""),
        text("reason", "why", style=SENTENCE),
        text("who"),
    )
    accepted = (
        *clock("time", "time", facts),
        text("symbol"),
        Shown(
            head="predictor",
            write=lambda row: "as assumed again" if words.is_unknown(row["version"]) else str(row["version"]),
        ),
        _figure("k", "k"),
        _figure("spread_factor", "spread factor"),
        amount("n", "own fills"),
        text("reason", "why", style=SENTENCE),
        text("who"),
    )
    return section(
        "limits",
        "Limits and calibrations",
        table("Limits changed", changed, records(facts.frame("limits"))),
        table("Calibrations of the prediction accepted or dropped", accepted, records(facts.frame("calibrations"))),
    )


def _figure(name: str, head: str) -> Shown:
    return Shown(head=head, write=lambda row: words.figure(row[name]), style=NUMBER)


def breaks(facts: DailyFacts) -> Html:
    """What ledger and broker disagreed on."""
    columns = (
        *clock("found", "found", facts),
        text("kind"),
        text("local_symbol", "contract"),
        text("message", "what was found", style=SENTENCE),
        *clock("over", "over", facts),
        text("outcome", "what became of it", style=SENTENCE),
    )
    return section(
        "breaks",
        "Breaks",
        table("Differences between ledger and broker, and contracts locked", columns, records(facts.frame("breaks"))),
    )


def alerts(facts: DailyFacts) -> Html:
    """Alerts that were raised, or stood, in the day."""
    columns = (
        *clock("time", "raised", facts),
        *clock("cleared", "over", facts),
        text("kind"),
        text("severity"),
        text("parent_id", "order"),
        text("local_symbol", "contract"),
        text("message", "in words", style=SENTENCE),
    )
    return section("alerts", "Alerts", table("Alerts raised or standing", columns, records(facts.frame("alerts"))))


def connection(facts: DailyFacts) -> Html:
    """Losses of the connection, and events that are no part of a quiet day."""
    lost = (
        *clock("lost", "lost", facts),
        *clock("back", "back", facts),
        amount("down_s", "in the day, s", decimals=1),
        text("state"),
        text("message", "what was said", style=SENTENCE),
    )
    events = (
        *clock("time", "time", facts),
        text("parent_id", "order"),
        text("local_symbol", "contract"),
        text("words", "what happened", style=SENTENCE),
    )
    return section(
        "connection",
        "Connection and events",
        table("Losses of the connection", lost, records(facts.frame("connection"))),
        table("Other events that are no part of a quiet day", events, records(facts.frame("events"))),
    )


def proof(facts: DailyFacts, *, digest: str) -> Html:
    """By what the page is tied to its journal, and how that is checked."""
    rows: list[dict[str, Any]] = [{"what": "Journal", "value": facts.journal_id}]
    if facts.last is not None:
        rows.append({"what": f"Journal row {facts.last.seq}, the last that the day knows", "value": facts.last.hash})
    rows += [
        {"what": "Data of this page, SHA-256", "value": digest},
        {"what": "Made by", "value": f"hydra_nb {__version__}"},
    ]
    command = f"hydra-nb daily-report --journal PATH --date {facts.day.date} --out again.html"
    return section(
        "proof",
        "Proof",
        table("What this page is of", (text("what", ""), Shown(head="identity", write=_code)), rows),
        paragraph(
            f"{day_words.RULE}, for all markets alike.",
            "What was told later, such as a correction, belongs to the day on which it was told, so that a day that is "
            "over gives the same page whenever it is made again, with",
            Html(f"<code>{escape(command)}</code>"),
            "(and the same facts of contracts). The numbers are on this page as JSON;",
            Html("<code>hydra_nb.analysis.daily.read_daily_report(path)</code>"),
            "gives them back as DataFrames.",
        ),
    )


def _code(row: Row) -> str:
    return Html(f"<code>{escape(row['value'])}</code>")
