"""One attempt of one generation: the provider is read into a draft, while the writer brings the draft into the log."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from services.generate_stream import metrics, spans
from services.generate_stream.attempt import Attempt
from services.generate_stream.draft import Draft
from services.generate_stream.log import Log
from services.generate_stream.pace import Pace
from services.generate_stream.pipeline import Pipeline
from services.generate_stream.providers import (
    Arguments,
    ChatRequest,
    Delta,
    Done,
    Provider,
    ProviderError,
    Reasoning,
    ToolCall,
)
from services.generate_stream.quotas import Share
from services.generate_stream.usage import spent, tokens
from services.generate_stream.writer import LOST, RELEASED, STOP, Writer
from shared import logs
from shared.redis import backoff_s
from shared.text import whole

_log = logging.getLogger(__name__)

_CLOSE_PROVIDER_S = 2.0


@dataclass(frozen=True)
class Limits:
    """What bounds one generation."""

    lease_s: float
    ttl_s: float
    stall_timeout_s: float
    answer_max_bytes: int
    history_max_bytes: int


class Generation:
    """Runs one attempt from `started` to its terminal entry, or until it is released or fenced.

    Two tasks: one reads the provider, one writes the log. The reader never waits for Redis, only for room.
    """

    def __init__(
        self,
        attempt: Attempt,
        log: Log,
        provider: Provider,
        compose: Callable[[], Awaitable[ChatRequest]],
        limits: Limits,
        score: float,
        share: Share,
    ) -> None:
        self.attempt = attempt
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """How it ended: `completed`, `stopped`, `failed`, `released`, `fenced`, `gone` or `lost`."""
        self._provider = provider
        self._compose = compose
        self._stall_timeout_s = limits.stall_timeout_s
        self._draft = Draft(attempt.generation, attempt.started, limits.answer_max_bytes)
        self._pipeline = Pipeline(attempt, self._draft, log, limits.lease_s)
        self._share = share
        self._waiting = 0
        self._asked: ChatRequest | None = None
        self._usage: Any = None
        times = (limits.lease_s, limits.ttl_s)
        self._writer = Writer(self._pipeline, attempt.session, self._draft, log, *times, score, share.renew)
        self._began = time.monotonic()
        self._pace = Pace(provider.name, self._began)
        self._span = spans.attempt(attempt)

    def look(self) -> None:
        """Somebody says that meta has changed (a stop, a delete): beat now, and see."""
        self._pipeline.wake()

    def orphaned(self) -> None:
        """Nobody has watched for too long: end it, as a stop does."""
        if not self._draft.status:
            self._draft.end("stopped", self._ms(), finish_reason="orphaned")
            self._span.event("orphaned")
            self._pipeline.wake()

    @contextlib.contextmanager
    def awaited(self) -> Iterator[None]:
        """Inside, somebody waits for the end."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the end, who is no viewer."""
        return self._waiting > 0

    def release(self) -> None:
        """Let go, so that another process begins the next attempt at once."""
        self._pipeline.release()

    async def run(self) -> None:
        """Run to the end; `over` tells which, and the answer is kept a while after."""
        reading = asyncio.create_task(self._read(), name=f"read {self.attempt.session}")
        outcome = LOST
        try:
            while (outcome := await self._writer.write()) == STOP:
                # The end comes first: whatever the provider says to being closed is no end any more.
                self._draft.end("stopped", self._ms(), finish_reason="stopped")
                self._span.event("stop")
                self._pipeline.wake()
                await _close(reading)
        except Exception:  # noqa: BLE001 - what waits for this answer must hear of its end; another process takes over
            _log.exception("writing broke")
        finally:
            if outcome != RELEASED:
                self._share.over(self._spent)
            await _close(reading)
            self._tell(outcome)
        if outcome == self._draft.status:
            await self._writer.keep()

    def _tell(self, outcome: str) -> None:
        code = {"code": self._draft.entries[-1]["code"]} if outcome == "failed" else {}
        first = {} if self._draft.first_ms is None else {"ttft_ms": self._draft.first_ms}
        metrics.OUTCOMES.labels(self._provider.name, outcome, code.get("code", "")).inc()
        logs.info(_log, "generation over", outcome=outcome, **code, **first, duration_ms=self._ms())
        self.over.set_result(outcome)
        spans.over(self._span, outcome, self._draft)

    async def _read(self) -> None:
        try:
            request = self._asked = await self._request()
            with spans.call(self._span, self.attempt.session, self._provider.name, request, self._draft, self._ms):
                await self._read_provider(request)
        except ProviderError as error:
            self._fail(error)
        except Exception:  # noqa: BLE001 - whatever breaks here, the answer must get its end (law 4)
            _log.exception("reading a provider broke")
            self._fail(ProviderError("provider_error", "The model could not be read.", retryable=True))
        finally:
            self._pipeline.wake()

    def _complete(self, finish_reason: str, usage: Any) -> None:
        self._draft.end("completed", self._ms(), finish_reason=finish_reason, usage=usage)
        self._usage = usage
        for direction, number in tokens(usage).items():
            metrics.TOKENS.labels(self._provider.name, direction).inc(number)

    def _fail(self, error: ProviderError) -> None:
        retryable = "true" if error.retryable else "false"
        self._draft.end("failed", self._ms(), code=error.code, error=error.text, retryable=retryable)

    async def _request(self) -> ChatRequest:
        failures = 0
        while True:
            try:
                return await self._compose()
            except RedisError:
                # The earlier turns are in a log that is out of reach; the writer knows when to give up.
                await asyncio.sleep(backoff_s(failures))
                failures += 1

    async def _read_provider(self, request: ChatRequest) -> None:
        try:
            async with (
                asyncio.timeout(self._stall_timeout_s) as silence,
                contextlib.aclosing(self._provider.stream(request)) as parts,
            ):
                async for part in parts:
                    if isinstance(part, Done):
                        # Before the provider is closed: an answer that is whole stays so, whatever comes of that.
                        return self._complete(whole(part.finish_reason), part.usage)
                    self._take(part)
                    if self._draft.reached_limit:
                        return self._complete("length_cap", None)
                    if self._pipeline.is_full:
                        silence.reschedule(None)
                        await self._pipeline.room()
                        self._pace.rested(time.monotonic())
                    self._put_off(silence)
        except TimeoutError:
            text = f"The model said nothing for {self._stall_timeout_s:g} seconds."
            raise ProviderError("provider_timeout", text, retryable=True) from None
        raise ProviderError("provider_cut", "The model's answer broke off.", retryable=True)

    def _take(self, part: Delta | Reasoning | Arguments | ToolCall) -> None:
        now = time.monotonic()
        ms = int((now - self._began) * 1000)
        if isinstance(part, Arguments):
            self._pace.piece(now)
            self._draft.announce(part.size)
        elif isinstance(part, ToolCall):
            self._draft.call(*part, ms)
            self._pipeline.wake()
        else:
            if part.text:
                self._pace.piece(now)
            self._draft.add("chunk" if isinstance(part, Delta) else "reasoning", part.text, ms)
            if self._draft.has_gathered():
                self._pipeline.wake()

    def _put_off(self, silence: asyncio.Timeout) -> None:
        # To move the timer for each part would cost 3 µs; moved now and then, it is a twentieth late at most.
        ends_at, margin_s = silence.when(), self._stall_timeout_s / 20
        now = asyncio.get_running_loop().time()
        if ends_at is None or now + self._stall_timeout_s > ends_at:
            silence.reschedule(now + self._stall_timeout_s + margin_s)

    def _spent(self) -> int:
        return spent(self._usage, self._asked.size if self._asked else 0, self._draft.size)

    def _ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)


async def _close(reading: asyncio.Task[None]) -> None:
    """End the reading, and with it the provider's response; one that does not let go is left behind."""
    reading.cancel()
    await asyncio.wait([reading], timeout=_CLOSE_PROVIDER_S)
