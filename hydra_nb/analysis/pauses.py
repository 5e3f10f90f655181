"""Pauses and interruptions of parents, and by how much they moved what was planned."""


class Pauses:
    """Pauses by parent; UTC nanoseconds."""

    def __init__(self) -> None:
        self._over: dict[str, list[tuple[int, int]]] = {}
        self._since: dict[str, int] = {}

    def begin(self, parent_id: str, since_ns: int) -> None:
        """Note a pause or an interruption; one that stands already goes on."""
        self._since.setdefault(parent_id, since_ns)

    def resume(self, parent_id: str, time_ns: int, *, begins_ns: int) -> None:
        """Note that the schedule, which began or was to begin at a time, goes on: a pause before moves nothing."""
        since_ns = max(self._since.pop(parent_id, time_ns), begins_ns)
        if since_ns < time_ns:
            self._over.setdefault(parent_id, []).append((since_ns, time_ns))

    def finish(self, parent_id: str) -> None:
        """Note that the parent is over."""
        self._since.pop(parent_id, None)

    def standing_since_ns(self, parent_id: str) -> int | None:
        """Since when a pause holds a parent; None where none does."""
        return self._since.get(parent_id)

    def moved_ns(self, parent_id: str, time_ns: int) -> int:
        """Nanoseconds by which pauses that are over moved what was planned for `time_ns`."""
        moved_ns = 0
        for paused_ns, resumed_ns in self._over.get(parent_id, ()):
            if time_ns + moved_ns >= paused_ns:
                moved_ns += resumed_ns - paused_ns
        return moved_ns
