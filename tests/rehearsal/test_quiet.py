"""When a quote that stands still counts as told anew, against the rounds of `broker.renewals` written out by hand."""

import dataclasses

from hydra_nb.domain.instrument import FutureContract, Session
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.rehearsal.quiet import QuietRounds
from tests.starting.test_words import contract

HOUR_S = 3_600


def _oats(*sessions_s: tuple[int, int]) -> FutureContract:
    sessions = tuple(Session(open_ns=opens * NS_PER_S, close_ns=closes * NS_PER_S) for opens, closes in sessions_s)
    return dataclasses.replace(contract(days=1), sessions=sessions)


def _told_s(rounds: QuietRounds, quote_s: float, *, now_s: float) -> float:
    return rounds.told_ns(round(quote_s * NS_PER_S), now_ns=round(now_s * NS_PER_S)) / NS_PER_S


def _rounds(*, is_traded: bool = True) -> QuietRounds:
    return QuietRounds(_oats((0, HOUR_S), (2 * HOUR_S, 3 * HOUR_S)), is_traded=lambda: is_traded, from_ns=0)


def test_rounds_follow_the_age_of_the_quote() -> None:
    """Looked at after 5 s, aged 3 s; next when it is 10 s old; then every 5 s, asked for at every second look."""
    for now_s, told_s in [(11.9, 2), (12, 12), (16.9, 12), (21.9, 12), (22, 22), (31.9, 22), (32, 32)]:
        assert _told_s(_rounds(), 2.0, now_s=now_s) == told_s


def test_looks_in_between_change_nothing() -> None:
    """However often it is asked, the same looks are counted."""
    rounds, told_s = _rounds(), 2.0
    for tenth in range(600):
        told_s = _told_s(rounds, told_s, now_s=tenth / 10)
        assert told_s == _told_s(_rounds(), 2.0, now_s=tenth / 10)


def test_a_quote_that_nobody_trades_on_grows_old() -> None:
    """As on a desk, which renews what parents at work trade."""
    assert _told_s(_rounds(is_traded=False), 2.0, now_s=600) == 2


def test_a_closed_market_is_asked_when_it_opens_again() -> None:
    """Nothing is asked in the pause of an hour, nor after the last session; the looks stay in step."""
    rounds = _rounds()
    last_s = _told_s(rounds, 2.0, now_s=HOUR_S - 1)
    assert HOUR_S - 11 <= last_s < HOUR_S
    assert _told_s(rounds, last_s, now_s=2 * HOUR_S - 1) == last_s
    assert 2 * HOUR_S <= _told_s(rounds, last_s, now_s=2 * HOUR_S + 10) < 2 * HOUR_S + 5
    before_s = _told_s(rounds, last_s, now_s=3 * HOUR_S)
    assert _told_s(rounds, before_s, now_s=30 * HOUR_S) == before_s
