"""The part of a desk that learns what its orders cost: predictions against fills, and what a person accepts of it."""

import contextlib
from collections.abc import Iterable
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.slippage import Refit, SlippageReconciler
from hydra_nb.desk.limiting import Limiting
from hydra_nb.domain.calibration import SlippageCalibration
from hydra_nb.domain.events import CalibrationChanged
from hydra_nb.errors import AnalysisError, JournalError, JournalUnwritable

TAKEN_BACK = "taken back, as the journal did not keep the change"


class Calibrating(Limiting):
    """Slippage, predicted and paid, and the calibrations in force."""

    def slippage(self, *, unit: str = "bps", level: float = 0.95, seed: int = 0, **filters: Any) -> SlippageReconciler:
        """Hold the predictions of this journal against its fills; filters as of `fills`.

        Raises
        ------
        AnalysisError
            Unit or level is none.
        """
        in_force = {symbol: held for symbol in self._in_force if (held := self._calibration(symbol)) is not None}
        return SlippageReconciler(self.fills(**filters), unit=unit, level=level, seed=seed, in_force=in_force)

    def calibrations(self) -> pd.DataFrame:
        """One row a symbol whose predictions rest on own fills: constants, evidence, when and why accepted."""
        return frames.calibrations(self._history)

    async def accept_calibration(
        self, proposal: Refit, *, reason: str, symbols: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Predict by what a refit proposes, from the next preview on, and give `calibrations`.

        Each change is journalled, with the reason and the name of the user, and outlives the desk. It changes what is
        predicted and shown, and no limit: the breaker of slippage judges fills by the assumed constants as before.

        Parameters
        ----------
        proposal
            What ``desk.slippage().refit()`` gave, or that of fills from elsewhere.
        reason
            Why, in words.
        symbols
            Which of its symbols; all that it proposes where None.

        Raises
        ------
        AnalysisError
            There is no reason, or nothing proposed for a symbol; nothing was changed.
        JournalUnwritable
            The journal cannot keep it; nothing was changed.
        """
        self._must_be_open()
        if not isinstance(proposal, Refit):
            raise AnalysisError(f"{type(proposal).__name__} is no proposal; give what desk.slippage().refit() gave")
        wanted = list(proposal.calibrations) if symbols is None else _listed(symbols)
        why = {row["symbol"]: row["reason"] for row in proposal.table.to_dict("records")}
        lacking = [one for one in wanted if one not in proposal.calibrations]
        if lacking or not wanted:
            told = "; ".join(f"{one}: {why.get(one, 'no fills')}" for one in lacking or why)
            raise AnalysisError(f"nothing is proposed for {told or 'any symbol: there are no fills'}")
        await self._change({one: proposal.calibrations[one] for one in wanted}, reason=reason)
        return self.calibrations()

    async def drop_calibration(self, symbol: str, *, reason: str) -> pd.DataFrame:
        """Predict a symbol by the assumed constants again, from the next preview on, and give `calibrations`.

        Raises
        ------
        AnalysisError
            There is no reason, or no calibration of the symbol.
        JournalUnwritable
            The journal cannot keep it; nothing was changed.
        """
        self._must_be_open()
        if symbol not in self._in_force:
            raise AnalysisError(f"{symbol!r} has no calibration; there are {', '.join(self._in_force) or 'none'}")
        await self._change({symbol: None}, reason=reason)
        return self.calibrations()

    @property
    def _in_force(self) -> list[str]:
        """Symbols with a calibration in force."""
        return sorted(self._rooms.manager.ledger.calibrations)

    def _calibration(self, symbol: str) -> SlippageCalibration | None:
        return self._rooms.manager.ledger.calibration(symbol)

    async def _change(self, changes: dict[str, SlippageCalibration | None], *, reason: str) -> None:
        """Journal changes and wait for the disk; what did not come to it is taken back."""
        if not isinstance(reason, str) or not reason.strip():
            raise AnalysisError(f"nothing was changed: reason={reason!r} says nothing; say in words why")
        before = {symbol: self._calibration(symbol) for symbol in changes}
        self._journal_changes(changes, reason=reason.strip())
        try:
            await self._rooms.journal.commit()
        except BaseException as error:  # also where the wait was interrupted
            with contextlib.suppress(JournalError):
                self._journal_changes(before, reason=TAKEN_BACK)
            if isinstance(error, JournalError):
                raise JournalUnwritable(f"no calibration was changed: {error}") from error
            raise

    def _journal_changes(self, changes: dict[str, SlippageCalibration | None], *, reason: str) -> None:
        for symbol, calibration in changes.items():
            self._rooms.manager.ingest(
                CalibrationChanged(
                    time_ns=self._rooms.clock.now_ns(),
                    symbol=symbol,
                    calibration=calibration,
                    reason=reason,
                    who=self._rooms.who,
                )
            )


def _listed(symbols: Iterable[str]) -> list[str]:
    """Symbols as a list; one by itself is meant as such."""
    return [symbols] if isinstance(symbols, str) else list(symbols)
