"""The numbers of a day's page as a program reads them: one block of JSON."""

from typing import Final

from hydra_nb import __version__
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.report.data import frame_as_json, moment_text, safe_json

FORMAT: Final = "hydra_nb daily report 1"


def block_of(facts: DailyFacts) -> str:
    """All that a day's report tells as JSON, in a form that may stand in HTML as it is."""
    last = facts.last
    told = {
        "format": FORMAT,
        "version": __version__,
        "date": facts.day.date.isoformat(),
        "since": moment_text(facts.day.since_ns),
        "until": moment_text(facts.day.until_ns),
        "as_of": moment_text(facts.as_of_ns),
        "is_over": facts.is_over,
        "journal_id": facts.journal_id,
        "account": facts.masked_account,
        "badge": facts.badge,
        "last_row": None if last is None else {"seq": last.seq, "hash": last.hash},
        "frames": {name: frame_as_json(one) for name, one in facts.frames.items()},
    }
    return safe_json(told)
