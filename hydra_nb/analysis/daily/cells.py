"""Columns of tables that only the page of a day has: times without its date, and prices of several contracts."""

from hydra_nb.analysis.daily.day import TIME_ZONE
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.report import words
from hydra_nb.analysis.report.parts import NUMBER, Html, Row, Shown


def clock(name: str, head: str, facts: DailyFacts) -> tuple[Shown, Shown]:
    """Two columns of a time, in Chicago and in UTC, to the second; with its date where that is not the day's."""

    def local(row: Row) -> str:
        shown = _short(words.at_exchange(row[name], time_zone=TIME_ZONE), facts)
        if shown == words.UNKNOWN:
            return shown
        return Html(f'<time datetime="{words.machine_time(row[name])}">{shown}</time>')

    return Shown(head=f"{head}, Chicago", write=local), Shown(
        head="UTC", write=lambda row: _short(words.in_utc(row[name]), facts)
    )


def local_clock(name: str, head: str, facts: DailyFacts) -> Shown:
    """The first column of `clock`, where the table has no room for both."""
    return clock(name, head, facts)[0]


def _short(shown: str, facts: DailyFacts) -> str:
    date, _, time = shown.partition(" ")
    if not time:
        return shown
    return time[:8] if date == facts.day.date.isoformat() else f"{date} {time[:8]}"


def price(name: str, head: str, facts: DailyFacts) -> Shown:
    """A price with the decimals of its contract's tick."""

    def write(row: Row) -> str:
        contract = facts.contracts.get(row["local_symbol"])
        return words.figure(row[name]) if contract is None else words.price(row[name], contract=contract)

    return Shown(head=head, write=write, style=NUMBER)
