"""What the broker said of margin, by contract and side: asked at preview, and again before it grows old."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hydra_nb.broker.port import OrderPort
from hydra_nb.clock import Clock
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import MarginQuestion
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import BrokerError
from hydra_nb.order_manager.planned import Planned
from hydra_nb.risk.snapshot import MarginTold

LIFE_S = 1_800
"""Market seconds for which an answer holds: exchanges change margins by the day, brokers within it."""
RENEW_S = 600
"""Market seconds after which an answer that is used is asked for anew."""
YOUNG_S = 60
"""Market seconds for which a preview does without a question of its own."""
AGAIN_S = 10
"""Market seconds between two questions of one kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What was told, when, and whether the order would have reduced a position then."""

    told: MarginTold
    time_ns: int
    reduced: bool


class Margins:
    """Keeps the last answers, and says through `on_wanted` what should be asked.

    An answer for an order that reduces a position says nothing of one that adds, and the other way round: it holds only
    while that is as it was.

    Attributes
    ----------
    on_wanted
        Called with a contract, a side and lots whose margin is not known, or old; at most every 10 s for each.
    """

    def __init__(self, *, broker: OrderPort, clock: Clock) -> None:
        self.on_wanted: Callable[[FutureContract, Side, int], None] | None = None
        self._broker = broker
        self._clock = clock
        self._answers: dict[tuple[int, Side], _Answer] = {}
        self._asked_ns: dict[tuple[int, Side], int] = {}
        self._asking: set[tuple[int, Side]] = set()

    async def refresh(self, contract: FutureContract, *, side: Side, lots: int) -> None:
        """Ask where the last answer is older than a minute, or does not hold."""
        answer = self._answers.get((contract.con_id, side))
        is_young = answer is not None and self._clock.now_ns() - answer.time_ns < YOUNG_S * NS_PER_S
        if answer is None or not is_young or answer.reduced is not self._reduces(contract, side):
            await self.ask(contract, side=side, lots=lots)

    async def ask(self, contract: FutureContract, *, side: Side, lots: int) -> None:
        """Ask the broker, and keep what it says; without a price to ask at, or an answer, nothing changes."""
        quote = self._broker.quote(contract.con_id)
        prices = () if quote is None else (quote.ask if side is Side.BUY else quote.bid, quote.last, quote.settlement)
        price = next((one for one in prices if one is not None and contract.is_on_tick(one)), None)
        self._asked_ns[contract.con_id, side] = self._clock.now_ns()
        if price is None:
            return
        key, reduced = (contract.con_id, side), self._reduces(contract, side)
        self._asking.add(key)
        try:
            told = await self._broker.what_if(
                MarginQuestion(contract=contract, side=side, lots=lots, limit_price=price)
            )
        except BrokerError:
            return
        finally:
            self._asking.discard(key)
        if told is not None:
            self._answers[key] = _Answer(told=told, time_ns=self._clock.now_ns(), reduced=reduced)

    def told(self, contract: FutureContract, *, side: Side, lots: int, initial: Decimal | None) -> MarginTold | None:
        """What holds now, on top of the account's initial margin of now, where that is known; None where none does."""
        key, now_ns = (contract.con_id, side), self._clock.now_ns()
        answer = self._answers.get(key)
        age_s = None if answer is None else (now_ns - answer.time_ns) / NS_PER_S
        holds = answer is not None and answer.reduced is self._reduces(contract, side)
        if (
            (age_s is None or age_s > RENEW_S or not holds)
            and self._may_ask(key, now_ns)
            and self.on_wanted is not None
        ):
            self._asked_ns[key] = now_ns
            self.on_wanted(contract, side, lots)
        return self.known(contract, side=side, initial=initial)

    def known(self, contract: FutureContract, *, side: Side, initial: Decimal | None) -> MarginTold | None:
        """`told`, asking nobody."""
        answer = self._answers.get((contract.con_id, side))
        if answer is None or (self._clock.now_ns() - answer.time_ns) / NS_PER_S > LIFE_S:
            return None
        if answer.reduced is not self._reduces(contract, side):
            return None
        return answer.told if initial is None else replace(answer.told, before=float(initial))

    def beside(self, told: MarginTold | None, planned: Sequence[Planned]) -> MarginTold | None:
        """What holds on top of the margin that all `planned` would need, were they filled.

        What would lower the margin is not counted: it has not filled. None where an answer is wanting.
        """
        if told is None or not planned:
            return told
        before = told.before
        for one in planned:
            needed = self.needed(one)
            if needed is None:
                return None
            before += max(0.0, needed)
        return replace(told, before=before)

    def needed(self, planned: Planned) -> float | None:
        """Initial margin that filling all lots of `planned` would change, by the last answer; None without one."""
        told = self.told(planned.contract, side=planned.side, lots=planned.unfilled_lots, initial=None)
        return None if told is None or told.lots <= 0 else told.change / told.lots * planned.unfilled_lots

    def _may_ask(self, key: tuple[int, Side], now_ns: int) -> bool:
        """Not while a question is under way: a broker that is mute would have them queue, faster than they time out."""
        asked_ns = self._asked_ns.get(key)
        if key in self._asking:
            return False
        return asked_ns is None or now_ns - asked_ns >= AGAIN_S * NS_PER_S

    def _reduces(self, contract: FutureContract, side: Side) -> bool:
        return side.sign * (self._broker.position(contract.con_id) or 0) < 0
