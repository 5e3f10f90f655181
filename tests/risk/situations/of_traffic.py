"""Messages, and orders at work."""

from hydra_nb.domain.orders import Action
from hydra_nb.risk.case import Case

from .building import at

OF_TRAFFIC: dict[str, dict[str, Case]] = {
    "active_orders": {
        "15": at(active_orders=14),
        "17": at(active_orders=16),
        "a modify": at(active_orders=16, case={"action": Action.MODIFY}),
    },
    "one_modify": {
        "a modify": at(case={"action": Action.MODIFY}),
        "a second modify": at(modify_pending=True, case={"action": Action.MODIFY}),
        "a place": at(modify_pending=True),
    },
    "parents_at_work": {"25": at(parents_at_work=24), "27": at(parents_at_work=26)},
    "message_budget": {"40": at(messages_last_second=39), "42": at(messages_last_second=41)},
    "parent_messages": {
        "200": at(case={"messages": 200}),
        "none": at(case={"messages": 0}),
        "201": at(case={"messages": 201}),
        "less than none": at(case={"messages": -1}),
        "a child, 200 with it": at(parent_messages=199),
        "a child, 201 with it": at(parent_messages=200),
        "a plan of 201": at(case={"action": Action.PARENT, "messages": 201}),
    },
    "order_efficiency": {
        "20": at(case={"messages": 60}),
        "none": at(case={"messages": 0}),
        "20.5": at(case={"messages": 41, "lots": 2}),
        "less than none": at(case={"messages": -1}),
        "of one lot": at(case={"messages": 20, "lots": 1}),
        "without lots": at(case={"lots": 0}),
    },
}
