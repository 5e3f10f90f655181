"""Which codes of the broker's message 4 reject an order message; after IB's list "TWS API message codes".

Everything that names an order of ours rejects its last place or modify, but for what is listed here: a code that we do
not know counts against us.
"""

_ALREADY_FILLED = frozenset({104})
"""A modify that came when the order had filled: late, and not wrong."""

_ANSWERS_TO_CANCELS = frozenset({135, 136, 161, 202, 10147, 10148})

_NOTICES = frozenset({399, 404, 10349, *range(2100, 2170)})
"""What accompanies a living order: held until the open, short shares looked for, a preset's time in force, warnings."""

_NO_REJECTIONS = _ALREADY_FILLED | _ANSWERS_TO_CANCELS | _NOTICES


def is_rejection(code: int) -> bool:
    """Whether a code that names an order of ours rejects its last place or modify; codes below 1 are our own words."""
    return code > 0 and code not in _NO_REJECTIONS
