"""The command that reports a trading day of a journal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra_nb.cli.program import SHORT, app, complain, say
from hydra_nb.cli.records import JournalOption, damage_of
from hydra_nb.cli.tables import export, show

if TYPE_CHECKING:
    from hydra_nb.analysis.daily import DailyReport


@app.command("daily-report")
def daily_report(
    journal: JournalOption,
    date: Annotated[
        str | None, typer.Option("--date", help="The day, for instance 2027-01-12; the journal's last if left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write one HTML file instead of tables.")] = None,
    contract_facts: Annotated[
        Path | None, typer.Option("--contract-facts", help="The CSV file in which you tell first notice days.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace any file, not only its own.")] = False,
) -> None:
    """Report a trading day: orders, costs against prediction, positions, cycles, breakers, limits changed, alerts.

    A day goes from 17:00 in Chicago on the day before up to 17:00 in Chicago. The journal is verified first. Of a
    broken one no report is made, and the exit status is 1.
    """
    from hydra_nb.analysis.daily import daily_report
    from hydra_nb.desk.contract_facts import read_contract_facts
    from hydra_nb.journal import JournalReader

    facts = {} if contract_facts is None else read_contract_facts(contract_facts)
    with JournalReader.open(journal) as reader:
        damage = damage_of(reader)
        if damage is not None:
            complain(f"{damage}. No report is made; hydra-nb verify says more.")
            raise typer.Exit(SHORT)
        found = daily_report(reader, date, facts=facts)
    if out is None:
        _print(found)
    else:
        export(lambda: found.save(out, overwrite=overwrite))
        say(f"{out}: report of {found.date}, {out.stat().st_size / 1e3:,.0f} kB; it opens without a network.")


def _print(report: "DailyReport") -> None:
    """The frames that a day is judged by; those of which there is nothing are left out."""
    columns = {
        "orders": "parent_id local_symbol side lots filled_lots shortfall_lots status average_price slippage_bps "
        "messages",
        "currencies": "currency fills filled_lots slippage_cash predicted_fills predicted_cash compared_cash "
        "commission",
        "refusals": "parent_id local_symbol action check times message",
        "positions": "local_symbol position mid value currency days_to_last_trade days_to_notice",
        "account": "currency equity_begin begin equity_end end pnl pnl_percent",
        "cycles": "cycle name day status orders filled_lots message",
        "halts": "time what breaker local_symbol reason",
        "limits": "time symbol limit old new unit change who reason",
        "breaks": "found over kind local_symbol outcome message",
        "alerts": "time cleared kind severity local_symbol message",
        "connection": "lost back down_s state message",
    }
    say(f"{report.date}, from {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, as of {report.as_of}")
    for name, of_frame in columns.items():
        frame = report.frames[name]
        if not frame.empty:
            show(name.capitalize(), frame, of_frame)
