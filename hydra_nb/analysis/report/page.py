"""One page of HTML from the facts of an order: nothing that it needs is anywhere else."""

from collections.abc import Sequence
from importlib import resources

from plotly.offline import get_plotlyjs

from hydra_nb.analysis.report import proof, sections, words
from hydra_nb.analysis.report.data import BLOCK_ID, block_of, digest_of, safe_json
from hydra_nb.analysis.report.facts import Facts
from hydra_nb.analysis.report.figures import figures_of
from hydra_nb.analysis.report.parts import escape
from hydra_nb.analysis.report.shell import contents, head_html
from hydra_nb.domain.accounts import mask_accounts
from hydra_nb.errors import invariant

_HERE = resources.files("hydra_nb.analysis.report")


def head_of(facts: Facts) -> str:
    """How every report of this order begins, whatever it says."""
    return (
        '<!doctype html>\n<html lang="en" '
        f'data-hydra-report="{escape(facts.parent_id)}" data-hydra-journal="{escape(facts.journal_id)}">\n'
    )


def page_of(facts: Facts) -> str:
    """The page; the same facts give the same bytes.

    Raises
    ------
    InvariantBroken
        The account number would be on it.
    """
    account = facts.record.plan.parent.account
    figures = figures_of(facts)
    block = block_of(facts)
    digest = digest_of(block)
    parts = (
        sections.plan(facts, figures),
        sections.expected(facts),
        sections.decisions(facts, figures),
        sections.orders(facts),
        sections.fills(facts, figures),
        proof.costs(facts, figures),
        proof.limits(facts),
        proof.disturbances(facts),
        proof.audit(facts),
        proof.proof(facts, digest=digest),
    )
    scripts = [get_plotlyjs(), (_HERE / "figures.js").read_text(encoding="utf-8")]
    drawn = safe_json([one.as_json for one in figures.values()])
    shown = "".join((sections.head(facts), contents(parts), f"<main>{''.join(parts)}</main>", _foot(facts)))
    page = "".join(
        (
            head_of(facts),
            _head(facts, digest=digest, scripts=scripts),
            '<body><a class="skip" href="#plan">To the plan</a>',
            mask_accounts(shown, account=account),  # tags and reasons are words of people
            f'\n<script type="application/json" id="{BLOCK_ID}">{block}</script>',
            f'\n<script type="application/json" id="hydra-figures">{drawn}</script>',
            *(f"\n<script>{script}</script>" for script in scripts),
            "\n</body>\n</html>\n",
        )
    )
    invariant(account not in page, "a report with the number of its account")
    return page


def _head(facts: Facts, *, digest: str, scripts: Sequence[str]) -> str:
    parent = facts.plan.parent
    title = (
        f"{facts.parent_id}: {parent.side} {parent.lots} {parent.contract.local_symbol}, "
        f"{words.status_words(facts.record.status)}"
    )
    return head_html(title, digest=digest, scripts=scripts)


def _foot(facts: Facts) -> str:
    when = words.moment(facts.as_of_ns, time_zone=facts.contract.time_zone)
    return (
        f"<footer><p>{escape(facts.parent_id)} of journal {escape(facts.journal_id)}, {escape(facts.account)}, as of "
        f"{escape(when)}. Prices are in the quoted unit; cash is price "
        f"difference / {facts.contract.price_magnifier} × {facts.contract.multiplier} × lots, in "
        f"{escape(facts.contract.currency)}.</p></footer>"
    )
