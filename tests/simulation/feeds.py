"""What the wire alone tells of the quotes that a client gets: when they came, and whether they are live."""

from dataclasses import dataclass

LIVE_TYPE = 1
_LIVE_TICKS = frozenset((b"0", b"1", b"2", b"3", b"4", b"5", b"8", b"9"))
_DELAYED_TICKS = frozenset((b"66", b"67", b"68", b"69", b"70", b"71", b"74", b"75"))
_TICKS = frozenset((b"1", b"2", b"45"))  # tick price, tick size, tick generic
_DATA_TYPE = b"58"
_REQUEST, _END = b"1", b"2"


@dataclass(slots=True)
class Feed:
    """Ticks of one subscription; times are loop seconds."""

    con_id: int
    asked_s: float = 0.0
    ticked_s: float | None = None
    told_type: int = LIVE_TYPE
    ticks_delayed: bool = False
    changed_s: float = 0.0
    was_ended: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the last word and the last tick were those of a live feed."""
        return self.told_type == LIVE_TYPE and not self.ticks_delayed


class Feeds:
    """The subscriptions of the present connection, by request id; kept from the frames, in both directions.

    Attributes
    ----------
    watched
        Contracts that were ever asked for in this life of the desk.
    """

    def __init__(self) -> None:
        self._by_request: dict[bytes, Feed] = {}
        self._by_contract: dict[int, Feed] = {}
        self._lost_s = 0.0
        self.watched: set[int] = set()

    def of(self, con_id: int) -> Feed | None:
        """The latest subscription of a contract; None where there is none on this connection."""
        return self._by_contract.get(con_id)

    def data_lost(self, *, now_s: float) -> None:
        """The broker says that all subscriptions are gone."""
        self._lost_s = now_s

    def has_come_again(self, con_id: int) -> bool:
        """Whether the quote of a contract was asked for since all subscriptions were lost, and a tick came of it."""
        feed = self._by_contract.get(con_id)
        return feed is not None and feed.asked_s > self._lost_s and (feed.ticked_s or 0.0) >= feed.asked_s

    def forget(self) -> None:
        """The connection is another."""
        self._by_request.clear()
        self._by_contract.clear()

    def asked(self, payload: bytes, *, now_s: float) -> None:
        """Take down a request for market data, or its end; other frames are passed over.

        Where the client itself ended a subscription and asked anew, the ticks of before count for their age still.
        """
        fields = payload.split(b"\0", 4)
        if fields[0] == _REQUEST and len(fields) > 4 and fields[3].isdigit():
            feed = Feed(con_id=int(fields[3]), asked_s=now_s, changed_s=now_s)
            self.watched.add(feed.con_id)
            before = self._by_contract.get(feed.con_id)
            if before is not None and before.was_ended:
                feed.ticked_s = before.ticked_s
            self._by_request[fields[2]] = self._by_contract[feed.con_id] = feed
        elif fields[0] == _END and len(fields) > 2 and (ended := self._by_request.pop(fields[2], None)) is not None:
            ended.was_ended = True

    def heard(self, payload: bytes, *, now_s: float) -> None:
        """Take down a tick, or a word on the type of data; other frames are passed over."""
        fields = payload.split(b"\0", 4)
        if len(fields) < 4 or (fields[0] not in _TICKS and fields[0] != _DATA_TYPE):
            return
        feed = self._by_request.get(fields[2])
        if feed is None:
            return
        was_live = feed.is_live
        if fields[0] == _DATA_TYPE:
            feed.told_type = int(fields[3]) if fields[3].isdigit() else 0
        else:
            feed.ticked_s = now_s
            if fields[0] != b"45" and fields[3] in _LIVE_TICKS | _DELAYED_TICKS:
                feed.ticks_delayed = fields[3] in _DELAYED_TICKS
        if feed.is_live is not was_live:
            feed.changed_s = now_s
