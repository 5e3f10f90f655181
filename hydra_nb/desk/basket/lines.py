"""Rows of a basket with their contracts: what each has to do, which of them quarrel, and which goes first. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hydra_nb.desk.arguments import How
from hydra_nb.desk.basket.errors import Faults
from hydra_nb.desk.basket.reading import Request
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder

LONGEST_TAG = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Lots of a contract: its position, and what can still fill of all that works or is to be worked; both signed."""

    position: int
    outstanding: int

    @property
    def expected(self) -> int:
        """The position if all that is outstanding fills."""
        return self.position + self.outstanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A row with its contract.

    Attributes
    ----------
    held
        What it was counted from; None of a row without target.
    side, lots
        What is to be sent; None and 0 where a target is reached.
    """

    request: Request
    contract: FutureContract
    held: Held | None
    side: Side | None
    lots: int

    @classmethod
    def of(cls, request: Request, contract: FutureContract, *, held: Held | None) -> "Want":
        """Side and lots as asked for, or the difference to the target."""
        side, lots = request.side, request.lots or 0
        if request.target is not None and held is not None:
            difference = request.target - held.expected
            lots = abs(difference)
            side = None if not difference else Side.BUY if difference > 0 else Side.SELL
        return cls(request=request, contract=contract, held=held, side=side, lots=lots)

    @property
    def target(self) -> int | None:
        """The position asked for."""
        return self.request.target

    def target_tag(self, *, last_parent: str | None, taken: bool) -> str | None:
        """The tag of a target's order.

        An equal order of the day is taken for one sent twice. A target of the same size may rightly come again, once
        another order of the contract came between, so its tag names the last one: equal states are one order, later
        ones are not. A tag that a person gave stands, unless an equal order of the day has `taken` it.
        """
        given = self.request.tag
        if self.target is None or (given is not None and not taken):
            return given
        words = f"target {self.target:+d}".replace("+0", "0")
        words = words if last_parent is None else f"{words} after {last_parent}"
        return words if given is None else f"{given[: LONGEST_TAG - len(words) - 3]} ({words})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row as it is shown and sent.

    Attributes
    ----------
    plan
        Its plan, with what the gate decided beside all rows that come before it; None where nothing is to be sent.
    reduces
        Whether it only reduces a position.
    alone
        Whether the gate lets it pass beside what works alone.
    message
        What a person should know.
    """

    want: Want
    plan: Plan | None
    reduces: bool = False
    alone: bool = True
    message: str = ""

    @property
    def label(self) -> str:
        """Label of the row."""
        return self.want.request.label

    @property
    def passes(self) -> bool:
        """Whether nothing of it is refused."""
        return self.plan is None or self.plan.passes

    @property
    def largest_target(self) -> int | None:
        """The largest target toward the row's side that would pass; None where none would, or there is none."""
        want, held = self.want, self.want.held
        if held is None or want.side is None or self.plan is None:
            return None
        lots = self.plan.would_pass_now.lots
        return None if lots is None else held.expected + want.side.sign * lots


def check_limit(request: Request, contract: FutureContract, *, faults: Faults) -> None:
    """Refuse a limit that is off the contract's tick."""
    try:
        How(limit=request.how.get("limit")).limit_price(contract)
    except InvalidOrder as error:
        faults.add(request.number, "limit", request.how.get("limit"), str(error), label=request.label)


def check_quarrels(named: Sequence[tuple[Request, FutureContract]], *, faults: Faults) -> None:
    """Refuse rows of one contract that cross, repeat, or ask for two positions; whatever names they gave it."""
    seen: dict[int, list[Request]] = {}
    for request, contract in named:
        if not request.is_clear:
            continue
        earlier = seen.setdefault(contract.con_id, [])
        for other in earlier:
            found = _quarrel(request, other, contract)
            if found is not None:
                column, value, words = found
                faults.add(request.number, column, value, words, label=request.label)
                break
        earlier.append(request)


def _quarrel(request: Request, other: Request, contract: FutureContract) -> tuple[str, object, str] | None:
    """Column, value and words of what two rows of a contract cannot both ask for."""
    symbol, first = contract.local_symbol, f"row {other.label}"
    if request.target is not None and other.target is not None:
        words = f"{symbol} has a target in {first} already, {other.target:+d}: keep one"
        return "instrument", request.instrument, words
    if request.target is not None or other.target is not None:
        words = f"{symbol} has both a target and orders, see {first}: the target is counted without them; keep one"
        return "instrument", request.instrument, words
    if request.side is not other.side:
        words = f"{request.side} and {other.side} of {symbol}, see {first}: they would cross; send the difference"
        return "side", request.side, words
    if (request.lots, request.tag) == (other.lots, other.tag):
        words = f"{request.side} {request.lots} {symbol} stands in {first} already: give each a tag of its own, or one"
        return "instrument", request.instrument, f"{words} row with all lots"
    return None


def reduces(want: Want, *, position: int | None, same_side_lots: int) -> bool:
    """Whether an order, with all that works on its side, leaves no position on the other side of flat."""
    if want.side is None or position is None:
        return False
    return want.lots + same_side_lots <= -want.side.sign * position


def in_turn(lines: Iterable[Line]) -> list[Line]:
    """What is to be sent, in the order in which it is: what reduces risk first, else as in the frame."""
    return sorted((line for line in lines if line.plan is not None), key=lambda line: not line.reduces)
