"""The table of all checks, in the order in which they are made and shown.

Every check is made for every order, also after one has refused, so that a person sees all that is wrong at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hydra_nb.risk import (
    checks_account,
    checks_bands,
    checks_conduct,
    checks_contract,
    checks_desk,
    checks_exposure,
    checks_market,
    checks_price,
    checks_shares,
    checks_size,
    checks_traffic,
)
from hydra_nb.risk.case import Case
from hydra_nb.risk.limits import BOUNDS, Limits
from hydra_nb.risk.verdict import Decision


class Cure(StrEnum):
    """What can turn a refusal of a check into a pass: waiting, fewer lots, another price, or a person."""

    TIME = "time"
    LOTS = "lots"
    PRICE = "price"
    PERSON = "person"


class Applies(StrEnum):
    """Orders that a check is made for."""

    BOTH = "parent and child"
    PARENT = "parent"
    CHILD = "child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: its function, the limits it reads, the source of what it looks at.

    Attributes
    ----------
    cure
        Refusals of a check that `TIME` cures are transient. Others are hard, unless their input is unknown.
    """

    function: Callable[[Case], Decision]
    cure: Cure
    source: str
    limits: tuple[str, ...] = ()
    applies: Applies = Applies.BOTH

    @property
    def name(self) -> str:
        """Name of the check, the one its decisions carry."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """What must hold, in one sentence."""
        return (self.function.__doc__ or "").partition("\n")[0]


CHECKS: tuple[Check, ...] = (
    Check(function=checks_desk.kill_switch, cure=Cure.PERSON, source="journal"),
    Check(function=checks_desk.contract_locked, cure=Cure.PERSON, source="journal"),
    Check(function=checks_desk.journal_healthy, cure=Cure.TIME, source="journal"),
    Check(function=checks_desk.account, cure=Cure.PERSON, source="broker account"),
    Check(function=checks_desk.currency, cure=Cure.PERSON, source="broker account"),
    Check(function=checks_desk.repeated_order, cure=Cure.PERSON, source="journal"),
    Check(function=checks_desk.connection, cure=Cure.TIME, source="broker connection"),
    Check(function=checks_desk.reconciled, cure=Cure.TIME, source="journal"),
    Check(function=checks_desk.gateway_reset, cure=Cure.TIME, source="calendar", limits=("reset_window_s",)),
    Check(function=checks_desk.clock_skew, cure=Cure.TIME, source="broker clock", limits=("max_clock_skew_s",)),
    Check(function=checks_traffic.loop_lag, cure=Cure.TIME, source="desk", limits=("max_loop_lag_ms",)),
    Check(function=checks_market.session_open, cure=Cure.TIME, source="broker sessions"),
    Check(
        function=checks_contract.session_left,
        cure=Cure.TIME,
        source="broker sessions",
        limits=("min_session_left_s",),
    ),
    Check(
        function=checks_contract.contract_month,
        cure=Cure.PERSON,
        source="contract details",
        limits=("max_months_ahead",),
    ),
    Check(function=checks_market.quote_sane, cure=Cure.TIME, source="broker quotes"),
    Check(
        function=checks_market.quote_age,
        cure=Cure.TIME,
        source="broker quotes",
        limits=("max_quote_age_s", "max_clock_skew_s"),
    ),
    Check(
        function=checks_market.reference_age,
        cure=Cure.TIME,
        source="broker quotes",
        limits=("max_reference_age_s", "max_own_touch_age_s", "max_clock_skew_s"),
    ),
    Check(
        function=checks_contract.spread_width,
        cure=Cure.TIME,
        source="broker quotes",
        limits=("max_spread_multiple",),
    ),
    Check(function=checks_account.daily_loss, cure=Cure.PERSON, source="broker account", limits=("max_daily_loss",)),
    Check(
        function=checks_account.drawdown, cure=Cure.PERSON, source="broker account", limits=("max_drawdown_percent",)
    ),
    Check(
        function=checks_account.last_trade_loss, cure=Cure.PERSON, source="broker account", limits=("max_parent_loss",)
    ),
    Check(
        function=checks_conduct.consecutive_refusals,
        cure=Cure.PERSON,
        source="journal",
        limits=("max_consecutive_refusals",),
    ),
    Check(
        function=checks_conduct.reject_rate,
        cure=Cure.PERSON,
        source="broker messages",
        limits=("max_reject_percent", "min_reject_messages"),
    ),
    Check(
        function=checks_conduct.slippage_breach,
        cure=Cure.PERSON,
        source="fills against stored predictions",
        limits=("max_slippage_multiple", "max_slippage_excess_ticks", "min_slippage_fills"),
    ),
    Check(function=checks_size.lots_whole, cure=Cure.LOTS, source="order"),
    Check(function=checks_size.order_lots, cure=Cure.LOTS, source="limits", limits=("max_lots_per_order",)),
    Check(
        function=checks_size.parent_lots,
        cure=Cure.LOTS,
        source="limits",
        limits=("max_lots_per_parent",),
        applies=Applies.PARENT,
    ),
    Check(function=checks_size.lots_left, cure=Cure.LOTS, source="journal", applies=Applies.CHILD),
    Check(
        function=checks_size.order_notional,
        cure=Cure.LOTS,
        source="broker quotes",
        limits=("max_notional_per_order",),
    ),
    Check(
        function=checks_size.volume_share,
        cure=Cure.LOTS,
        source="broker bars",
        limits=("max_adv_percent", "max_lots_unknown_adv"),
    ),
    Check(
        function=checks_shares.parent_volume_share,
        cure=Cure.LOTS,
        source="broker bars",
        limits=("max_adv_percent_per_parent",),
        applies=Applies.PARENT,
    ),
    Check(function=checks_shares.day_notional, cure=Cure.LOTS, source="journal", limits=("max_notional_per_day",)),
    Check(
        function=checks_shares.displayed_share,
        cure=Cure.TIME,
        source="broker quotes",
        limits=("max_displayed_percent",),
        applies=Applies.CHILD,
    ),
    Check(
        function=checks_contract.close_out,
        cure=Cure.LOTS,
        source="contract details",
        limits=("close_out_days", "notice_days"),
    ),
    Check(function=checks_size.position_lots, cure=Cure.LOTS, source="broker account", limits=("max_position_lots",)),
    Check(
        function=checks_size.position_share,
        cure=Cure.LOTS,
        source="broker account",
        limits=("max_position_percent_of_equity",),
    ),
    Check(
        function=checks_exposure.symbol_position,
        cure=Cure.LOTS,
        source="broker account",
        limits=("max_position_lots_per_symbol",),
    ),
    Check(
        function=checks_exposure.gross_exposure,
        cure=Cure.LOTS,
        source="broker account",
        limits=("max_gross_percent_of_equity",),
    ),
    Check(
        function=checks_exposure.equity_at_risk,
        cure=Cure.LOTS,
        source="broker account",
        limits=("max_equity_at_risk_percent",),
    ),
    Check(
        function=checks_exposure.margin,
        cure=Cure.LOTS,
        source="broker account",
        limits=("max_margin_percent_of_equity",),
    ),
    Check(function=checks_price.price_on_tick, cure=Cure.PRICE, source="order"),
    Check(function=checks_price.price_sign, cure=Cure.PRICE, source="broker quotes", limits=("collar_ticks",)),
    Check(function=checks_price.caller_limit, cure=Cure.PRICE, source="caller"),
    Check(function=checks_price.collar_ticks, cure=Cure.PRICE, source="broker quotes", limits=("collar_ticks",)),
    Check(function=checks_price.collar_percent, cure=Cure.PRICE, source="broker quotes", limits=("collar_percent",)),
    Check(function=checks_bands.collar_last, cure=Cure.PRICE, source="broker quotes", limits=("collar_last_percent",)),
    Check(
        function=checks_bands.collar_settlement,
        cure=Cure.PRICE,
        source="broker quotes",
        limits=("collar_settlement_percent",),
    ),
    Check(function=checks_bands.daily_limit, cure=Cure.PRICE, source="contract facts"),
    Check(function=checks_bands.chase, cure=Cure.PRICE, source="journal", limits=("max_chase_percent",)),
    Check(function=checks_traffic.self_match, cure=Cure.PRICE, source="journal"),
    Check(
        function=checks_traffic.active_orders,
        cure=Cure.TIME,
        source="journal",
        limits=("max_active_orders",),
        applies=Applies.CHILD,
    ),
    Check(function=checks_traffic.one_modify, cure=Cure.TIME, source="journal", applies=Applies.CHILD),
    Check(
        function=checks_traffic.parents_at_work,
        cure=Cure.PERSON,
        source="journal",
        limits=("max_parents_at_work",),
        applies=Applies.PARENT,
    ),
    Check(
        function=checks_traffic.message_budget,
        cure=Cure.TIME,
        source="desk",
        limits=("max_messages_per_second",),
        applies=Applies.CHILD,
    ),
    Check(
        function=checks_traffic.parent_messages,
        cure=Cure.PERSON,
        source="desk",
        limits=("max_messages_per_parent",),
    ),
    Check(
        function=checks_traffic.order_efficiency,
        cure=Cure.PERSON,
        source="desk",
        limits=("max_messages_per_lot",),
        applies=Applies.PARENT,
    ),
)

CHILD_CHECKS = tuple(check.function for check in CHECKS if check.applies is not Applies.PARENT)
PARENT_CHECKS = tuple(check for check in CHECKS if check.applies is not Applies.CHILD)


def table() -> str:
    """All checks as a Markdown page: ``docs/checks.md``, which is written by ``python -m hydra_nb.risk.table``."""
    lines = [
        "# What the gate checks",
        "",
        "Every order passes all checks that apply to it; a modify is checked like a new order. A value that equals its",
        "limit passes, and what is not known is refused. A refusal that waiting cures, or that comes of an unknown",
        "figure, is tried again while its slice runs; any other stops the parent order. Cancels are never checked.",
        "A breaker that has tripped refuses until a person re-arms it, whatever its figure is by then, and it stops",
        "what is at work without waiting for a check.",
        "",
        "| check | what must hold | limits | source | applies to | cured by |",
        "|---|---|---|---|---|---|",
    ]
    for check in CHECKS:
        limits = ", ".join(f"`{name}`" for name in check.limits) or "–"
        lines.append(
            f"| `{check.name}` | {check.summary} | {limits} | {check.source} | {check.applies} | {check.cure} |"
        )
    lines += [
        "",
        "## Limits and their defaults",
        "",
        "Loosening, which is to go against what is tighter, needs a reason while a desk is open.",
        "",
        "| limit | default | unit | from | to | tighter | per symbol |",
        "|---|---|---|---|---|---|---|",
    ]
    defaults = Limits()
    for name, bounds in BOUNDS.items():
        value = getattr(defaults, name)
        per_symbol = "yes" if bounds.per_symbol else "no"
        lines.append(
            f"| `{name}` | {value:,g} | {bounds.unit} | {bounds.low:,g} | {bounds.high:,.15g} "
            f"| {bounds.tighter} | {per_symbol} |"
        )
    return "\n".join(lines) + "\n"
