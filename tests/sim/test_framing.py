"""Frames: whatever the segments, the same messages; whatever the bytes, an error and no surprise."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.sim.framing import (
    MAX_FRAME_BYTES,
    FrameDecoder,
    VersionRange,
    WireError,
    decode,
    encode,
    frame,
    parse_versions,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
MESSAGES = st.lists(st.lists(TEXTS, min_size=1, max_size=6), max_size=6)


def frames_of(decoder: FrameDecoder, data: bytes) -> list[bytes]:
    """All whole frames after one more segment."""
    decoder.feed(data)
    frames = []
    while (payload := decoder.next_frame()) is not None:
        frames.append(payload)
    return frames


@given(messages=MESSAGES, data=st.data(), greeting=st.booleans())
def test_any_segmentation_gives_the_same_messages(messages: list[list[str]], data: st.DataObject, greeting: bool):
    """TCP may cut the stream anywhere."""
    stream = (b"API\0" if greeting else b"") + b"".join(encode(fields) for fields in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))

    decoder = FrameDecoder(greeting=greeting)
    bounds = [0, *cuts, len(stream)]
    received = [
        decode(payload)
        for start, end in itertools.pairwise(bounds)
        for payload in frames_of(decoder, stream[start:end])
    ]

    assert received == messages


@given(data=st.binary(max_size=64))
def test_arbitrary_bytes_raise_nothing_but_wire_errors(data: bytes):
    """A stray client cannot make the decoder fail in another way."""
    decoder = FrameDecoder(greeting=False)

    try:
        frames = frames_of(decoder, data)
    except WireError:
        return

    assert sum(len(payload) + 4 for payload in frames) <= len(data)


@pytest.mark.parametrize("length", [0, MAX_FRAME_BYTES + 1, 0xFFFFFFFF])
def test_a_bad_length_is_refused_before_its_bytes_arrive(length: int):
    """A wrong prefix must not make the gateway wait for gigabytes."""
    decoder = FrameDecoder(greeting=False)

    decoder.feed(length.to_bytes(4, "big"))

    with pytest.raises(WireError, match=str(length)):
        decoder.next_frame()


def test_frames_before_a_bad_length_are_still_read():
    """What was sent properly counts."""
    decoder = FrameDecoder(greeting=False)
    decoder.feed(frame(b"49\x001\x00") + b"\0\0\0\0")

    first = decoder.next_frame()

    assert first == b"49\x001\x00"
    with pytest.raises(WireError):
        decoder.next_frame()


@pytest.mark.parametrize("opening", [b"GET / HTTP/1.1", b"APX", b"\0\0\0\x09v157..178"])
def test_another_protocol_is_turned_away_at_its_first_bytes(opening: bytes):
    """Browsers and old clients find the port too."""
    decoder = FrameDecoder(greeting=True)

    decoder.feed(opening)

    with pytest.raises(WireError, match="API"):
        decoder.next_frame()


@pytest.mark.parametrize(
    ("text", "lowest", "highest"),
    [("v157..178", 157, 178), ("v100..176", 100, 176), ("v157", 157, 157), ("v100..187 +PACEAPI", 100, 187)],
)
def test_the_handshake_is_read_with_and_without_options(text: str, lowest: int, highest: int):
    """Clients write it in these ways."""
    versions = parse_versions(text.encode())

    assert versions == VersionRange(lowest=lowest, highest=highest)


@pytest.mark.parametrize(
    "text",
    ["", "157..178", "v", "v..178", "v157..x", "vx", "v157...178", "v" + "9" * 5000, "v157.." + "9" * 5000, "v١٥٧"],
)
def test_a_malformed_handshake_is_refused(text: str):
    """There is no version to guess."""
    with pytest.raises(WireError):
        parse_versions(text.encode())


@pytest.mark.parametrize(("highest", "agreed"), [(157, 157), (176, 176), (178, 178), (187, 178), (250, 178)])
def test_the_server_answers_the_lower_of_both_maxima(highest: int, agreed: int):
    """Newer clients speak the older text protocol on request."""
    assert VersionRange(lowest=100, highest=highest).agreed() == agreed


@pytest.mark.parametrize(("lowest", "highest"), [(100, 156), (179, 200), (178, 170)])
def test_versions_without_overlap_are_refused(lowest: int, highest: int):
    """Neither side could read the other."""
    with pytest.raises(WireError, match=str(lowest)):
        VersionRange(lowest=lowest, highest=highest).agreed()


def test_a_message_cut_in_its_last_field_is_refused():
    """Every field ends in NUL."""
    with pytest.raises(WireError, match="cut off"):
        decode(b"49\x001")


def test_a_nul_in_a_field_cannot_add_fields():
    """Text from a client comes back in one field."""
    payload = encode([4, "a\0b", True, None])[4:]

    assert decode(payload) == ["4", "ab", "1", ""]
