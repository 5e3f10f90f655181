"""The sections of a report that account for an order: costs, limits, disturbances, the audit trail, and the proof."""

from typing import Any, Final

import pandas as pd

from hydra_nb import __version__
from hydra_nb.analysis.cost_tables import waterfall_table
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report import words
from hydra_nb.analysis.report.facts import Facts
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
    times,
)
from hydra_nb.analysis.report.sections import Figures

DISTURBING: Final = frozenset(
    {
        "AckTimedOut",
        "BreakerTripped",
        "BrokerErrorReported",
        "ConnectionChanged",
        "ContractLocked",
        "ContractUnlocked",
        "GlobalCancelAsked",
        "HeadExportFailed",
        "JournalContradicted",
        "Killed",
        "LimitsChanged",
        "LoopStalled",
        "ParentBegan",
        "ParentCancelAsked",
        "ParentInterrupted",
        "ParentPaused",
        "ParentResumed",
        "PositionAdopted",
        "Rearmed",
        "SendFailed",
        "SliceDelayed",
        "TaskFailed",
    }
)
"""Kinds of events that are no part of an order that goes as planned."""


def costs(facts: Facts, figures: Figures) -> Html:
    """What the fills cost against each benchmark, and the implementation shortfall."""
    contract = facts.contract
    columns = (
        text("benchmark"),
        Shown(head="its price", write=lambda row: words.price(row["price"], contract=contract), style=NUMBER),
        amount("slippage_ticks", "ticks a lot", decimals=2, signed=True),
        amount("slippage_bps", "bps", decimals=1, signed=True),
        Shown(
            head="cash",
            write=lambda row: words.cash(row["slippage_cash"], currency=contract.currency, signed=True),
            style=NUMBER,
        ),
        amount("lots"),
        text("words", "what it is", style=SENTENCE),
    )
    held = table("Fills against benchmarks; positive is a cost", columns, records(facts.frame("report.benchmarks")))
    return section("costs", "Costs", held, *_shortfall(facts, figures))


def _shortfall(facts: Facts, figures: Figures) -> list[Html]:
    """The implementation shortfall in its parts."""
    currency, analysed = facts.contract.currency, facts.frame("tca.parent")
    lacks = analysed["lacks"].iloc[0]
    columns = (
        text("part"),
        Shown(head="cash", write=lambda row: words.cash(row["cash"], currency=currency, signed=True), style=NUMBER),
        amount("bps", decimals=1, signed=True),
    )
    return [
        figures["costs"].place,
        table("Implementation shortfall: paper less real", columns, records(waterfall_table(analysed))),
        paragraph("" if words.is_unknown(lacks) or not lacks else f"Not known: {lacks}."),
    ]


def limits(facts: Facts) -> Html:
    """The limits that held when the order was submitted."""
    told = facts.frame("limits")
    symbol = facts.contract.symbol
    own = set(told.loc[told["symbol"] == symbol, "limit"])
    rows = [row for row in records(told) if row["symbol"] == symbol or row["limit"] not in own]
    columns = (
        text("limit"),
        Shown(head="value", write=lambda row: words.figure(row["value"]), style=NUMBER),
        text("unit"),
        Shown(head="of", write=lambda row: f"{symbol} alone" if row["symbol"] == symbol else "all symbols"),
        Shown(head="default", write=lambda row: words.figure(row["default"]), style=NUMBER),
        text("tighter", "tighter when"),
        *times("changed", "last changed", time_zone=facts.contract.time_zone),
    )
    none = paragraph("This journal does not tell limits: an older version wrote it; those that were asked stand above.")
    shown = table("Limits at submission", columns, rows) if rows else none
    return section("limits", "Limits in force", shown)


def disturbances(facts: Facts) -> Html:
    """Alerts that stood while it ran, and whatever went otherwise than planned."""
    zone = facts.contract.time_zone
    audit = facts.frame("audit")
    odd = audit[audit["kind"].isin(DISTURBING) & ((audit["about"] != "before") | (audit["kind"] == "Killed"))]
    broken = audit[(audit["kind"] == "Reconciled") & ~audit["words"].str.startswith("Reconciled, 0 breaks")]
    alerts = (
        *times("time", "raised", time_zone=zone),
        text("kind"),
        text("severity"),
        text("message", "in words", style=SENTENCE),
        Shown(head="over, UTC", write=lambda row: words.in_utc(row["cleared"])),
    )
    events = (
        amount("seq", "row"),
        *times("time", "time", time_zone=zone),
        text("about"),
        text("words", "what happened", style=SENTENCE),
    )
    rows = pd.concat([odd, broken]).sort_values("seq", kind="stable")
    return section(
        "disturbances",
        "Alerts, breaks and disturbances",
        table("Alerts that stood while it ran", alerts, records(facts.frame("alerts"))),
        table("Events that are no part of the plan", events, records(rows)),
    )


def audit(facts: Facts) -> Html:
    """The life of the order, fact by fact."""
    told = facts.frame("audit")
    checks = told[told["kind"] == "Decision"].groupby("seq")["allowed"].agg(["size", "sum"])
    counts = {seq: (int(row["size"]), int(row["sum"])) for seq, row in checks.iterrows()}
    columns = (
        amount("seq", "row"),
        *times("time", "time", time_zone=facts.contract.time_zone),
        text("about"),
        Shown(head="checks", write=lambda row: _checks(counts.get(row["seq"]))),
        text("words", "what happened", style=SENTENCE),
    )
    events = [row for row in records(told) if row["kind"] != "Decision"]
    clock = told[["clock_low_s", "clock_high_s"]].dropna()
    skew = "How far the broker's clock was from ours was not measured."
    if len(clock):
        low, high = clock["clock_low_s"].min(), clock["clock_high_s"].max()
        skew = f"The broker's clock was between {_seconds(low)} and {_seconds(high)} s ahead of ours."
    return section(
        "audit",
        "Audit trail",
        paragraph(
            "Every event of the order, those of the whole desk from its first to its last, and what stood before it "
            "began, in the order of the journal.",
            skew,
        ),
        table("Events", columns, events),
    )


def _seconds(value: float) -> str:
    return words.number(value, decimals=3, signed=True)


def _checks(counted: tuple[int, int] | None) -> str:
    """How many checks led to an event."""
    if counted is None:
        return ""
    asked, passed = counted
    return f"{asked} passed" if asked == passed else f"{asked - passed} of {asked} refused"


def proof(facts: Facts, *, digest: str) -> Html:
    """By what the page is tied to its journal, and how that is checked."""
    rows: list[dict[str, Any]] = [
        {"what": "Journal", "value": facts.journal_id},
        {"what": f"Journal row {facts.first.seq}, the first of this order", "value": facts.first.hash},
        {"what": f"Journal row {facts.last.seq}, the last so far", "value": facts.last.hash},
        {"what": "Plan", "value": facts.plan.plan_id},
        {"what": "Data of this page, SHA-256", "value": digest},
        {"what": "Made by", "value": f"hydra_nb {__version__}"},
    ]
    columns = (text("what", ""), Shown(head="identity", write=_code))
    command = f"hydra-nb report {facts.parent_id} --journal PATH --out again.html"
    return section(
        "proof",
        "Proof",
        table("What this page is of", columns, rows),
        paragraph(
            "The hash of a row covers all rows before it. Whoever holds the journal checks it with",
            Html("<code>hydra-nb verify --journal PATH</code>,"),
            "finds these two rows in it, and makes this page anew, byte for byte, with",
            Html(f"<code>{escape(command)}</code>."),
            "The numbers are on this page as JSON;",
            Html("<code>hydra_nb.analysis.report.read_report(path)</code>"),
            "gives them back as DataFrames and checks their SHA-256.",
        ),
    )


def _code(row: Row) -> str:
    return Html(f"<code>{escape(row['value'])}</code>")
