"""The page of evidence: figures of each file, and every survivor with the reason why it is let live."""

import collections
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from tests.mutants.mutants import ROOT, Mutant
from tests.mutants.trial import Outcome

SIGN = "The sign of a side is 1 or −1: never 0, and to divide by it is to multiply by it."
SAME = "The other branch gives the same there."
NEVER = (
    "Cannot be reached: what is asked for was looked at before. The question stays, for whoever calls it another way."
)
NAMES = "The name of a type, of which only annotations speak."
CACHE = "How many answers are kept is a matter of time and memory, not of answers."

NONE = "None is as false as False, and is only asked whether it is true."
ORDER = "Of all first or by symbol: no limit is tightened by what another became, so that any order gives the same."
LATER = "What is no limit, or no symbol's, is left out in the end as well, when limits are put together."
LETTERS = "Strips letters too, of which there are none there."
ZERO = "Nothing is 0 there: a position of no lots trips nothing, and a price at its anchor is within."
HALVES = "Of an order in two slices twice a half is all, so that one slice and two are alike."
LINE = "Comments and empty lines are then known too, under names that nobody asks for."

REASONS: Sequence[tuple[str, str, str]] = (
    ("checks_bands.py", "/ case.side.sign", SIGN),
    ("*", "case.side.sign >= 0", SIGN),
    ("*", "if sign >= 0", SIGN),
    ("*", "_REMEMBERED = ", CACHE),
    ("*", "→ Key = None", NAMES),
    ("*", "→ Keys = None", NAMES),
    ("*", "→ OwnLimits = None", NAMES),
    ("limits.py", "_by_symbol: Mapping", NONE),
    ("limits.py", "by_symbol = None", NONE),
    ("gate.py", "redeemed: bool = None", NONE),
    ("gate.py", "slices: int = 2", HALVES),
    ("case.py", "if slices <= 2", HALVES),
    ("limit_changes.py", "key=None", ORDER),
    ("limit_changes.py", "sorted({*own, *in_force}, )", ORDER),
    ("limit_changes.py", "_is_limit(name, kept", LATER),
    ("limit_names.py", "get_close_matches", "More near names are found, of which the first is told."),
    ("limits_file.py", "UTF-8", "The same encoding by another name."),
    ("limits_file.py", "words or not words", LINE),
    ("limits_file.py", "XX#XX", LINE),
    ("breakers.py", "rstrip(", LETTERS),
    ("breakers.py", "lots >= 0", ZERO),
    ("bands.py", "away >= 0", ZERO),
    ("checks.py", '"XXXX"', "Every check has a docstring; a test compares the page that is made of them."),
    ("checks_market.py", "age_s >= limit", NEVER),
    ("checks_price.py", "case.price is None and case.reference is None", NEVER),
    ("checks_shares.py", "(None, 1) if quote is None", SAME),
    ("checks_size.py", "lots >= 0 and isinstance", "Of no lots none can be left, which is asked as well."),
    ("checks_size.py", "if cash < 0", "A share of an equity of 0 is no lot either."),
    (
        "whole_order.py",
        "+ 2) // 2",
        "The steps to the most lots are others, and end there too.",
    ),
    (
        "whole_order.py",
        "_PRICE_CURES) or True",
        "What lots would cure is refused at any price, so that none is found.",
    ),
)
"""File, words of the change, and why no test can tell it, or none should."""

_HEAD = """# Mutants of the risk gate

One small fault at a time is put into `hydra_nb/risk`: an operator turned round, a number one more, an argument left out
or None, a condition that always holds, words in other letters. The tests of `tests/risk` must notice it. What a fault
is, is mutmut's choice; but where mutmut changes plain functions only, here **all of the room's code** is changed, too
the tables of checks and limits, defaults, properties, and functions that remember. Words are among it, as a person acts
on them. Left alone are docstrings, annotations, decorators, and the text between the figures of a formatted message.

Each mutant has a process of its own. One of a function takes the place of the function that lives, with the tests
collected already, and is tried with the tests that call it, the long search by trying everything only for
`whole_order.py`. One of what runs at import is imported anew. A trial that takes a minute of the processor counts as
noticed: it does not end. As a control each file is tried without a fault, both ways, which no test may notice, or the
run is void. Hypothesis draws the same examples each time. `.ci/full` fails under 90 %.

Made by `python -m tests.mutants --page docs/evidence/mutants.md` at commit {commit}, in {time_s:,.0f} s with {workers}
processes, beside other work: **{noticed:,} of {all:,} noticed, {score:.1f} %**.

"""


def page(mutants: Sequence[Mutant], outcomes: Mapping[str, Outcome], *, time_s: float, workers: int) -> str:
    """The whole page, in Markdown."""
    figures = figures_of(mutants, outcomes)
    noticed, survived = figures[-1][2] + figures[-1][3], figures[-1][4]
    head = _HEAD.format(
        commit=_commit(),
        time_s=time_s,
        workers=workers,
        noticed=noticed,
        all=noticed + survived,
        score=figures[-1][5],
    )
    return head + table(figures) + "".join(_survivors(mutants, outcomes))


Figures = tuple[str, int, int, int, int, float]


def figures_of(mutants: Sequence[Mutant], outcomes: Mapping[str, Outcome]) -> list[Figures]:
    """Of each file, and last of all: mutants, killed, timeouts, survivors, and the percentage noticed."""
    counts: dict[str, collections.Counter[Outcome]] = {}
    for mutant in mutants:
        counts.setdefault(mutant.file, collections.Counter())[outcomes[mutant.name]] += 1
    counts["all"] = sum(counts.values(), collections.Counter())
    figures = []
    for file, count in counts.items():
        killed, timeouts = count[Outcome.KILLED], count[Outcome.TIMEOUT]
        made = count.total()
        figures.append((file, made, killed, timeouts, made - killed - timeouts, 100 * (killed + timeouts) / made))
    return figures


def table(figures: Sequence[Figures]) -> str:
    """The figures as a table."""
    lines = ["| file | mutants | killed | timeouts | survived | noticed |", "|---|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {file} | {made:,} | {killed:,} | {timeouts} | {survived} | {score:.1f} % |"
        for file, made, killed, timeouts, survived, score in figures
    ]
    return "\n".join(lines) + "\n"


def _survivors(mutants: Sequence[Mutant], outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    by_reason: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        if outcomes[mutant.name] in (Outcome.SURVIVED, Outcome.UNCALLED):
            by_reason.setdefault(_reason(mutant), []).append(mutant)
    yield "\n## Survivors\n"
    for reason, alike in sorted(by_reason.items(), key=lambda pair: -len(pair[1])):
        yield f"\n**{len(alike)}. {reason}**\n\n"
        for mutant in alike:
            yield f"- `{mutant.file}`, `{mutant.place or 'module'}`: `{mutant.change.replace('`', '')}`\n"


def _reason(mutant: Mutant) -> str:
    for file, words, reason in REASONS:
        if file in ("*", mutant.file) and words in mutant.change:
            return reason
    return "Not looked into yet."


def _commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
