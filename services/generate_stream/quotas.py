"""What owners and addresses may have of answers: asked before one begins, held while it runs, counted at its end."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from shared import keys, logs, quotas
from shared.http import ApiError
from shared.quotas import Allowance, Refused, Taken
from shared.redis import retried
from shared.wire import Wire
from shared.wires import Wires

_log = logging.getLogger(__name__)


class Subject(NamedTuple):
    """Who has a quota: an owner or an address."""

    kind: str
    digest: str
    allowance: Allowance


class Quotas:
    """The quotas of this process's answers, shared with all others by Redis."""

    def __init__(self, wires: Wires, owner: Allowance, address: Allowance, lease_s: float) -> None:
        self.wires = wires
        self.held_ms = int(lease_s * 1000)
        self._owner = owner
        self._address = address

    def address(self, address: str) -> str:
        """The subject that an address is; empty where addresses have no limits."""
        return keys.subject("address", address) if any(self._address) else ""

    def share(self, session: str, owner: str, address: str) -> "Share":
        """What an answer of this session takes of its owner's quotas and of its address's, given as a subject."""
        subjects = []
        if owner and any(self._owner):
            subjects.append(Subject("owner", keys.subject("owner", owner), self._owner))
        if address and any(self._address):
            subjects.append(Subject("address", address, self._address))
        return Share(self, session, subjects)


class Share:
    """What one answer has of its subjects' quotas. Without limits, nothing here sends a command."""

    def __init__(self, of: Quotas, session: str, subjects: list[Subject]) -> None:
        self._wires = of.wires
        self._held_ms = of.held_ms
        self._session = session
        self._subjects = subjects
        self._taken: dict[Subject, Taken] = {}
        self._over = False

    async def take(self, start: str) -> None:
        """Take all that one more answer needs, or nothing. Raises ApiError with 429, and RedisError."""
        # One subject after the other, always in this order: of two who ask in the same moment for a last place, and
        # each find the other's half taken, neither would get it.
        for subject in self._subjects:
            begin = partial(quotas.begin, self._wires, subject.digest, subject.allowance, start, self._session)
            found = await retried(partial(begin, self._held_ms))
            if isinstance(found, Refused):
                await self.give_back(start)
                raise _refusal(subject, found)
            self._taken[subject] = found

    async def give_back(self, start: str = "") -> None:
        """None has begun: give the seat back, to the session's other answer if it has one, and, if named, the start."""
        leaving = []
        for subject, taken in self._taken.items():
            if taken.score or start:
                wire, named = self._place(subject)
                arguments = (start, self._session, taken.score, 0, taken.before)
                leaving.append(quotas.LEAVE.send(wire, named, arguments))
        with contextlib.suppress(RedisError):
            await asyncio.gather(*leaving)

    def renew(self) -> None:
        """Hold the seats for one more lease; never waits."""
        for subject in self._subjects:
            if subject.allowance.running:
                wire, [_, running, _] = self._place(subject)
                quotas.RENEW.ask(wire, [running], (self._held_ms, self._session), partial(self._renewed, subject))

    def over(self, spent: Callable[[], int]) -> None:
        """The answer is over: leave the seats, and count the tokens that it took; never waits."""
        self._over = True
        for subject in self._subjects:
            self._leave(subject, spent() if subject.allowance.tokens else 0)

    def _renewed(self, subject: Subject, reply: Any) -> None:
        if not isinstance(reply, RedisError):
            self._taken[subject] = Taken(reply.decode(), "")
            if self._over:
                self._leave(subject, 0)

    def _leave(self, subject: Subject, tokens: int) -> None:
        score = self._taken[subject].score if subject in self._taken else ""
        if score or tokens:
            wire, named = self._place(subject)
            quotas.LEAVE.ask(wire, named, ("", self._session, score, tokens, ""), partial(self._left, tokens))

    def _left(self, tokens: int, reply: Any) -> None:
        # The seat is over by itself, soon. To count again might count twice.
        if tokens and isinstance(reply, RedisError):
            logs.warning(_log, "tokens may not have been counted", session=self._session, tokens=tokens)

    def _place(self, subject: Subject) -> tuple[Wire, list[str]]:
        named = quotas.answers(subject.digest)
        return self._wires.of(named[0]), named


def _refusal(subject: Subject, refused: Refused) -> ApiError:
    kind, most = subject.kind, subject.allowance
    said = {
        "starts": ("too_many_starts", f"This {kind} may begin {most.starts} answers in a minute."),
        "running": (f"too_many_running_of_{kind}", f"This {kind} may have {most.running} answers written at a time."),
        "tokens": ("too_many_tokens", f"This {kind} has used its {most.tokens} tokens of today (UTC)."),
    }
    return ApiError(429, *said[refused.limit], retry=True, after_s=refused.wait_s)
