"""How the desk has fared lately, in bounded memory: messages that the broker rejected, and what fills cost."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger.records import BookedExecution, OrderRecord

WINDOW_NS = 3_600 * NS_PER_S
MOST_MESSAGES = 200
"""Messages that are remembered at most, the newest."""

_DAY_NS = 86_400 * NS_PER_S
_NOTHING = Decimal(0)


@dataclass(slots=True, kw_only=True)
class _Message:
    order_ref: str
    time_ns: int
    rejected: bool = False


class SentMessages:
    """The places and modifies that were sent last, each with whether the broker rejected it."""

    def __init__(self) -> None:
        self._window: deque[_Message] = deque()
        self._last: dict[str, _Message] = {}  # by orderRef, of the window
        self._rejected = 0

    def sent(self, order_ref: str, *, time_ns: int) -> None:
        """Take a message down, and forget what is too old or too many."""
        window = self._window
        while window and (len(window) >= MOST_MESSAGES or window[0].time_ns <= time_ns - WINDOW_NS):
            gone = window.popleft()
            self._rejected -= gone.rejected
            if self._last.get(gone.order_ref) is gone:
                del self._last[gone.order_ref]
        message = _Message(order_ref=order_ref, time_ns=time_ns)
        window.append(message)
        self._last[order_ref] = message

    def rejected(self, order_ref: str) -> None:
        """Note that the broker rejected an order's last message; however often it says so, that is one rejection."""
        message = self._last.get(order_ref)
        if message is not None and not message.rejected:
            message.rejected = True
            self._rejected += 1

    def count(self, now_ns: int) -> tuple[int, int, int | None]:
        """Messages of the last hour, how many of them were rejected, and when the oldest of them will be too old."""
        messages, rejected = len(self._window), self._rejected
        for one in self._window:
            if one.time_ns > now_ns - WINDOW_NS:
                return messages, rejected, one.time_ns + WINDOW_NS
            messages, rejected = messages - 1, rejected - one.rejected
        return 0, 0, None

    def clear(self) -> None:
        """Begin anew."""
        self._window.clear()
        self._last.clear()
        self._rejected = 0


class SlippageOfDay:
    """Sums over the fills of one UTC day, by the broker's time: what they cost, and what was predicted, in ticks.

    A fill counts with its latest revision, against the mid at which its order was placed; without that mid, or without
    a prediction, it does not count. After `clear` only what is told from then on does.
    """

    def __init__(self) -> None:
        self._day = 0
        self._since_ns = -1
        self.fills = 0
        self._lots = 0
        self._paid_ticks = _NOTHING
        self._predicted_ticks = _NOTHING

    def revised(self, order: OrderRecord, *, family: str, before: BookedExecution | None) -> None:
        """Take in what an execution has become; `before` is the revision that it replaces."""
        after = order.executions[family]
        if after is before or order.placed_mid is None or order.predicted_slippage is None:
            return
        if after.executed_ns // _DAY_NS > self._day:
            self._start(after.executed_ns // _DAY_NS)
        for booking, sign in ((before, -1), (after, 1)):
            if booking is not None and booking.lots and self._counts(booking):
                lots, tick = sign * booking.lots, order.child.contract.tick
                self.fills += sign
                self._lots += lots
                self._paid_ticks += lots * order.child.side.sign * (booking.price - order.placed_mid) / tick
                self._predicted_ticks += lots * order.predicted_slippage / tick

    def means(self, now_ns: int) -> tuple[int, float | None, float | None]:
        """Fills, and the mean cost and prediction of a lot in ticks; of a day that is over nothing is left."""
        if not self._lots or now_ns // _DAY_NS > self._day:
            return 0, None, None
        return self.fills, float(self._paid_ticks / self._lots), float(self._predicted_ticks / self._lots)

    def clear(self, now_ns: int) -> None:
        """Begin anew."""
        self._start(self._day)
        self._since_ns = now_ns

    def _start(self, day: int) -> None:
        self._day, self.fills, self._lots = day, 0, 0
        self._paid_ticks = self._predicted_ticks = _NOTHING

    def _counts(self, booking: BookedExecution) -> bool:
        return booking.executed_ns // _DAY_NS == self._day and booking.received_ns > self._since_ns
