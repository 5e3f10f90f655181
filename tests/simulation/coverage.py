"""Which faults have met orders in which states: the table of pairs, and those that cannot be met."""

from collections import Counter

from hydra_nb.sim.faults import FAULTS, STATES

Pair = tuple[str, str]

HOST_KINDS = (
    "process killed",
    "loop stalled",
    "disk_full",
    "disk_error",
    "disk_busy",
    "cell interrupted",
    "desk closed",
    "killed by a person",
)
"""What befalls the host; the states of orders are then those of the ledger."""

HOST_STATES = ("none", "reserved", "sent", "working", "cancel_pending", "unknown")


def gateway_pairs() -> list[Pair]:
    """Every pair of a fault of the gateway and an order state in which it can strike."""
    return [(name, state) for name, kind in FAULTS.items() for state in kind.states]


def legal_pairs() -> list[Pair]:
    """Every pair that must be visited."""
    return gateway_pairs() + [(kind, state) for kind in HOST_KINDS for state in HOST_STATES]


def illegal_pairs() -> dict[Pair, str]:
    """Pairs that cannot come about, with the reason."""
    reasons = {}
    for name, kind in FAULTS.items():
        for state in STATES:
            if state not in kind.states:
                reasons[name, state] = f"strikes when {kind.occasion}, which is never so for an order that is {state}"
    return reasons


def table(visited: Counter[Pair]) -> str:
    """The counts of all pairs, as Markdown, and what is missing."""
    lines = [*_part("gateway", tuple(FAULTS), STATES, visited), ""]
    lines += [*_part("host", HOST_KINDS, HOST_STATES, visited), ""]
    legal, illegal = legal_pairs(), illegal_pairs()
    missing = [f"{kind} × {state}" for kind, state in legal if not visited[kind, state]]
    share = len(illegal) / (len(legal) + len(illegal))
    lines.append(f"{len(legal) - len(missing)} of {len(legal)} legal pairs visited; {len(illegal)} pairs are illegal")
    lines[-1] += f" ({share:.0%})."
    if missing:
        lines.append(f"Not visited: {'; '.join(missing)}.")
    return "\n".join(lines)


def illegal_table() -> str:
    """The pairs called illegal, by reason."""
    by_reason: dict[str, list[str]] = {}
    for (kind, _), reason in illegal_pairs().items():
        by_reason.setdefault(reason, []).append(kind)
    return "\n".join(f"- {', '.join(kinds)}: {reason}" for reason, kinds in by_reason.items())


def _part(title: str, kinds: tuple[str, ...], states: tuple[str, ...], visited: Counter[Pair]) -> list[str]:
    legal = set(legal_pairs())
    lines = [f"| {title} | {' | '.join(states)} |", "|---|" + "---|" * len(states)]
    for kind in kinds:
        cells = [f"{visited[kind, state]}" if (kind, state) in legal else "·" for state in states]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines
