"""The line of a view in which alerts stand: the worst and newest in words, the others as their number."""

from collections.abc import Collection, Sequence

from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events import AlertRaised
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import escape

_WORDS = {
    AlertKind.STALE_DATA: "! No live quote",
    AlertKind.DISCONNECTED: "✕ No link to broker",
    AlertKind.UNRECONCILED: "✕ Not reconciled",
    AlertKind.BEHIND_SCHEDULE: "▲ Behind",
    AlertKind.REJECTION: "✕ Refused",
    AlertKind.BREAKER: "✕ Breaker tripped",
    AlertKind.BREAK: "✕ Locked",
    AlertKind.UNKNOWN_ORDER: "? State unknown",
    AlertKind.CLOSE_OUT: "▲ Held near its end",
    AlertKind.CASH: "▲ Cash differs",
    AlertKind.JOURNAL_FAILED: "✕ No journal",
    AlertKind.KILL: "■ Killed",
    AlertKind.DELIVERY: "! Alert not handed on",
    AlertKind.CYCLE: "▲ Daily cycle",
}


def banner(alerts: Sequence[AlertRaised], *, without: Collection[AlertKind], time_zone: str) -> str:
    """The line, as a region that screen readers announce at once; empty where nothing stands.

    Parameters
    ----------
    alerts
        Those that stand, the most important first.
    without
        Kinds that the view tells elsewhere.
    time_zone
        Of the times.
    """
    shown = [alert for alert in alerts if alert.kind not in without]
    if not shown:
        return ""
    first, *others = shown
    tone = "bad" if first.severity is Severity.CRITICAL else "warn"
    hover = "\n".join(f"{numbers.clock_time(one.time_ns, time_zone=time_zone)} {one.sentence}" for one in shown)
    more = f'<span class="hy-muted">and {numbers.plural(len(others), "other")}</span>' if others else ""
    return (
        f'<div class="hy-banner-line hy-banner-{tone}" role="alert" aria-live="assertive" title="{escape(hover)}">'
        f'<span class="hy-state hy-{tone}">{_WORDS[first.kind]}'
        f" {escape(numbers.clock_time(first.time_ns, time_zone=time_zone))}</span>"
        f'<span class="hy-clip">{escape(first.sentence)}</span>{more}</div>'
    )
