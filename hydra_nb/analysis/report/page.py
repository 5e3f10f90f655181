"""One page of HTML from the facts of an order: nothing that it needs is anywhere else."""

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib import resources

from plotly.offline import get_plotlyjs

from hydra_nb.analysis.report import proof, sections, words
from hydra_nb.analysis.report.data import BLOCK_ID, DIGEST_NAME, block_of, digest_of, safe_json
from hydra_nb.analysis.report.facts import Facts
from hydra_nb.analysis.report.figures import figures_of
from hydra_nb.analysis.report.parts import escape
from hydra_nb.domain.accounts import mask_accounts
from hydra_nb.errors import invariant

_HERE = resources.files("hydra_nb.analysis.report")
_HEADING = re.compile(r'<h2 id="([\w-]+)-h">([^<]+)</h2>')


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
    shown = "".join((sections.head(facts), _contents(parts), f"<main>{''.join(parts)}</main>", _foot(facts)))
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
    """Title, style, and a policy by which the browser itself loads nothing and runs no other script."""
    parent = facts.plan.parent
    title = (
        f"{facts.parent_id}: {parent.side} {parent.lots} {parent.contract.local_symbol}, "
        f"{words.status_words(facts.record.status)}"
    )
    own = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts)
    policy = f"default-src 'none'; script-src {own}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    return (
        '<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="{DIGEST_NAME}" content="{digest}">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
    )


def _contents(parts: Sequence[str]) -> str:
    """Links to the sections."""
    found = [_HEADING.search(part) for part in parts]
    links = "".join(f'<li><a href="#{one[1]}">{one[2]}</a></li>' for one in found if one is not None)
    return f'<nav aria-label="On this page"><ol>{links}</ol></nav>'


def _foot(facts: Facts) -> str:
    when = words.moment(facts.as_of_ns, time_zone=facts.contract.time_zone)
    return (
        f"<footer><p>{escape(facts.parent_id)} of journal {escape(facts.journal_id)}, {escape(facts.account)}, as of "
        f"{escape(when)}. Prices are in the quoted unit; cash is price "
        f"difference / {facts.contract.price_magnifier} × {facts.contract.multiplier} × lots, in "
        f"{escape(facts.contract.currency)}.</p></footer>"
    )
