"""The report of one parent order: its whole life on one page that opens anywhere, made from the journal alone.

`write_report` writes it, `read_report` gives back the frames that it was made of.
"""

from hydra_nb.analysis.report.data import Report, read_report
from hydra_nb.analysis.report.writing import write_report

__all__ = ["Report", "read_report", "write_report"]
