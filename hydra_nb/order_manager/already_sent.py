"""The notice that an order was sent before."""

import datetime as dt
import warnings
from zoneinfo import ZoneInfo

from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger import ParentRecord


class AlreadySent(UserWarning):
    """The same plan, or an equal order of the day, was sent before; nothing was sent now."""


def say_already_sent(parent: ParentRecord) -> None:
    """Warn that a parent stands for what was to be sent."""
    zone = ZoneInfo(parent.plan.parent.contract.time_zone)
    sent = dt.datetime.fromtimestamp(parent.submitted_ns // NS_PER_S, tz=zone)
    warn_already_sent(f"Already sent at {sent:%H:%M:%S} as {parent.parent_id}; nothing was sent.")


def warn_already_sent(words: str) -> None:
    """Warn, in words, that what was to be sent was sent before."""
    notice = AlreadySent(words)
    # Each time, and without the file of the caller: what a cell shows is saved with the notebook.
    warnings.warn_explicit(notice, AlreadySent, filename="hydra_nb", lineno=1)
