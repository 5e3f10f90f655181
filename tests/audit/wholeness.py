"""Whether a life holds all that it should, by the fields of the events alone."""

from collections.abc import Sequence

import pandas as pd

from hydra_nb.domain import events as ev

Journalled = Sequence[tuple[int, ev.Event]]
OF_ALL = (ev.ConnectionChanged, ev.Killed, ev.Rearmed, ev.Reconciled, ev.AccountReported, ev.ClockMeasured)
"""Facts that concern every parent at work."""


def own_rows(journalled: Journalled, parent_id: str) -> list[int]:
    """Numbers of the events that name a parent, an order of it, or an execution of one, whatever its revision."""
    orders = {
        event.child.order_ref
        for _, event in journalled
        if isinstance(event, ev.ChildReserved) and event.child.parent_id == parent_id
    }
    families = {
        event.family for _, event in journalled if isinstance(event, ev.ExecutionReported) and event.order_ref in orders
    }

    def names_it(event: ev.Event) -> bool:
        child = event.child.parent_id if isinstance(event, ev.ChildReserved) else None
        charged = event.exec_id.rpartition(".")[0] if isinstance(event, ev.CommissionReported) else None
        return (
            parent_id in (child, getattr(event, "parent_id", None))
            or getattr(event, "order_ref", None) in orders
            or charged in families
        )

    return [seq for seq, event in journalled if names_it(event)]


def what_is_wrong(frame: pd.DataFrame, journalled: Journalled, decisions: Sequence[int], parent_id: str) -> str | None:
    """What a life lacks, tells twice, or tells out of order; None where it is whole."""
    own = own_rows(journalled, parent_id)
    is_event = frame["decision"].isna()
    told = frame[is_event & (frame["about"] == "parent")]["seq"].tolist()
    desk = frame[frame["about"] == "desk"]["seq"].tolist()
    if told != own:
        return f"{parent_id}: rows {sorted(set(own) ^ set(told)) or told} are missing, strange, or told twice"
    if not frame["seq"].is_monotonic_increasing or frame[is_event]["seq"].duplicated().any():
        return f"{parent_id}: its life is not in order"
    if frame["decision"].dropna().tolist() != list(decisions):
        return f"{parent_id}: {len(decisions)} decisions were made, and others are told"
    if any(seq <= own[0] for seq in desk):
        return f"{parent_id}: facts of the desk are told from before its life"
    common = {seq for seq, event in journalled if isinstance(event, OF_ALL) and own[0] < seq < own[-1]}
    if not common <= set(desk):
        return f"{parent_id}: rows {sorted(common - set(desk))} concerned the whole desk, and are not told"
    return None
