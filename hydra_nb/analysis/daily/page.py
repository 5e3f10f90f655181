"""One page of HTML from the facts of a day, and its short form in a notebook: no script, and nothing from elsewhere."""

from importlib import resources

from hydra_nb.analysis.daily import sections, sections_of_desk
from hydra_nb.analysis.daily.data import block_of
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.daily.words import compared_words, date_words, interval_words, looks, since_words
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report import words
from hydra_nb.analysis.report.data import BLOCK_ID, digest_of
from hydra_nb.analysis.report.parts import escape
from hydra_nb.analysis.report.shell import contents, head_html
from hydra_nb.domain.accounts import mask_accounts
from hydra_nb.errors import invariant

_HERE = resources.files("hydra_nb.analysis.daily")


def head_of(facts: DailyFacts) -> str:
    """How every report of this day and journal begins, whatever it says."""
    return (
        f'<!doctype html>\n<html lang="en" data-hydra-day="{facts.day.date}" '
        f'data-hydra-journal="{escape(facts.journal_id)}">\n'
    )


def page_of(facts: DailyFacts) -> str:
    """The page; the same facts give the same bytes.

    Raises
    ------
    InvariantBroken
        The account number would be on it.
    """
    block = block_of(facts)
    digest = digest_of(block)
    parts = (
        sections.orders(facts),
        sections.slices(facts),
        sections.fills(facts),
        sections.costs(facts),
        sections.positions(facts),
        sections_of_desk.cycles(facts),
        sections_of_desk.safety(facts),
        sections_of_desk.limits(facts),
        sections_of_desk.breaks(facts),
        sections_of_desk.alerts(facts),
        sections_of_desk.connection(facts),
        sections_of_desk.proof(facts, digest=digest),
    )
    style = (_HERE / "daily.css").read_text(encoding="utf-8")
    title = f"{date_words(facts.day)}: trading day of {facts.masked_account}"
    shown = "".join((sections.head(facts), contents(parts), f"<main>{''.join(parts)}</main>", _foot(facts)))
    page = "".join(
        (
            head_of(facts),
            head_html(title, digest=digest, further_style=style),
            '<body><a class="skip" href="#orders">To the orders</a>',
            mask_accounts(shown, account=facts.account),  # tags and reasons are words of people
            f'\n<script type="application/json" id="{BLOCK_ID}">{block}</script>',
            "\n</body>\n</html>\n",
        )
    )
    invariant(facts.account not in page, "a report with the number of its account")
    return page


def _foot(facts: DailyFacts) -> str:
    return (
        f"<footer><p>{date_words(facts.day)}, journal {escape(facts.journal_id)}, {escape(facts.masked_account)}. "
        f"Prices are in the quoted unit; cash is price difference / price magnifier × multiplier × lots, in the "
        f"currency of the contract. An en dash is what the journal does not tell.</p></footer>"
    )


def card_of(facts: DailyFacts) -> str:
    """The short form: which day, what was done and cost, and what to look at."""
    row = facts.summary
    figures = [
        f"{words.plural(row['orders'], 'order')}, {words.plural(row['filled_lots'], 'lot')} filled",
        *(
            f"slippage {words.cash(one['slippage_cash'], currency=one['currency'], signed=True)}, predicted "
            f"{words.cash(one['predicted_cash'], currency=one['currency'], signed=True)} ({compared_words(one)}), fees "
            f"{words.cash(one['commission'], currency=one['currency'])}"
            for one in records(facts.frame("currencies"))
        ),
    ]
    if not words.is_unknown(row["pnl"]):
        figures.append(
            f"equity {since_words(facts)} {words.cash(row['pnl'], currency=str(row['pnl_currency']), signed=True)}"
        )
    listed = "".join(f"<li>{'● ' if one.stands else '○ '}{escape(one.words)}</li>" for one in looks(facts))
    shown = (
        f'<div role="group" aria-label="Trading day"><b>{date_words(facts.day)}</b> · {facts.badge} '
        f"{escape(facts.masked_account)}<br>{escape(interval_words(facts.day))}<br>{escape('; '.join(figures))}"
        f'<ul style="list-style:none;margin:4px 0;padding:0">{listed}</ul></div>'
    )
    return mask_accounts(shown, account=facts.account)
