"""The tree of errors that hydra_nb raises.

::

    HydraError
    ├── OrderError                 an argument of an order is malformed; nothing was sent
    │   ├── InvalidOrder           side, lots, limit or setting cannot be an order
    │   │   └── BasketErrors       rows of a basket cannot be orders; all of them are listed
    │   ├── UnknownInstrument      the broker lists no such future
    │   ├── DurationTooShort       the slices do not fit into the time given
    │   ├── PlanExpired            the preview is older than its validity
    │   ├── DeskBusy               refused because orders work
    │   └── RearmRefused           killed, and not yet shown to be safe: orders still work, or something is unexplained
    ├── BrokerError                the broker or the way to it
    │   ├── NotConnected           no connection, or lost
    │   ├── GatewayUnreachable     nobody answers at the address
    │   ├── ClientIdInUse          another connection holds this client id
    │   ├── LiveNotConfirmed       a live account without its confirmation
    │   │   └── LiveNotAllowedHere a live account where no person sits, or anybody may
    │   ├── AccountRefused         the account asked for is not there, or several are
    │   ├── NoReply                the broker did not answer in time
    │   ├── RequestRefused         the broker answered a request with an error
    │   └── SendRefused            an order without a valid approval or receipt
    ├── JournalError               the journal cannot be used; nothing may be sent
    │   ├── JournalLocked          another desk holds it
    │   ├── JournalUnreadable      not a journal, torn, or tampered with
    │   ├── JournalOfAnotherAccount
    │   ├── JournalTooNew          written by a later version
    │   └── JournalUnwritable      disk full, input or output error
    ├── LimitsError                a limit is missing, malformed, or unknown
    ├── AnalysisError              what was to be analysed cannot be
    │   ├── InvalidFrame           a frame lacks columns, or holds rows that would give a wrong number
    │   └── RehearsalFailed        a path of a rehearsal could not be run
    └── InvariantBroken            something that must always hold does not

A message holds the value, the limit, its unit, and the remedy. A refusal by the risk gate is a
value, not an error, and is not in this tree.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class HydraError(Exception):
    """Root of all errors of hydra_nb."""


class OrderError(HydraError):
    """An argument of an order is malformed; nothing was sent."""


class InvalidOrder(OrderError, ValueError):
    """Side, lots, limit or a setting cannot be an order."""


class BasketErrors(InvalidOrder):
    """Rows of a basket cannot be orders; nothing was sent.

    Attributes
    ----------
    errors
        One row an error: ``row`` ``column`` ``value`` ``message``.
    """

    def __init__(self, message: str, *, errors: "pd.DataFrame") -> None:
        self.errors = errors
        super().__init__(message)


class UnknownInstrument(OrderError, LookupError):
    """The broker lists no such future."""


class DurationTooShort(OrderError, ValueError):
    """The slices do not fit into the time given."""


class PlanExpired(OrderError):
    """The preview is older than its validity."""


class DeskBusy(OrderError):
    """Refused because orders work."""


class RearmRefused(OrderError):
    """The desk stays killed: its orders work still, or ledger and broker do not agree."""


class BrokerError(HydraError):
    """The broker, or the way to it."""


class NotConnected(BrokerError, ConnectionError):
    """There is no connection, or it was lost."""


class GatewayUnreachable(NotConnected):
    """Nobody answers at the address."""


class ClientIdInUse(BrokerError):
    """Another connection holds this client id."""


class LiveNotConfirmed(BrokerError):
    """A live account without its confirmation."""


class LiveNotAllowedHere(LiveNotConfirmed):
    """A live account where no person sits before the notebook, or anybody may."""


class AccountRefused(BrokerError):
    """The account asked for is not there, or several are and none was named."""


class NoReply(BrokerError, TimeoutError):
    """The broker did not answer in time."""


class RequestRefused(BrokerError):
    """The broker answered a request with an error; `code` is its number."""

    def __init__(self, message: str, *, code: int) -> None:
        self.code = code
        super().__init__(f"the gateway refused a request: {message} (code {code})")


class SendRefused(BrokerError):
    """An order without a valid approval or receipt; nothing was sent."""


class JournalError(HydraError):
    """The journal cannot be used; nothing may be sent."""


class JournalLocked(JournalError):
    """Another desk holds the journal."""


class JournalUnreadable(JournalError):
    """Not a journal, torn, or tampered with."""


class JournalOfAnotherAccount(JournalError):
    """The journal belongs to another account."""


class JournalTooNew(JournalError):
    """The journal was written by a later version."""


class JournalUnwritable(JournalError):
    """Disk full, or an input or output error."""


class LimitsError(HydraError, ValueError):
    """A limit is missing, malformed, or unknown."""


class AnalysisError(HydraError):
    """What was to be analysed cannot be."""


class InvalidFrame(AnalysisError, ValueError):
    """A frame lacks columns, or holds rows that would give a wrong number."""


class RehearsalFailed(AnalysisError):
    """A path of a rehearsal could not be run, or the process that ran it died; nothing was sent."""


class InvariantBroken(HydraError):
    """Something that must always hold does not."""


def invariant(holds: bool, message: str) -> None:
    """Raise `InvariantBroken` where `holds` is false, also under ``python -O``."""
    if not holds:
        raise InvariantBroken(message)


def must_be_one_of(value: object, choices: Iterable[str], *, name: str) -> None:
    """Raise `InvalidOrder` where the value of an argument is none of the words that it may be."""
    words = tuple(choices)
    if not (isinstance(value, str) and value in words):
        raise InvalidOrder(f"{name}={value!r:.60}; say {' or '.join(repr(str(word)) for word in words)}")
