"""No bytes of one client can make the gateway fail, grow, or forget another client."""

import random

import pytest

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.framing import MAX_FRAME_BYTES, PREFIX_BYTES, FrameDecoder, decode, encode, frame
from hydra_nb.sim.records import Listing
from hydra_nb.sim.session import GatewayCore, Session
from hydra_nb.sim.wire_time import NS_PER_S

from . import rounds
from .requests import GREETING, garble, noise, well_formed

SEEDS = rounds(30, full=1500)
MESSAGES_PER_SEED = 250


def nearest_oats(core: GatewayCore) -> Listing:
    """The contract that all clients name."""
    months = [listing for listing in core.exchange.listings if listing.symbol == "ZO"]
    return min(months, key=lambda listing: listing.last_trade_date)


def started(core: GatewayCore, *, client_id: int, version: int) -> Session:
    """A connection that has started."""
    session = core.connect()
    core.receive(session, b"API\0" + frame(b"v157..%d" % version), core.exchange.start_ns)
    core.receive(session, encode([71, 2, client_id, ""]), core.exchange.start_ns)
    session.take_output()
    return session


def answer_of(core: GatewayCore, session: Session, *, now_ns: int, fresh: bool = True) -> list[list[str]]:
    """What a connection hears when it asks for the time, with or without what was told before."""
    if fresh:
        session.take_output()
    core.receive(session, encode([49, 1]), now_ns)
    frames = FrameDecoder(greeting=False)
    frames.feed(session.take_output())
    heard = []
    while (payload := frames.next_frame()) is not None:
        heard.append(decode(payload))
    return heard


def fed_in_pieces(core: GatewayCore, session: Session, data: bytes, *, dice: random.Random, now_ns: int) -> None:
    """Bytes as a network might bring them."""
    while data and not session.closed:
        cut = dice.randint(1, len(data))
        core.receive(session, data[:cut], now_ns)
        data = data[cut:]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_garbled_requests_harm_nobody(seed: int):
    """Every kind of request, at a random version, with nasty fields, cut short, shifted or flipped."""
    dice = random.Random(seed)  # noqa: S311  The seed decides the test, no secret hangs on it.
    core = GatewayCore(Exchange(seed=7))
    now_ns = core.exchange.start_ns
    oats = nearest_oats(core)
    honest = started(core, client_id=1, version=178)
    version = dice.randint(157, 178)
    requests = well_formed(version, listing=oats)
    rude = started(core, client_id=2, version=version)

    for number in range(MESSAGES_PER_SEED):
        data = garble(dice.choice(requests), dice=dice)
        fed_in_pieces(core, rude, data, dice=dice, now_ns=now_ns)
        assert len(rude.decoder._buffer) < MAX_FRAME_BYTES + PREFIX_BYTES
        if rude.closed:
            core.disconnect(rude)
            rude = started(core, client_id=3 + number, version=version)
        rude.take_output()
        now_ns += dice.randrange(NS_PER_S)
    core.advance(now_ns)

    assert answer_of(core, honest, now_ns=now_ns) == [["49", "1", str(now_ns // NS_PER_S)]]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_noise_before_the_handshake_harms_nobody(seed: int):
    """Port scanners, browsers and clients of versions to come."""
    dice = random.Random(seed)  # noqa: S311  The seed decides the test, no secret hangs on it.
    core = GatewayCore(Exchange(seed=7))
    now_ns = core.exchange.start_ns
    honest = started(core, client_id=1, version=178)

    for _ in range(MESSAGES_PER_SEED):
        stray = core.connect()
        fed_in_pieces(core, stray, noise(dice), dice=dice, now_ns=now_ns)
        core.disconnect(stray)

    assert core.sessions == [honest]
    assert answer_of(core, honest, now_ns=now_ns) == [["49", "1", str(now_ns // NS_PER_S)]]


@pytest.mark.parametrize("version", range(157, 179))
def test_every_prefix_of_every_request_is_answered_or_refused(version: int):
    """A message cut after each of its fields earns an error 320 at most, and the connection stays."""
    core = GatewayCore(Exchange(seed=7))
    now_ns = core.exchange.start_ns
    client = started(core, client_id=1, version=version)

    for fields in well_formed(version, listing=nearest_oats(core)):
        for length in range(1, len(fields) + 1):
            core.receive(client, encode(fields[:length]), now_ns)
    client.take_output()

    assert not client.closed
    assert answer_of(core, client, now_ns=now_ns) == [["49", "1", str(now_ns // NS_PER_S)]]


def test_streams_of_one_connection_are_bounded():
    """A client in a loop is refused with 101 and 322, and a stream it ends makes room for another."""
    core = GatewayCore(Exchange(seed=7))
    now_ns, con_id = core.exchange.start_ns, str(nearest_oats(core).con_id)
    client = started(core, client_id=1, version=178)

    def codes_of(*asks: list[str]) -> list[str]:
        for fields in asks:
            core.receive(client, encode(fields), now_ns)
        return [fields[3] for fields in answer_of(core, client, now_ns=now_ns, fresh=False) if fields[0] == "4"]

    def ticks(req_id: int) -> list[str]:
        return ["1", "11", str(req_id), con_id, *[""] * 11, "0", "", "0", "0", ""]

    refused_ticks = codes_of(*map(ticks, range(1, 103)))
    refused_streams = codes_of(*(["92", str(req_id), "", ""] for req_id in range(201, 303)))
    accepted = codes_of(["2", "2", "7"], ticks(103), ["93", "207"], ["92", "303", "", ""])

    assert (refused_ticks, refused_streams, accepted) == (["101"] * 2, ["322"] * 2, [])
    assert (len(client.tick_streams), len(client.account_streams)) == (100, 100)


def test_a_frame_that_never_ends_is_held_no_longer_than_the_largest_frame():
    """A client that announces much and sends more is cut off at its next length."""
    core = GatewayCore(Exchange(seed=7))
    session = core.connect()
    core.receive(session, GREETING, core.exchange.start_ns)

    core.receive(session, MAX_FRAME_BYTES.to_bytes(PREFIX_BYTES, "big"), core.exchange.start_ns)
    for _ in range(MAX_FRAME_BYTES // 65536 * 2):
        if not session.closed:
            core.receive(session, b"\xff" * 65536, core.exchange.start_ns)

    assert session.closed
