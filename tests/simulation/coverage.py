"""Which faults have met orders in which states: the table of pairs, and those that cannot be met."""

from collections import Counter

from hydra_nb.sim.faults import FAULTS, STATES

Pair = tuple[str, str]

HOST_FAULTS = {
    "process killed": "Between two steps the process ends, and nothing of it runs any more; "
    "a page of the journal may be torn.",
    "loop stalled": "The event loop stands still for 1 to 300 s, and everything that came due is then done at once.",
    "disk_full": "Not a page more fits into the journal.",
    "disk_error": "Every statement on the journal is broken off.",
    "disk_busy": "Another program holds the journal for writing.",
    "cell interrupted": "A cell that waits gets a `CancelledError`.",
    "desk closed": "A person closes the desk, cancelling what works or leaving it to its expiry, and opens it again.",
    "killed by a person": "A person kills the desk.",
    "wall clock set": "The host's clock is set by seconds to an hour, forward or back; the desk keeps its time.",
    "zone changed": "The host's time zone changes, as with summer time.",
    "machine asleep": "The machine sleeps for a minute to an hour and the market goes on. Timers then are due at once, "
    "or have stood still; one sleep in three costs the connection.",
    "interrupted in running code": "`KeyboardInterrupt` is raised between two lines that a task of the desk runs. The "
    "loop goes on, as a kernel's does, or every task is cancelled and the program ends, as with `asyncio.run`.",
    "second desk on the journal": "Another program opens a desk on the journal of one that is open. It is refused, "
    "with the process that holds it.",
    "second desk with the client id": "Another program opens a desk with the client id of one on the line. "
    "It is refused.",
    "another account listed": "The gateway restarts and lists another account, in place of the right one or too.",
}
"""What befalls the host, and what that means."""

HOST_KINDS = tuple(HOST_FAULTS)
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


def host_table() -> str:
    """What befalls the host, as Markdown."""
    lines = ["| what | how |", "|---|---|", *(f"| {kind} | {does} |" for kind, does in HOST_FAULTS.items())]
    return "\n".join(lines) + "\n"


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
