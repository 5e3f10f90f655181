"""What was tried, what came of it, and how long it took."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from hydra_nb.clock import Clock
from hydra_nb.domain.accounts import mask_accounts
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import HydraError, RequestRefused

READ_ONLY = 321
READ_ONLY_REMEDY = "Turn off Read-Only API in the settings of the gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one check.

    Attributes
    ----------
    holds
        None where it could not be tried.
    expected, observed
        In words, short.
    message
        What it means, and what to do where it does not hold.
    """

    holds: bool | None
    expected: str
    observed: str
    message: str = ""


class Findings:
    """The rows of one self-test, in the order in which they were tried.

    Parameters
    ----------
    clock
        Market time.
    account
        Its number is masked wherever words of the broker hold it.
    """

    def __init__(self, clock: Clock, *, account: str) -> None:
        self.rows: list[dict[str, Any]] = []
        self._clock = clock
        self._account = account

    async def take(self, check: str, work: Callable[[], Awaitable[Finding]], *, expected: str) -> Finding:
        """Try one check and keep its row; an error of the broker, or a refusal, is a finding as well."""
        began_ns = self._clock.now_ns()
        try:
            found = await work()
        except HydraError as error:
            message = f"{READ_ONLY_REMEDY}: {error}" if _is_read_only(error) else str(error)
            found = Finding(holds=False, expected=expected, observed=type(error).__name__, message=message)
        self.add(check, found, seconds=(self._clock.now_ns() - began_ns) / NS_PER_S)
        return found

    def add(self, check: str, found: Finding, *, seconds: float = 0.0) -> None:
        """Keep a row."""
        words = {name: self._masked(value) for name, value in asdict(found).items()}
        self.rows.append({"check": check, **words, "seconds": seconds})

    def _masked(self, value: Any) -> Any:
        return mask_accounts(value, account=self._account) if isinstance(value, str) else value


def _is_read_only(error: HydraError) -> bool:
    return isinstance(error, RequestRefused) and error.code == READ_ONLY
