"""The sections of a report, from the plan to the fills. Each is given the facts and gives HTML."""

from typing import Any

from hydra_nb.analysis.plot_tables import decision_table
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report import words
from hydra_nb.analysis.report.facts import Facts
from hydra_nb.analysis.report.figures import Drawn
from hydra_nb.analysis.report.parts import (
    NUMBER,
    SENTENCE,
    Html,
    Row,
    Shown,
    amount,
    escape,
    pairs,
    paragraph,
    section,
    table,
    text,
    times,
)
from hydra_nb.domain.units import NS_PER_S

SIMULATED = "Simulated market: its prices, volumes and fills are drawn from a seed, and no evidence of a real one."
PAPER = "Paper account: its fills are the broker's simulation."
Figures = dict[str, Drawn]


def head(facts: Facts) -> Html:
    """Whose order it is, what was to be done, what became of it, and the figures that count."""
    parent, contract, status = facts.plan.parent, facts.contract, facts.record.status
    zone, submitted_ns = contract.time_zone, facts.record.submitted_ns
    warning = {"SIM": SIMULATED, "PAPER": PAPER}.get(facts.badge, "")
    spoken = f"{words.SIGNS[parent.side]} {parent.side} {parent.lots} {contract.local_symbol}"
    paragraphs = [f"{words.order_words(facts.plan)} Submitted {words.moment(submitted_ns, time_zone=zone)}."]
    paragraphs += [facts.record.reason] if facts.record.reason else []
    lines = "".join(paragraph(one) for one in paragraphs)
    if not status.is_over:
        when = words.moment(facts.as_of_ns, time_zone=zone)
        lines += f'<p class="running"><b>Still {words.status_words(status)} as of {when}:</b> the rest is to come.</p>'
    note = f'<p class="note">{warning}</p>' if warning else ""
    badge = f'<span class="badge {facts.badge.lower()}">{facts.badge}</span>'
    return Html(
        f'<header class="{parent.side.lower()}"><p class="whose">{badge} <span>{escape(facts.account)}</span> '
        f"<span>{escape(facts.parent_id)}</span> <span>Execution report</span></p>"
        f'<h1>{escape(spoken)} <span class="status {status}">{escape(words.status_words(status))}</span></h1>'
        f"{lines}{_key_figures(facts)}{note}</header>"
    )


def _key_figures(facts: Facts) -> Html:
    """The figures that a reader looks for first."""
    row, contract = facts.execution, facts.contract
    held = facts.frame("report.benchmarks").set_index("benchmark").loc["arrival"]
    took_s = max(0, facts.until_ns - facts.record.begins_ns) / NS_PER_S  # it may have been over before its start
    share = row["filled_lots"] / row["lots"]
    fills = len(facts.frame("fills"))
    return pairs(
        (
            ("Filled", f"{row['filled_lots']} of {words.plural(row['lots'], 'lot')}", words.percent(share, decimals=0)),
            (
                "Average price",
                words.price(row["average_price"], contract=contract),
                f"{words.plural(fills, 'fill')}; arrival {words.price(row['arrival_mid'], contract=contract)}",
            ),
            (
                "Slippage against arrival",
                words.ticks(held["slippage_ticks"]),
                f"a lot; {words.number(held['slippage_bps'], decimals=1, signed=True)} bps; positive is a cost",
            ),
            (
                "The same in cash",
                words.cash(held["slippage_cash"], currency=contract.currency, signed=True),
                words.value_words(contract),
            ),
            ("Commission and fees", words.cash(row["commission"], currency=contract.currency), "as reported so far"),
            ("Time at work", words.duration(took_s), words.STRATEGIES[facts.plan.parent.strategy]),
        ),
        style="figures",
    )


def plan(facts: Facts, figures: Figures) -> Html:
    """The schedule as it was submitted, which is what ran."""
    contract, terms = facts.contract, facts.plan
    volume = "an average daily volume that was not known"
    if terms.adv_lots is not None:
        share = words.percent(terms.participation, decimals=2)
        volume = f"{share} of an average daily volume of {words.number(terms.adv_lots)} lots ({terms.adv_source})"
    previewed = words.moment(terms.previewed_ns, time_zone=contract.time_zone)
    columns = (
        amount("slice"),
        *times("start", "start", time_zone=contract.time_zone),
        amount("lots"),
        amount("cumulative_lots", "so far"),
        *(_priced(f"limit_{stage}", f"at {stage}", facts) for stage in ("mid", "step", "cross")),
        Shown(head="waits, s", write=_waits, style=NUMBER),
        Shown(head="of ADV", write=lambda row: words.percent(row["participation"], decimals=2), style=NUMBER),
    )
    return section(
        "plan",
        "Plan",
        paragraph(
            f"Plan {terms.plan_id}, previewed {previewed}, is {volume}.",
            "All random numbers were drawn then: what ran is what was shown.",
            "Its limit prices are those that the quote at submission would give.",
        ),
        figures["plan"].place,
        table("Schedule as submitted", columns, records(facts.frame("plan.schedule"))),
    )


def _waits(row: Row) -> str:
    return " + ".join(words.figure(row[f"wait_{stage}_s"]) for stage in ("mid", "step", "cross"))


def _priced(name: str, head: str, facts: Facts) -> Shown:
    """A column of prices."""
    return Shown(head=head, write=lambda row: words.price(row[name], contract=facts.contract), style=NUMBER)


def expected(facts: Facts) -> Html:
    """What was predicted, the evidence that it rested on, and what came."""
    contract = facts.contract
    row = facts.frame("plan.expected_cost").iloc[0]
    held = facts.frame("report.benchmarks").set_index("benchmark").loc["arrival"]
    mid = words.price(facts.plan.decision_mid, contract=contract)
    rows: list[dict[str, Any]] = [
        {"what": f"Predicted against the mid at preview, {mid}", "ticks": row["slippage_ticks"]}
        | {"bps": row["slippage_bps"], "cash": row["slippage_cash"], "lots": facts.plan.parent.lots},
        {"what": "Crossing the spread at submission, first lots", "ticks": row["cross_now_ticks"]}
        | {"bps": None, "cash": None, "lots": None},
        {"what": "Came against the mid at arrival", "ticks": held["slippage_ticks"], "bps": held["slippage_bps"]}
        | {"cash": held["slippage_cash"], "lots": held["lots"]},
    ]
    interval = f"There is no interval: {row['source'][:1].lower()}{row['source'][1:]}."
    if not words.is_unknown(row["low_ticks"]):
        low, high = (words.number(row[end], decimals=2, signed=True) for end in ("low_ticks", "high_ticks"))
        interval = f"{words.percent(row['level'], decimals=0)} interval from {low} to {high} ticks: {row['source']}."
    prediction = facts.plan.prediction
    evidence = "own fill" if prediction is None or prediction.rehearsed is None else "path"
    version = "none" if words.is_unknown(row["predictor_version"]) else row["predictor_version"]
    return section(
        "expected",
        "Expected cost and what came",
        table(
            "Slippage a lot, and in cash over all lots; positive is a cost",
            (
                text("what", "", style=SENTENCE),
                amount("ticks", decimals=2, signed=True),
                amount("bps", decimals=1, signed=True),
                Shown(
                    head="cash",
                    write=lambda one: words.cash(one["cash"], currency=contract.currency, signed=True),
                    style=NUMBER,
                ),
                amount("lots"),
            ),
            rows,
        ),
        paragraph(
            f"Predictor {version}, resting on {words.plural(int(row['n_evidence']), evidence)}. {interval}",
            f"Expected commission and fees: {words.cash(row['commission'], currency=contract.currency)}.",
        ),
    )


def decisions(facts: Facts, figures: Figures) -> Html:
    """What the risk gate looked at, refusals first."""
    made = facts.frame("decisions")
    told = records(decision_table(made))
    refused = [row for row in told if row["refused"] > 0]
    passed = [row for row in told if row["refused"] == 0]
    share = Shown(head="used", write=lambda row: words.percent(row["use"], decimals=0), style=NUMBER)
    passes, refusals = (words.number(int((made["allowed"] == allowed).sum())) for allowed in (True, False))
    return section(
        "decisions",
        "Risk decisions",
        paragraph(
            f"{words.plural(len(made), 'check')} of {words.plural(len(told), 'kind')}.",
            f"{passes} passed, {refusals} refused; nothing is sent that does not pass all of them.",
            "A check stands here as it came nearest to its limit; each single one is in the data of this page.",
        ),
        figures["decisions"].place if "decisions" in figures else "",
        table(
            "Checks that refused",
            (text("check"), amount("refused"), amount("asked"), _seen("observed"), _seen("limit"), share, _message()),
            refused,
        ),
        table(
            "Checks that always passed",
            (text("check"), amount("asked"), _seen("observed"), _seen("limit"), share, _message()),
            passed,
        ),
    )


def _message() -> Shown:
    return text("message", "in words", style=SENTENCE)


def _seen(name: str) -> Shown:
    """What a check saw, or allowed, in its unit."""

    def write(row: Row) -> str:
        known = words.figure(row[name])
        unit = "" if words.is_unknown(row["unit"]) or known == words.UNKNOWN else f" {row['unit']}"
        return f"{known}{unit}".rstrip()

    return Shown(head=name, write=write, style=NUMBER)


def orders(facts: Facts) -> Html:
    """What was sent, and what became of each slice."""
    zone = facts.contract.time_zone
    sent = (
        *times("time", "approved", time_zone=zone),
        Shown(head="sent after", write=_sent_after, style=NUMBER),
        amount("slice"),
        Shown(head="order", write=_order),
        text("action"),
        text("stage"),
        amount("lots"),
        _priced("limit_price", "limit", facts),
        _priced("bid", "bid", facts),
        _priced("ask", "ask", facts),
        amount("predicted_slippage_ticks", "predicted, ticks", decimals=2, signed=True),
        Shown(head="expires, UTC", write=lambda row: words.in_utc(row["expires"])[11:19], style=NUMBER),
    )
    children = (
        Shown(head="order", write=lambda row: f"{row['slice']} · {_order(row)}"),
        amount("order_id"),
        Shown(
            head="perm id", write=lambda row: words.UNKNOWN if words.is_unknown(row["perm_id"]) else str(row["perm_id"])
        ),
        amount("lots"),
        amount("filled_lots", "filled"),
        _priced("limit_price", "last limit", facts),
        text("state"),
        text("order_ref", "reference"),
    )
    slices = (
        amount("slice"),
        text("status"),
        amount("lots", "planned"),
        amount("filled_lots", "filled"),
        amount("carried_lots", "carried"),
        _priced("average_price", "average price", facts),
        text("stage", "last stage"),
        amount("messages"),
        text("reason", style=SENTENCE),
    )
    return section(
        "orders",
        "Orders and their stages",
        table("Slices and what became of them", slices, records(facts.frame("slices"))),
        table("Places and modifies, in order", sent, records(facts.frame("report.terms"))),
        table("Orders at the broker", children, records(facts.frame("orders"))),
    )


def _order(row: Row) -> str:
    """Which attempt of its slice an order is."""
    return f"order {str(row['order_ref']).rpartition(':')[2]}"


def _sent_after(row: Row) -> str:
    if words.is_unknown(row["sent"]):
        return "not sent"
    return f"{(row['sent'] - row['time']).total_seconds() * 1_000:,.1f} ms"


def fills(facts: Facts, figures: Figures) -> Html:
    """Every fill, on the quotes."""
    contract = facts.contract
    columns = (
        *times("time", "time at the broker", time_zone=contract.time_zone, in_seconds=True),
        amount("slice"),
        text("stage"),
        amount("lots"),
        _priced("price", "price", facts),
        _priced("order_mid", "mid when sent", facts),
        _priced("bid", "bid", facts),
        _priced("ask", "ask", facts),
        amount("slippage_ticks", "slippage, ticks", decimals=2, signed=True),
        amount("slippage_bps", "bps", decimals=1, signed=True),
        amount("slippage_cash", f"cash, {contract.currency}", decimals=2, signed=True),
        amount("predicted_slippage_bps", "predicted, bps", decimals=1, signed=True),
        amount("commission", decimals=2),
        text("fill_id", "execution"),
    )
    return section(
        "fills",
        "Fills on the quotes",
        figures["execution"].place,
        table("Fills, latest corrections applied", columns, records(facts.frame("fills"))),
        paragraph(
            "The broker tells its times in whole seconds; bid and ask are those shown when the fill reached us.",
            "Slippage is against the arrival mid. All quotes are in the data of this page.",
        ),
    )
