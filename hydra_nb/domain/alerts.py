"""What a person is to know at once: the kinds of alerts, and how bad each is."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    WARNING = "warning"  # look at it
    CRITICAL = "critical"  # something is halted, locked, lost or not recorded


class AlertKind(StrEnum):
    """What the matter is. A kind is raised at most once at a time for each subject: a contract, a parent, a check."""

    STALE_DATA = "stale_data"  # a contract at work has no live quote young enough to send on
    DISCONNECTED = "disconnected"  # no way to the broker's servers
    UNRECONCILED = "unreconciled"  # the link is up, and ledger and broker are not compared
    BEHIND_SCHEDULE = "behind_schedule"  # lots of a parent came due and are not filled
    REJECTION = "rejection"  # the broker rejected an order, or the gate refused one for good
    BREAKER = "breaker"  # a circuit breaker has tripped
    BREAK = "break"  # ledger and broker differ, and the contract is locked
    UNKNOWN_ORDER = "unknown_order"  # a parent has ended, and the end of an order of its own is not proven
    CLOSE_OUT = "close_out"  # a contract is held inside the window before which the broker closes it out
    CASH = "cash"  # fees or results differ from the broker's
    JOURNAL_FAILED = "journal_failed"  # the journal cannot be written
    CYCLE = "cycle"  # a daily cycle of a runner did not do what it was to do
    KILL = "kill"  # the kill switch is on
    DELIVERY = "delivery"  # the command or function that alerts are handed to has failed
