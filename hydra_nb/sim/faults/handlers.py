"""What each kind of fault does, by the occasion that it waits for."""

from hydra_nb.sim.faults import messages, tcp, venue
from hydra_nb.sim.faults.messages import answers_query, say_outage, waiting
from hydra_nb.sim.faults.table_of_messages import ERROR_TEXTS
from hydra_nb.sim.faults.venue import is_read_only, ticks

__all__ = [
    "ON_MESSAGE",
    "ON_ORDER",
    "ON_QUERY",
    "ON_REQUEST",
    "ON_START",
    "ON_TIME",
    "answers_query",
    "is_read_only",
    "say_outage",
    "ticks",
    "waiting",
]

ON_TIME = {
    "segments": tcp.segments,
    "half_open": tcp.half_open,
    "one_way_loss": tcp.one_way_loss,
    "unknown_message": tcp.unknown_message,
    "delayed": messages.delayed,
    "reordered": messages.reordered,
    "outage_1101": messages.outage,
    "outage_1102": messages.outage,
    "farm_flap": messages.farm_flap,
    "clock_jump": messages.clock_jump,
    "foreign_order": venue.foreign_order,
    "nightly_restart": venue.nightly_restart,
    "wrong_account": tcp.wrong_account,
    "read_only": venue.read_only,
    "quotes_frozen": venue.quotes,
    "quotes_empty": venue.quotes,
    "quotes_crossed": venue.quotes,
    "quotes_delayed": venue.quotes,
    "halt": venue.halt,
    "limit_lock": venue.limit_lock,
    "session_break": venue.session_break,
}
"""At their time: (injector, fault, connections, order states) to whether it struck."""

ON_START = {
    "next_id_back": messages.next_id_back,
    "next_id_jump": messages.next_id_jump,
    "client_id_in_use": messages.client_id_in_use,
}
"""When a client starts: (injector, fault, connection, client id) to whether it is taken; None for no strike."""

ON_REQUEST = {
    "closed_after_read": tcp.closed_after_read,
    "closed_before_read": tcp.closed_before_read,
    "request_delayed": messages.request_delayed,
    "cancel_refused_filled": venue.cancel_refused_filled,
    "fill_crosses_cancel": venue.fill_crosses,
    "fill_crosses_modify": venue.fill_crosses,
    "two_perm_ids": venue.two_perm_ids,
    "order_held": venue.order_held,
}
"""On a request for an order: (injector, fault, connection, request) to whether it is taken; None for no strike."""

ON_MESSAGE = {
    "reset_mid_frame": tcp.reset_mid_frame,
    "bad_length": tcp.bad_length,
    "truncated_fields": tcp.truncated_fields,
    "status_twice": messages.twice_at_once,
    "status_never": messages.never,
    "execution_first": messages.execution_first,
    "execution_twice": messages.again_later,
    "commission_first": messages.commission_first,
    "commission_late": messages.late,
    "commission_never": messages.never,
}
"""On a message about an order: (injector, fault, connection, message) to what leaves instead; None for no strike."""

ON_ORDER = {
    "correction": venue.correction,
    "bust": venue.bust,
    "fill_after_cancel": venue.fill_after_cancel,
    "overfill": venue.overfill,
    "order_inactive": venue.order_inactive,
    **dict.fromkeys(ERROR_TEXTS, messages.error),
}
"""On an order: (injector, fault, key, the exchange's order or None) to whether it struck."""

ON_QUERY = frozenset({"executions_without_end", "executions_cut", "open_orders_partial"})
"""On a question; `answers_query` knows them."""
