"""The questions that prove orders dead, asked once for all who ask meanwhile.

Each answer lists all open orders of the account, and all of its executions. Were they asked for every order by itself,
two hundred orders that are cancelled at once would have forty thousand lines read, one after another at the pace of
requests.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

from hydra_nb.errors import BrokerError

Answer = TypeVar("Answer")


class SharedRounds(Generic[Answer]):
    """Rounds of questions, one at a time. Whoever asks while one is under way shares the next with all who do.

    A round answers only those who had asked before it began: what it is told is then newer than each question.
    It runs in the task of the one whose turn it is; if that is cancelled, the next one runs it. A failure is shared.

    Parameters
    ----------
    ask
        Asks everything, and gives what was answered.
    """

    def __init__(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        self._ask = ask
        self._turn = asyncio.Lock()
        self._asked = 0  # questions so far; each has its number
        self._answered = 0  # the last of them that a round has answered, or failed to
        self._outcome: Answer | BrokerError | None = None

    async def answer(self) -> Answer:
        """Give the answer of a round that began after this was called; raises what that round does."""
        self._asked += 1
        number = self._asked
        async with self._turn:
            if self._answered < number:
                covered = self._asked
                try:
                    self._outcome = await self._ask()
                except BrokerError as error:
                    self._outcome = error
                self._answered = covered
            if isinstance(self._outcome, BrokerError):
                raise self._outcome
            return cast("Answer", self._outcome)
