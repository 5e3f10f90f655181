"""What to say of a name that is no limit: the nearest that is one, with its unit."""

import difflib
import re
from collections.abc import Mapping

_WITH_UNIT = re.compile(
    r"(.+)_(?:ns|us|ms|s|secs?|seconds?|mins?|minutes?|h|hours?|d|days?|pct|perc|percent|bps?|fraction|ratio|ticks?|points?"
    r"|lots?|contracts?|cash|usd|eur|gbp|dollars?|messages?)"
)
_ADVICE = "see docs/checks.md for the limits there are"


def unknown_limit(name: str, *, units: Mapping[str, str]) -> str:
    """Say that a limit is unknown, and which may be meant.

    Parameters
    ----------
    name
        As it was written.
    units
        The limits that there are, with their units.

    Returns
    -------
    str
        Where only the unit of the name is another, all limits of that name in other units: who wrote
        ``max_quote_age_ms`` has a number in milliseconds, and must give one in seconds.
    """
    written = name.lower().replace("-", "_")
    same = [known for known in units if _without_unit(known) == _without_unit(written)]
    if same:
        listed = " or ".join(f"{known} ({units[known]})" for known in same)
        return f"unknown limit {name!r}; the limit is {listed}"
    near = difflib.get_close_matches(written, units, n=1)
    if near:
        return f"unknown limit {name!r}; did you mean {near[0]} ({units[near[0]]})?"
    return f"unknown limit {name!r}; {_ADVICE}"


def _without_unit(name: str) -> str:
    """A name without the unit at its end."""
    found = _WITH_UNIT.fullmatch(name)
    return name if found is None else found[1]
