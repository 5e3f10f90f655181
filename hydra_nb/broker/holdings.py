"""The broker's own account of positions and account values, for one account."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from hydra_nb.domain.events import PositionReported
from hydra_nb.domain.market import AccountState

_BASE = "BASE"


class Holdings:
    """Positions and values as last reported; unknown until they arrive."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._positions: dict[int, PositionReported] = {}
        self._earlier: dict[int, PositionReported] = {}  # as known before the connection was lost
        self._has_positions = False
        self._asked = 0  # whole answers that are owed
        self._named: set[int] = set()  # since all were asked for
        self._left_out: set[int] = set()  # held as far as we heard, and not named by the last whole answer
        self._currency = ""
        self._equity: Decimal | None = None
        self._told_equity: Decimal | None = None
        self._realised: dict[str, Decimal] = {}
        self._unrealised: dict[str, Decimal] = {}
        self._initial_margin: Decimal | None = None
        self._rates: dict[str, Decimal] = {}

    def asked_anew(self) -> None:
        """All positions are asked for, and will be told again."""
        self._asked += 1
        self._named.clear()

    def set_position(self, report: PositionReported) -> bool:
        """Take a position in; tells whether it changed."""
        self._named.add(report.con_id)
        self._left_out.discard(report.con_id)
        before = self._positions.get(report.con_id)
        self._positions[report.con_id] = report
        if before is None:
            return report.lots != 0
        return (before.lots, before.average_cost) != (report.lots, report.average_cost)

    def recall(self, report: PositionReported) -> None:
        """A position as it was known in an earlier run."""
        self._earlier[report.con_id] = report

    def forget(self) -> None:
        """The connection is gone: nothing is known until the broker tells it again."""
        self._earlier.update(self._positions)
        self._positions.clear()
        self._has_positions = False
        self._asked = 0
        self._left_out.clear()
        self._equity = None
        self._initial_margin = None
        self._realised.clear()
        self._unrealised.clear()
        self._rates.clear()

    def positions_complete(self) -> tuple[PositionReported, ...]:
        """Every position has been told: a contract without one is flat. Gives those that became so unheard.

        One that we heard of on this very connection counts as flat only when a second whole answer leaves it out too.
        """
        self._has_positions = True
        gone = [held for con_id, held in sorted(self._earlier.items()) if held.lots and con_id not in self._positions]
        self._earlier.clear()
        gone += self._left_out_again()
        return tuple(replace(held, lots=0, average_cost=Decimal(0)) for held in gone)

    def _left_out_again(self) -> list[PositionReported]:
        """Note what the answer leaves out, and give and drop what the answer before had left out as well."""
        self._asked = max(0, self._asked - 1)
        if self._asked:  # the end of an earlier answer: the one that is owed still is not whole
            return []
        left_out = {held.con_id for held in self._positions.values() if held.lots and held.con_id not in self._named}
        twice = sorted(left_out & self._left_out)
        self._left_out = left_out - set(twice)
        return [self._positions.pop(con_id) for con_id in twice]

    def position(self, con_id: int) -> int | None:
        """Signed lots; None until the broker has told its positions."""
        if not self._has_positions:
            return None
        held = self._positions.get(con_id)
        return 0 if held is None else held.lots

    def positions(self) -> tuple[PositionReported, ...] | None:
        """Positions that are not flat, by contract id; None until the broker has told them.

        Without those that the last whole answer left out: whoever compares is to see the difference at once.
        """
        if not self._has_positions:
            return None
        held = (one for _, one in sorted(self._positions.items()) if one.lots)
        return tuple(one for one in held if one.con_id not in self._left_out)

    def set_value(self, tag: str, *, value: str, currency: str) -> None:
        """Take one account value in; those that no decision needs are passed over."""
        number = _number(value)
        if tag == "NetLiquidation":
            self._equity = number
            self._currency = currency
        elif tag == "InitMarginReq":
            self._initial_margin = number
        elif tag == "ExchangeRate" and number is not None and number > 0:
            self._rates[currency] = number
        elif number is not None and tag == "RealizedPnL":
            self._realised[currency] = number
        elif number is not None and tag == "UnrealizedPnL":
            self._unrealised[currency] = number

    def news(self) -> AccountState | None:
        """The account's values where equity is another than when this last gave them; None where it is the same."""
        if self._equity is None or self._equity == self._told_equity:
            return None
        self._told_equity = self._equity
        return self.account_state()

    def account_state(self) -> AccountState:
        """Values in the account's base currency, None where not told yet."""
        return AccountState(
            account=self._account,
            currency=self._currency,
            equity=self._equity,
            realised_pnl=self._in_base(self._realised),
            unrealised_pnl=self._in_base(self._unrealised),
            initial_margin=self._initial_margin,
            rates=self._rates,
        )

    def _in_base(self, values: dict[str, Decimal]) -> Decimal | None:
        return values.get(_BASE, values.get(self._currency))


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal("1e300") else None
