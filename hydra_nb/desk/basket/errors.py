"""All that is wrong with a basket, gathered before anything is said."""

from dataclasses import dataclass
from typing import Any

from hydra_nb.analysis.basket_columns import ERRORS
from hydra_nb.analysis.columns import make_frame
from hydra_nb.errors import BasketErrors

SHOWN = 40
"""Errors that the message lists; the frame has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error: of the row at place `number`, or of the whole frame where it is None."""

    number: int | None
    label: str
    column: str
    value: str
    message: str


class Faults:
    """Takes errors down, and raises them all at once."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._faults)

    def has(self, number: int) -> bool:
        """Whether a row has one."""
        return any(fault.number == number for fault in self._faults)

    def add(self, number: int | None, column: str, value: Any, message: str, *, label: str = "") -> None:
        """Take one down."""
        said = "" if value is None else f"{value}"[:80]
        self._faults.append(Fault(number=number, label=label, column=column, value=said, message=message))

    def raise_any(self) -> None:
        """Raise `BasketErrors` over all of them, in the order of the rows; nothing where there are none."""
        if not self._faults:
            return
        found = sorted(self._faults, key=lambda fault: -1 if fault.number is None else fault.number)
        lines = [
            f"{'the frame' if fault.number is None else f'row {fault.label}'}, {fault.column}: {fault.message}"
            for fault in found[:SHOWN]
        ]
        more = [f"and {len(found) - SHOWN} more, in .errors"] if len(found) > SHOWN else []
        counted = f"{len(found)} error{'s' if len(found) > 1 else ''} in the basket; nothing was sent"
        frame = make_frame(
            ERRORS,
            (
                {"row": fault.label, "column": fault.column, "value": fault.value, "message": fault.message}
                for fault in found
            ),
        )
        raise BasketErrors("\n".join([f"{counted}:", *lines, *more]), errors=frame)
