"""Executions by family, so that a correction replaces what it corrects."""

from hydra_nb.domain.events import ExecutionReported


def split_execution_id(exec_id: str) -> tuple[str, int]:
    """Family and revision: ``0000e0d5.6576fd38.01.02`` is revision 2 of ``0000e0d5.6576fd38.01``.

    An id without a number at its end is a family of its own, at revision 0.
    """
    family, dot, last = exec_id.rpartition(".")
    return (family, int(last)) if dot and family and last.isdecimal() else (exec_id, 0)


class ExecutionBook:
    """All executions known, each once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._latest: dict[str, ExecutionReported] = {}

    def add(self, execution: ExecutionReported) -> bool:
        """Take an execution in; tells whether its id is new."""
        if execution.exec_id in self._seen:
            return False
        self._seen.add(execution.exec_id)
        latest = self._latest.get(execution.family)
        if latest is None or latest.revision < execution.revision:
            self._latest[execution.family] = execution
        return True

    def knows(self, exec_id: str) -> bool:
        """Whether an execution id was taken in."""
        return exec_id in self._seen

    def executed_lots(self, order_ref: str) -> int:
        """Lots of an order over the latest revision of each family."""
        return sum(latest.lots for latest in self._latest.values() if latest.order_ref == order_ref)
