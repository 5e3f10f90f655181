"""The report of a trading day: what was done, what it cost, what went wrong and where it left the account.

`daily_report` makes it from the journal alone; `read_daily_report` gives back the frames that a page was made of.
"""

from hydra_nb.analysis.daily.day import TradingDay
from hydra_nb.analysis.daily.report import DailyReport, daily_report, read_daily_report

__all__ = ["DailyReport", "TradingDay", "daily_report", "read_daily_report"]
