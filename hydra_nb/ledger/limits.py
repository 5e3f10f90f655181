"""The limits that a journal knows of, folded from its events; what they mean only the gate knows."""

from hydra_nb.domain import events as ev

LimitKey = tuple[str, str]
"""Symbol, or ``*`` for all, and name of the limit."""


class LimitsRecord:
    """Limits by symbol and name; a symbol is there with limits of its own only.

    Attributes
    ----------
    given
        Those that a desk was last opened with.
    in_force
        Those that held last.
    changed_ns
        When each was last changed, UTC nanoseconds; those that never were are not there.
    """

    def __init__(self) -> None:
        self.given: dict[LimitKey, float] = {}
        self.in_force: dict[LimitKey, float] = {}
        self.changed_ns: dict[LimitKey, int] = {}

    def opened(self, event: ev.LimitsOpened) -> None:
        """Take down what a desk was opened with; it holds where nothing did before."""
        self.given = {(one.symbol, one.limit): one.value for one in event.values}
        if not self.in_force:
            self.in_force = dict(self.given)

    def changed(self, event: ev.LimitsChanged) -> None:
        """Put one limit in the place of another."""
        key = event.symbol, event.limit
        self.changed_ns[key] = event.time_ns
        if event.new is None:
            self.in_force.pop(key, None)
        else:
            self.in_force[key] = event.new
