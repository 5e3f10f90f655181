"""The report of a trading day: frames to work with, and one page to read, keep and send."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hydra_nb.analysis.daily.data import FORMAT
from hydra_nb.analysis.daily.day import Day
from hydra_nb.analysis.daily.facts import NOBODY_TOLD, DailyFacts, gather
from hydra_nb.analysis.daily.page import card_of, head_of, page_of
from hydra_nb.analysis.history import History
from hydra_nb.analysis.report.data import frame_from_json, read_block
from hydra_nb.analysis.report.files import begins_with, write_whole
from hydra_nb.domain.instrument import ContractFacts
from hydra_nb.journal import JournalReading


class DailyReport:
    """What the journal tells of one trading day; made by `daily_report`.

    Attributes
    ----------
    date
        The day, by the date on which it ends: ``2027-01-12``.
    since, until
        Its begin and its end, which belongs to the next day, in UTC.
    as_of
        When the journal last told anything.
    is_over
        Whether the journal tells of a later day: then the report will say the same whenever it is made again.
    frames
        All frames by name. Each is an attribute as well.
    summary
        One row: how many orders, fills, breaks and so on, and what they cost.
    currencies, by_contract, predictions
        What the day's fills cost: by currency, by month, and against their predictions.
    orders, slices, late, refusals, fills, costs
        What was worked; costs are of whole orders up to the day's end.
    positions, account
        Where the day left the account.
    limits, calibrations
        What people changed.
    cycles
        What runners did, dry runs among it.
    breakers, halts, breaks, alerts, connection, events
        What went wrong, and what became of it.
    """

    def __init__(self, facts: DailyFacts) -> None:
        self._facts = facts
        self.date = facts.day.date
        self.since = pd.Timestamp(facts.day.since_ns, tz="UTC")
        self.until = pd.Timestamp(facts.day.until_ns, tz="UTC")
        self.as_of = pd.Timestamp(facts.as_of_ns, tz="UTC")
        self.is_over = facts.is_over
        self.frames: Mapping[str, pd.DataFrame] = {name: told.frame for name, told in facts.frames.items()}
        self.summary = self.frames["summary"]
        self.currencies = self.frames["currencies"]
        self.orders = self.frames["orders"]
        self.slices = self.frames["slices"]
        self.late = self.frames["late"]
        self.refusals = self.frames["refusals"]
        self.fills = self.frames["fills"]
        self.costs = self.frames["costs"]
        self.by_contract = self.frames["by_contract"]
        self.predictions = self.frames["predictions"]
        self.positions = self.frames["positions"]
        self.account = self.frames["account"]
        self.limits = self.frames["limits"]
        self.breakers = self.frames["breakers"]
        self.halts = self.frames["halts"]
        self.breaks = self.frames["breaks"]
        self.alerts = self.frames["alerts"]
        self.connection = self.frames["connection"]
        self.calibrations = self.frames["calibrations"]
        self.cycles = self.frames["cycles"]
        self.events = self.frames["events"]

    def save(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the day as one page of HTML, which opens without a network and runs no script; the account is masked.

        The same journal gives the same bytes, with the same version of the package.

        Parameters
        ----------
        path
            Where to. An earlier report of the same day and journal is replaced, any other file only with `overwrite`.
        overwrite
            Replace whatever is there.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        FileExistsError
            There is another file at `path`.
        OSError
            It cannot be written.
        """
        target = Path(path)
        if not overwrite and target.exists() and not begins_with(target, head_of(self._facts)):
            raise FileExistsError(f"{target} is no report of {self.date} of this journal; overwrite replaces it")
        write_whole(target, page_of(self._facts).encode())
        return target

    def __repr__(self) -> str:
        """Say which day it is, and how much was done, in one line."""
        row = self._facts.summary
        return f"<DailyReport {self.date}: {row['orders']} orders, {row['fills']} fills>"

    def _repr_html_(self) -> str:
        return card_of(self._facts)


def daily_report(
    source: JournalReading | History,
    date: Day | None = None,
    *,
    facts: Mapping[str, ContractFacts] = NOBODY_TOLD,
    now_ns: int | None = None,
) -> DailyReport:
    """Make the report of a trading day from a journal, as it stood when the day ended.

    Parameters
    ----------
    source
        The journal, live or at rest, or its `History`.
    date
        ``"2027-01-12"``, a date, or a moment with a time zone, which means the day that holds it. None is the day of
        `now_ns`, or the last of which the journal tells.
    facts
        First notice days by local symbol, as ``connect(contract_facts=...)`` reads them.
    now_ns
        Market time, UTC nanoseconds; None where nobody trades on the journal.

    Raises
    ------
    AnalysisError
        It is no date, or a day of which the journal cannot tell; the message says which days it holds.
    """
    return DailyReport(gather(source, date, facts=facts, now_ns=now_ns))


def read_daily_report(path: Path | str) -> dict[str, pd.DataFrame]:
    """Read the frames of a saved page back, by name, once they agree with their digest.

    Raises
    ------
    AnalysisError
        The file is no daily report that this version can read, or its data were changed.
    OSError
        It cannot be read.
    """
    told = read_block(path, written=FORMAT)
    return {name: frame_from_json(one) for name, one in told["frames"].items()}
