"""The spread that each contract usually shows: the median of samples, one for every few seconds that a quote stood."""

import bisect
from collections import deque
from decimal import Decimal

from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.domain.units import NS_PER_S

SAMPLE_S = 5
MOST_SAMPLES = 360
"""Half an hour of a market that is watched."""
LEAST_SAMPLES = 12
"""A minute: before it nothing is called usual."""
MOST_AT_ONCE = 60
"""Samples that one quote may give at most: a quote that stood for longer counts as five minutes."""


class _Samples:
    """The last samples in order of time, and the same in order of size."""

    __slots__ = ("by_size", "by_time", "quote", "since_ns")

    def __init__(self) -> None:
        self.by_time: deque[Decimal] = deque()
        self.by_size: list[Decimal] = []
        self.quote: Quote | None = None
        self.since_ns = 0

    def add(self, spread: Decimal) -> None:
        if len(self.by_time) >= MOST_SAMPLES:
            gone = self.by_time.popleft()
            del self.by_size[bisect.bisect_left(self.by_size, gone)]
        self.by_time.append(spread)
        bisect.insort(self.by_size, spread)


class UsualSpreads:
    """Learns from every quote; memory is bounded for each contract."""

    def __init__(self) -> None:
        self._samples: dict[int, _Samples] = {}

    def note(self, quote: Quote) -> None:
        """Take in how long the quote before this one stood."""
        samples = self._samples.get(quote.con_id)
        if samples is None:
            samples = self._samples[quote.con_id] = _Samples()
            samples.since_ns = quote.time_ns
        stood = (quote.time_ns - samples.since_ns) // (SAMPLE_S * NS_PER_S)
        if stood > 0:
            spread = None if samples.quote is None else _spread(samples.quote)
            if spread is not None:
                for _ in range(min(stood, MOST_AT_ONCE)):
                    samples.add(spread)
            samples.since_ns += stood * SAMPLE_S * NS_PER_S
        samples.quote = quote

    def usual(self, con_id: int) -> Decimal | None:
        """Spread in the quoted unit that the contract showed for half of the time that was sampled; None too early."""
        samples = self._samples.get(con_id)
        if samples is None or len(samples.by_size) < LEAST_SAMPLES:
            return None
        return samples.by_size[len(samples.by_size) // 2]


def _spread(quote: Quote) -> Decimal | None:
    """Spread of a quote that may be traded on; None of any other."""
    if quote.feed is not FeedType.LIVE or quote.halted or quote.bid is None or quote.ask is None:
        return None
    return quote.ask - quote.bid if quote.has_both_sides and quote.bid < quote.ask else None
