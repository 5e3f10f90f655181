"""Every check at its limit and at the smallest step past it: for both sides, in cents and in dollars."""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.risk.case import Case
from hydra_nb.risk.checks import CHECKS
from hydra_nb.risk.checks_exposure import ONE_IN_HUNDRED
from hydra_nb.risk.limits import Limits

from .making import EXPOSURE, NOW_NS, OATS, MarginTold, make_child, make_snapshot

PALLADIUM = dataclasses.replace(
    OATS,
    con_id=102,
    symbol="PA",
    local_symbol="PAM6",
    name="Palladium",
    exchange="NYMEX",
    tick=Decimal("0.50"),
    multiplier=Decimal(100),
    price_magnifier=1,
)
"""In dollars: one point is 100 USD and one tick 50 USD."""
LOTS = 3
CENT = 0.01
DAY = dt.timedelta(days=1)
RESET_NS = NOW_NS + (13 * 60 + 45) * 60 * NS_PER_S
"""23:45 in New York, on the day of the snapshots."""


@dataclasses.dataclass(frozen=True)
class Floor:
    """One side of one contract, three lots of which are to be traded at a round mid."""

    contract: FutureContract
    side: Side

    @property
    def mid(self) -> Decimal:
        """Four dollars a bushel, or a thousand an ounce: one percent of it is on tick."""
        return Decimal(400) if self.contract is OATS else Decimal(1_000)

    @property
    def sign(self) -> int:
        """Which way the side pays more."""
        return self.side.sign

    @property
    def tick(self) -> Decimal:
        """The least step of a price."""
        return self.contract.tick

    @property
    def lot(self) -> float:
        """Value of one lot at the mid: $20,000 of oats, $100,000 of palladium."""
        return float(self.contract.notional(self.mid, lots=1))

    def quote(self, **changes: Any) -> Quote:
        """Six ticks wide around the mid."""
        quote = Quote(
            con_id=self.contract.con_id,
            time_ns=NOW_NS,
            bid=self.mid - 3 * self.tick,
            bid_size=2,
            ask=self.mid + 3 * self.tick,
            ask_size=2,
        )
        return dataclasses.replace(quote, **changes)

    def case(self, *, limits: Limits | None = None, changes: dict[str, Any] | None = None, **snapshot: Any) -> Case:
        """Three lots at the mid, but for what is given."""
        seen = make_snapshot(**({"quote": self.quote(), "reference_mid": self.mid, "arrival_mid": self.mid} | snapshot))
        child = make_child(contract=self.contract, side=self.side, lots=LOTS, limit_price=self.mid)
        case = Case.of_child(child, action=Action.PLACE, snapshot=seen, limits=limits or Limits())
        return dataclasses.replace(case, **(changes or {}))

    def at(self, price: Decimal, *, limits: Limits | None = None, **snapshot: Any) -> Case:
        """Three lots at a price."""
        return self.case(limits=limits, changes={"price": price}, **snapshot)

    def expiring(self, last: dt.date, **snapshot: Any) -> Case:
        """A contract that trades last on a day."""
        return self.case(changes={"contract": dataclasses.replace(self.contract, last_trade_date=last)}, **snapshot)

    def far(self, ticks: int) -> Decimal:
        """The price so many ticks from the mid, where the side pays more."""
        return self.mid + self.sign * ticks * self.tick

    def position(self, lots: int, **snapshot: Any) -> Case:
        """So many lots held already on the order's side."""
        return self.case(position_lots=self.sign * lots, **snapshot)


Pair = tuple[Case, Case]
TODAY = dt.date(2026, 3, 3)
CLOSE_NS = OATS.sessions[0].close_ns


def above(value: float) -> float:
    """The next number that a double can hold."""
    return math.nextafter(value, math.inf)


def quotes(floor: Floor, **changes: Any) -> Case:
    """A case with another quote."""
    return floor.case(quote=floor.quote(**changes))


def risky(floor: Floor, over: float) -> Case:
    """Other contracts that leave just room for three lots of this one, less `over` dollars."""
    own = LOTS * floor.lot * 0.02 * ONE_IN_HUNDRED
    others = (100_000 + over - own) / ONE_IN_HUNDRED
    exposure = dataclasses.replace(EXPOSURE, others_at_risk=others)
    return floor.case(exposure=exposure, limits=Limits(max_equity_at_risk_percent=10))


def grossly(floor: Floor, over: float) -> Case:
    """Other contracts whose value leaves just room for three lots of this one, less `over` dollars."""
    exposure = dataclasses.replace(EXPOSURE, others_notional=2_000_000 + over - LOTS * floor.lot)
    return floor.case(exposure=exposure)


def symbols(floor: Floor, held: int) -> Case:
    """So many lots held over the months of the symbol, on the order's side."""
    return floor.case(exposure=dataclasses.replace(EXPOSURE, symbol_position_lots=floor.sign * held))


def margins(floor: Floor, before: float) -> Case:
    """Margin in use, and 3,000 more for the order."""
    return floor.case(margin=MarginTold(lots=LOTS, before=before, change=3_000.0))


def crossing(floor: Floor, shown: int) -> Case:
    """An order at the touch of the other side, which shows so many lots; as many as are shown are allowed."""
    quote = floor.quote(bid_size=shown, ask_size=shown)
    return floor.at(floor.far(3), quote=quote, limits=Limits(max_displayed_percent=100))


PAIRS: dict[str, Callable[[Floor], Pair]] = {
    "kill_switch": lambda f: (f.case(killed=None), f.case(killed="")),
    "contract_locked": lambda f: (f.case(locked=None), f.case(locked="a break")),
    "journal_healthy": lambda f: (f.case(journal_healthy=True), f.case(journal_healthy=False)),
    "account": lambda f: (f.case(), f.case(account="SIM1234568")),
    "currency": lambda f: (
        f.case(currency="EUR", exchange_rate=0.9),
        f.case(currency="EUR", exchange_rate=None),
    ),
    "repeated_order": lambda f: (f.case(equal_parent="P-0001"), f.case(equal_parent="P-0002")),
    "connection": lambda f: (f.case(), f.case(connection=ConnectionState.DEGRADED)),
    "reconciled": lambda f: (f.case(), f.case(reconciled=False)),
    "gateway_reset": lambda f: (
        f.case(now_ns=RESET_NS - 300 * NS_PER_S),
        f.case(now_ns=RESET_NS - 300 * NS_PER_S + 1_000),
    ),
    "clock_skew": lambda f: (f.case(clock_skew_s=2.0), f.case(clock_skew_s=above(2.0))),
    "loop_lag": lambda f: (f.case(loop_lag_ms=1_000.0), f.case(loop_lag_ms=above(1_000.0))),
    "session_open": lambda f: (f.case(now_ns=CLOSE_NS - 1), f.case(now_ns=CLOSE_NS)),
    "session_left": lambda f: (f.case(now_ns=CLOSE_NS - 30 * NS_PER_S), f.case(now_ns=CLOSE_NS - 30 * NS_PER_S + 10)),
    "contract_month": lambda f: (f.expiring(dt.date(2027, 9, 30)), f.expiring(dt.date(2027, 10, 1))),
    "quote_sane": lambda f: (quotes(f, ask=f.mid - 2 * f.tick), quotes(f, ask=f.mid - 3 * f.tick)),
    "quote_age": lambda f: (quotes(f, time_ns=NOW_NS - 30 * NS_PER_S), quotes(f, time_ns=NOW_NS - 30 * NS_PER_S - 10)),
    "reference_age": lambda f: (f.case(reference_age_s=600.0), f.case(reference_age_s=above(600.0))),
    "spread_width": lambda f: (
        f.case(usual_spread_ticks=6.0, limits=Limits(max_spread_multiple=1)),
        f.case(usual_spread_ticks=5.0, limits=Limits(max_spread_multiple=1)),
    ),
    "daily_loss": lambda f: (f.case(equity=Decimal(990_000)), f.case(equity=Decimal("989999.99"))),
    "drawdown": lambda f: (f.case(equity=Decimal(950_000)), f.case(equity=Decimal("949999.99"))),
    "last_trade_loss": lambda f: (
        f.case(last_parent_pnl=Decimal(-5_000)),
        f.case(last_parent_pnl=Decimal("-5000.01")),
    ),
    "consecutive_refusals": lambda f: (
        f.case(conduct=Conduct(refusals_in_row=10)),
        f.case(conduct=Conduct(refusals_in_row=11)),
    ),
    "reject_rate": lambda f: (
        f.case(conduct=Conduct(messages=200, rejected_messages=40)),
        f.case(conduct=Conduct(messages=200, rejected_messages=41)),
    ),
    "slippage_breach": lambda f: (
        f.case(conduct=Conduct(fills=10, predicted_ticks=2.0, slippage_ticks=20.0)),
        f.case(conduct=Conduct(fills=10, predicted_ticks=2.0, slippage_ticks=above(20.0))),
    ),
    "lots_whole": lambda f: (f.case(changes={"lots": 1, "open_lots": 1}), f.case(changes={"lots": 0, "open_lots": 0})),
    "order_lots": lambda f: (f.case(changes={"order_lots": 20}), f.case(changes={"order_lots": 21})),
    "parent_lots": lambda f: (f.case(changes={"lots": 50}), f.case(changes={"lots": 51})),
    "lots_left": lambda f: (f.case(parent_open_lots=3), f.case(parent_open_lots=2)),
    "order_notional": lambda f: (
        f.case(limits=Limits(max_notional_per_order=LOTS * f.lot)),
        f.case(limits=Limits(max_notional_per_order=LOTS * f.lot - CENT)),
    ),
    "volume_share": lambda f: (f.case(lots_today=18), f.case(lots_today=19)),
    "parent_volume_share": lambda f: (f.case(changes={"lots": 21}), f.case(changes={"lots": 22})),
    "day_notional": lambda f: (
        f.case(notional_today=2_000_000 - LOTS * f.lot),
        f.case(notional_today=2_000_000 - LOTS * f.lot + CENT),
    ),
    "displayed_share": lambda f: (crossing(f, LOTS), crossing(f, LOTS - 1)),
    "close_out": lambda f: (f.expiring(TODAY + 21 * DAY), f.expiring(TODAY + 20 * DAY)),
    "position_lots": lambda f: (f.position(47), f.position(48)),
    "position_share": lambda f: (
        f.case(equity=Decimal(repr(2 * LOTS * f.lot))),
        f.case(equity=Decimal(repr(2 * LOTS * f.lot - CENT))),
    ),
    "symbol_position": lambda f: (symbols(f, 72), symbols(f, 73)),
    "gross_exposure": lambda f: (grossly(f, 0), grossly(f, CENT)),
    "equity_at_risk": lambda f: (risky(f, 0), risky(f, CENT)),
    "margin": lambda f: (margins(f, 497_000.0), margins(f, 497_000.0 + CENT)),
    "price_on_tick": lambda f: (f.at(f.mid), f.at(f.mid + f.tick / 1_000)),
    "price_sign": lambda f: (f.at(f.tick), f.at(Decimal(0))),
    "caller_limit": lambda f: (f.at(f.mid, caller_limit=f.mid), f.at(f.far(1), caller_limit=f.mid)),
    "collar_ticks": lambda f: (
        f.at(f.far(7), limits=Limits(collar_ticks=7)),
        f.at(f.far(8), limits=Limits(collar_ticks=7)),
    ),
    "collar_percent": lambda f: (
        f.at(f.mid * (100 + f.sign) / 100, limits=Limits(collar_percent=1)),
        f.at(f.mid * (100 + f.sign) / 100 + f.sign * f.tick, limits=Limits(collar_percent=1)),
    ),
    "collar_last": lambda f: (
        f.at(f.mid * (100 + f.sign) / 100, quote=f.quote(last=f.mid), limits=Limits(collar_last_percent=1)),
        f.at(
            f.mid * (100 + f.sign) / 100 + f.sign * f.tick,
            quote=f.quote(last=f.mid),
            limits=Limits(collar_last_percent=1),
        ),
    ),
    "collar_settlement": lambda f: (
        f.at(f.mid * (100 - f.sign) / 100, quote=f.quote(settlement=f.mid), limits=Limits(collar_settlement_percent=1)),
        f.at(
            f.mid * (100 - f.sign) / 100 - f.sign * f.tick,
            quote=f.quote(settlement=f.mid),
            limits=Limits(collar_settlement_percent=1),
        ),
    ),
    "daily_limit": lambda f: (
        f.at(f.far(9), quote=f.quote(settlement=f.mid), daily_limit=9 * f.tick),
        f.at(f.far(10), quote=f.quote(settlement=f.mid), daily_limit=9 * f.tick),
    ),
    "chase": lambda f: (
        f.at(f.mid * (100 + f.sign) / 100, limits=Limits(max_chase_percent=1)),
        f.at(f.mid * (100 + f.sign) / 100 + f.sign * f.tick, limits=Limits(max_chase_percent=1)),
    ),
    "self_match": lambda f: (f.at(f.mid, opposite_price=f.far(1)), f.at(f.far(1), opposite_price=f.far(1))),
    "active_orders": lambda f: (f.case(active_orders=14), f.case(active_orders=15)),
    "one_modify": lambda f: (
        f.case(changes={"action": Action.MODIFY}),
        f.case(changes={"action": Action.MODIFY}, modify_pending=True),
    ),
    "parents_at_work": lambda f: (f.case(parents_at_work=24), f.case(parents_at_work=25)),
    "message_budget": lambda f: (f.case(messages_last_second=39), f.case(messages_last_second=40)),
    "parent_messages": lambda f: (f.case(changes={"messages": 200}), f.case(changes={"messages": 201})),
    "order_efficiency": lambda f: (f.case(changes={"messages": 60}), f.case(changes={"messages": 61})),
}
"""For each check a case at its limit and one a step past it; what has no limit is good, and then bad."""


def test_every_check_is_here():
    """None is left out, and none is here that is not made."""
    assert list(PAIRS) == [check.name for check in CHECKS]


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("contract", [OATS, PALLADIUM], ids=["cents", "dollars"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_allows_at_its_limit_and_refuses_the_smallest_step_past_it(check, contract, side):
    """The refusal says what was found and what to do."""
    at, past = PAIRS[check.name](Floor(contract, side))

    allowed, refused = check.function(at), check.function(past)

    assert allowed.allowed, allowed.message
    assert not refused.allowed, refused.message
    assert allowed.check == refused.check == check.name
    assert len(refused.message) > 15
    assert ":" in refused.message or ". " in refused.message or "; " in refused.message, "no remedy is told"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("contract", [OATS, PALLADIUM], ids=["cents", "dollars"])
@pytest.mark.parametrize("name", ["collar_ticks", "collar_percent", "collar_last", "collar_settlement", "chase"])
def test_what_a_band_offers_is_its_own_last_price(name, contract, side):
    """The price that would pass is the one at the limit: it passes, and the next tick does not."""
    floor = Floor(contract, side)
    check = next(one for one in CHECKS if one.name == name)
    at, past = PAIRS[name](floor)

    offered = check.function(past).would_pass

    assert offered == float(at.price)


@pytest.mark.parametrize(
    ("name", "past", "left"),
    [
        ("symbol_position", lambda f: symbols(f, 74), 1),
        ("gross_exposure", lambda f: grossly(f, f.lot), 2),
        ("equity_at_risk", lambda f: risky(f, f.lot * 0.02 * ONE_IN_HUNDRED), 2),
        ("margin", lambda f: margins(f, 498_000.0), 2),
        ("day_notional", lambda f: f.case(notional_today=2_000_000 - f.lot), 1),
        ("displayed_share", lambda f: crossing(f, 1), 1),
        ("close_out", lambda f: f.expiring(TODAY, position_lots=-f.sign * 2), 2),
    ],
)
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("contract", [OATS, PALLADIUM], ids=["cents", "dollars"])
def test_what_a_check_of_size_offers_passes_and_one_lot_more_does_not(name, past, left, contract, side):
    """Over positions, value, risk, margin, the day, what is shown, and what only reduces."""
    check = next(one for one in CHECKS if one.name == name).function
    case = past(Floor(contract, side))

    refused = check(case)

    assert not refused.allowed
    assert refused.would_pass == left
    assert check(dataclasses.replace(case, open_lots=left)).allowed
    assert not check(dataclasses.replace(case, open_lots=left + 1)).allowed
