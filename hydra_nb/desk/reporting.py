"""The part of a desk that closes a day: its report, from the journal alone."""

from hydra_nb.analysis.daily import DailyReport, daily_report
from hydra_nb.analysis.daily.day import Day
from hydra_nb.desk.selftesting import Selftesting


class Reporting(Selftesting):
    """Reports of trading days."""

    def daily_report(self, date: Day | None = None) -> DailyReport:
        """Report a trading day: orders, costs against prediction, positions, and all that went wrong.

        It reads the journal as it stood when the day ended. Of a day that goes on it says until when it tells.

        Parameters
        ----------
        date
            ``"2027-01-12"``, a date, or a moment with a time zone, which means the day that holds it; None is today.
            A day goes from 17:00 in Chicago on the day before up to 17:00 in Chicago.

        Returns
        -------
        DailyReport
            `save` writes it as one page of HTML; its frames are attributes, ``report.orders``.

        Raises
        ------
        AnalysisError
            It is no date, or a day of which the journal cannot tell; the message says which days it holds.
        """
        return daily_report(
            self._history, date, facts=self._rooms.manager.snapshots.facts, now_ns=self._rooms.clock.now_ns()
        )
