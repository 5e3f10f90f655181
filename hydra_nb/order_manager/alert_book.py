"""Which alerts stand: each matter is told when it begins and when it is over, and never twice in between."""

from collections.abc import Callable, Iterable

from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.alert_rules import cleared

QUIET_S = 300.0
"""Market seconds for which an alert of something that happened in an instant stands, from the last time on."""
CALM_S = {
    AlertKind.STALE_DATA: 60.0,
    AlertKind.DISCONNECTED: 10.0,
    AlertKind.UNRECONCILED: 10.0,
    AlertKind.JOURNAL_FAILED: 10.0,
    AlertKind.BEHIND_SCHEDULE: 600.0,  # a slice's length by default: who catches up may fall behind with the next
}
"""Market seconds for which a matter must be gone before its alert is over; no time for the kinds that are not here."""

INSTANT = frozenset({AlertKind.REJECTION, AlertKind.CYCLE})
"""Kinds of what happens in an instant, and stands for a while."""
TOLD_WHEN_WORSE = frozenset({AlertKind.CLOSE_OUT})
"""Kinds that are told once more where a warning has become critical: days lie between the two."""

Key = tuple[AlertKind, str]


def key_of(alert: ev.AlertRaised | ev.AlertCleared) -> Key:
    """What tells an alert from all others that may stand beside it."""
    return alert.kind, alert.subject


class AlertBook:
    """A fold of journalled alerts, and the one place that says what is news.

    Attributes
    ----------
    raised
        Alerts that stand, in the order in which they were raised.
    """

    def __init__(self) -> None:
        self.raised: dict[Key, ev.AlertRaised] = {}
        self._gone_ns: dict[Key, int] = {}  # since when the matter of a raised alert has been gone
        self._instants: dict[Key, tuple[ev.AlertRaised, int]] = {}  # until when each stands

    def recall(self, event: ev.Event) -> None:
        """Take in an event of an earlier process."""
        match event:
            case ev.AlertRaised():
                self.raised[key_of(event)] = event
                if event.kind in INSTANT:
                    self.note(event)
            case ev.AlertCleared():
                self._drop(key_of(event))

    def note(self, alert: ev.AlertRaised) -> None:
        """Take in something that happened in an instant: it stands for a while."""
        self._instants[key_of(alert)] = (alert, alert.time_ns + round(QUIET_S * NS_PER_S))

    def news(
        self, standing: Iterable[ev.AlertRaised], *, now_ns: int, ends_at_once: Callable[[Key], bool]
    ) -> list[ev.AlertRaised | ev.AlertCleared]:
        """What a person is to be told now, which counts as told.

        Parameters
        ----------
        standing
            What is the matter now, without what happened in an instant.
        now_ns
            Market time.
        ends_at_once
            Whether an alert whose matter is gone is over without a wait, as it cannot come back.
        """
        matters = {key_of(alert): alert for alert in (*standing, *self._lasting(now_ns))}
        told: list[ev.AlertRaised | ev.AlertCleared] = []
        for key, alert in matters.items():
            self._gone_ns.pop(key, None)
            if key not in self.raised or _is_worse(alert, than=self.raised[key]):
                self.raised[key] = alert
                told.append(alert)
        for key in [key for key in self.raised if key not in matters]:
            gone_ns = self._gone_ns.setdefault(key, now_ns)
            if ends_at_once(key) or now_ns - gone_ns >= round(CALM_S.get(key[0], 0.0) * NS_PER_S):
                told.append(cleared(self.raised[key], now_ns=now_ns))
                self._drop(key)
        return told

    def _lasting(self, now_ns: int) -> list[ev.AlertRaised]:
        """What happened in an instant and stands still."""
        over = [key for key, (_, until_ns) in self._instants.items() if now_ns > until_ns]
        for key in over:
            del self._instants[key]
        return [alert for alert, _ in self._instants.values()]

    def _drop(self, key: Key) -> None:
        self.raised.pop(key, None)
        self._gone_ns.pop(key, None)
        self._instants.pop(key, None)


def _is_worse(alert: ev.AlertRaised, *, than: ev.AlertRaised) -> bool:
    """Whether a matter that was told has become worth telling once more."""
    is_graver = alert.severity is Severity.CRITICAL and than.severity is Severity.WARNING
    return is_graver and alert.kind in TOLD_WHEN_WORSE
