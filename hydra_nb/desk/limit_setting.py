"""Limits at the opening of a desk and while it is open.

What is tightened holds at once, what is loosened once the journal keeps it. Each change is an event with its reason and
who made it.
"""

import asyncio
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.events import LimitsChanged, LimitsOpened, LimitValue
from hydra_nb.errors import JournalError, JournalUnwritable, LimitsError
from hydra_nb.order_manager import OrderManager
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limit_changes import (
    LimitChange,
    asked_limits,
    limit_changes,
    limits_at_opening,
    limits_of,
    own_limits,
    with_changes,
)
from hydra_nb.risk.limits import Limits

AskedLimits = Limits | Mapping[str, object] | str | Path
"""All limits, as such or as the path of a TOML file; or some by name, such as ``{"ZO.collar_ticks": 40}``."""

AT_OPENING = "opened with other limits"
TAKEN_BACK = "taken back, as the journal did not keep the change"


class LimitsNotice(UserWarning):
    """A desk holds to tighter limits than those that it was opened with, or to looser ones than the desk before it."""


def read_limits(limits: object) -> Limits:
    """Limits from an argument: as such, or the path of a TOML file.

    Raises
    ------
    LimitsError
        They are malformed.
    """
    if isinstance(limits, Limits):
        return limits
    if isinstance(limits, str | os.PathLike):
        return Limits.from_toml(Path(limits))
    raise LimitsError(f"limits={limits!r} are none; give hydra_nb.Limits(...), or the path of a TOML file")


def open_limits(manager: OrderManager, *, gate: RiskGate, who: str, now_ns: int) -> None:
    """Bring the limits that a gate was made with together with those of the journal, and journal what is new.

    To be called when the journal is replayed, and before anything can be sent.
    """
    given, record = gate.limits, manager.ledger.limits
    apart, before = own_limits(given), dict(record.in_force)
    holds = limits_at_opening(given, last_given=record.given, in_force=before)
    gate.hold_to(holds)
    if apart != record.given:
        values = tuple(LimitValue(symbol=key[0], limit=key[1], value=value) for key, value in apart.items())
        manager.ingest(LimitsOpened(time_ns=now_ns, values=values, who=who))
    if not before:
        return
    after = own_limits(holds)
    for symbol, limit in dict.fromkeys((*after, *before)):
        old, new = before.get((symbol, limit)), after.get((symbol, limit))
        if old != new:
            manager.ingest(
                LimitsChanged(time_ns=now_ns, limit=limit, symbol=symbol, old=old, new=new, reason=AT_OPENING, who=who)
            )
    _give_notice(kept=limit_changes(given, holds), since_last=limit_changes(limits_of(before), holds))


def _give_notice(*, kept: Iterable[LimitChange], since_last: Iterable[LimitChange]) -> None:
    """Tell what a person may not expect: that a limit is not the one given, or looser than it was."""
    stays = "; ".join(f"{one.name} stays at {one.becomes:,.15g}, not {one.was:,.15g} as given" for one in kept)
    looser = "; ".join(f"{one}" for one in since_last if one.loosens)
    words = [f"Tightened before: {stays}; loosen with await desk.set_limits(..., reason=...)."] if stays else []
    words += [f"Looser than when this journal was last open: {looser}."] if looser else []
    if words:
        notice = LimitsNotice(" ".join(words))
        # Each time, and without the file of the caller: what a cell shows is saved with the notebook.
        warnings.warn_explicit(notice, LimitsNotice, filename="hydra_nb", lineno=1)


class LimitSetter:
    """Changes the limits of an open desk."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._loosening = asyncio.Lock()

    async def set(self, asked: AskedLimits, *, reason: str | None) -> None:
        """Put other limits in force; see `Desk.set_limits`."""
        now = self._rooms.gate.limits
        changes = limit_changes(now, asked_limits(now, asked) if isinstance(asked, Mapping) else read_limits(asked))
        loosened = [one for one in changes if one.loosens]
        why = _reason(reason, loosened=loosened)
        tightened = [one for one in changes if not one.loosens]
        if tightened:
            self._hold_to(tightened)
            self._journal(tightened, reason=why)
        if loosened:
            async with self._loosening:
                await self._loosen(loosened, reason=why, tightened=tightened)
        elif tightened:
            try:
                await self._rooms.journal.commit()
            except JournalError as error:
                raise _unkept(error, tightened=tightened) from error

    async def _loosen(self, asked: list[LimitChange], *, reason: str, tightened: list[LimitChange]) -> None:
        """Journal, wait for the disk, and only then allow more; what did not come to the disk is taken back."""
        now = self._rooms.gate.limits
        changes = limit_changes(now, with_changes(now, asked))  # another call may have come before
        self._journal(changes, reason=reason)
        try:
            await self._rooms.journal.commit()
        except BaseException as error:  # also where the wait was interrupted
            self._take_back(changes)
            if isinstance(error, JournalError):
                raise _unkept(error, tightened=tightened, loosened=changes) from error
            raise
        held = own_limits(self._rooms.gate.limits)  # what was tightened during the wait stays so
        self._hold_to([one for one in changes if held.get((one.symbol, one.limit)) == one.old])

    def _hold_to(self, changes: Iterable[LimitChange]) -> None:
        gate = self._rooms.gate
        gate.hold_to(with_changes(gate.limits, changes))
        self._rooms.manager.tell_listeners()

    def _take_back(self, changes: Iterable[LimitChange]) -> None:
        in_force = self._rooms.manager.ledger.limits.in_force
        for one in changes:
            if in_force.get((one.symbol, one.limit)) == one.new:
                self._ingest(one, old=one.new, new=one.old, reason=TAKEN_BACK)

    def _journal(self, changes: Iterable[LimitChange], *, reason: str) -> None:
        for one in changes:
            self._ingest(one, old=one.old, new=one.new, reason=reason)

    def _ingest(self, change: LimitChange, *, old: float | None, new: float | None, reason: str) -> None:
        self._rooms.manager.ingest(
            LimitsChanged(
                time_ns=self._rooms.clock.now_ns(),
                limit=change.limit,
                symbol=change.symbol,
                old=old,
                new=new,
                reason=reason,
                who=self._rooms.who,
            )
        )


def _reason(reason: str | None, *, loosened: list[LimitChange]) -> str:
    """Give the words for the journal, which what is loosened must have."""
    if reason is not None and not isinstance(reason, str):
        raise LimitsError(f"reason={reason!r} is no text; say in words why, nothing was changed")
    why = (reason or "").strip()
    if loosened and not why:
        told = "; ".join(map(str, loosened))
        raise LimitsError(f"nothing was changed, as these are loosened without a reason: {told}; give reason='...'")
    return why


def _unkept(
    error: JournalError, *, tightened: Iterable[LimitChange], loosened: Iterable[LimitChange] = ()
) -> JournalUnwritable:
    told = [f"in force all the same: {one}" for one in tightened]
    told += [f"not loosened: {one}" for one in loosened]
    return JournalUnwritable(f"{'; '.join(told)}: {error}")
