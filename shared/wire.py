"""A raw Redis connection on which the commands of one moment leave in one write and return in one batch."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from shared import metrics

_log = logging.getLogger(__name__)

Argument = str | bytes | int | float
Connect = Callable[[], AbstractConnection]

Told = Callable[[Any], None]
"""Called with a reply, strings as bytes (RESP2), or with the RedisError in its stead. It must be quick and must not
raise: it runs in the reading loop."""

RedisAway = RedisConnectionError
"""Redis can't be reached, or the connection broke before the reply came: whether the command ran is unknown."""


class Asked(NamedTuple):
    """A command whose reply is outstanding."""

    packed: bytes
    told: Told
    hops: int = 0
    """How many nodes have sent it elsewhere."""


class Owner(Protocol):
    """Who has this wire among others."""

    def broke(self) -> None:
        """Its connection broke, or could not be made."""

    def redirected(self, refusal: ResponseError, asked: Asked) -> bool:
        """Whether a refusal is one node's word only, and the command has been seen to."""


_PAUSE_AFTER_FAILED_CONNECT_S = 0.1
_LOOKS_PER_TIMEOUT = 4


def pack(*command: Argument) -> bytes:
    """A command in Redis' own protocol, ready to be sent any number of times."""
    return cast(bytes, pack_command(command))  # type: ignore[arg-type]


async def write(connection: AbstractConnection, packed: Sequence[bytes]) -> None:
    """Send packed commands in one write. Raises RedisAway where the connection has broken."""
    try:
        await connection.send_packed_command(packed, check_health=False)
    except RuntimeError as closed:
        # uvloop's own word for a connection that has closed since the last write.
        raise RedisAway(str(closed)) from closed


class Wire:
    """One connection, shared by all who have commands to send; each gets its own reply.

    Replies come in the order of the commands, so a caller that is cancelled leaves the connection whole: its reply
    is read and dropped. Whatever breaks the connection fails every command whose reply was outstanding with
    RedisAway; the next command connects anew. A command that Redis refuses fails with redis' ResponseError.
    """

    def __init__(self, connect: Connect, timeout_s: float, owner: Owner | None = None) -> None:
        self.epoch = 0
        """How many connections have broken: a caller that sees it grow knows that replies may be lost."""
        self.connected_at = math.inf
        """When the connection was made, by the monotonic clock (s); infinite while there is none."""
        self._owner = owner
        self._connect = connect
        self._timeout_s = timeout_s
        self._unsent: list[bytes] = []
        self._asking: deque[Asked] = deque()
        """Who waits for a reply, in the order of the commands, those of `_unsent` last."""
        self._replies = 0
        self._work = asyncio.Event()
        self._break = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="wire")

    def ask(self, packed: bytes, told: Told, hops: int = 0) -> None:
        """Queue one packed command for the next write; `told` gets its reply, without a turn of the loop."""
        if self._task.done():
            told(RedisAway("the connection was closed"))
            return
        self._unsent.append(packed)
        self._asking.append(Asked(packed, told, hops))
        self._work.set()

    def send(self, packed: bytes) -> asyncio.Future[Any]:
        """Queue one packed command for the next write; the future gets its reply."""
        future = asyncio.get_running_loop().create_future()
        self.ask(packed, partial(settle, future))
        return future

    async def call(self, *command: Argument) -> Any:
        """Send one command and wait for its reply, strings as bytes (RESP2)."""
        return await self.send(pack(*command))

    async def broken(self) -> None:
        """Wait until the connection breaks; where none stands, until the next one does."""
        await self._break.wait()

    async def close(self) -> None:
        """Drop the connection; what is outstanding fails."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._fail(RedisAway("the connection was closed"))

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            connection = self._connect()
            try:
                # connect() reads the handshake's replies without a limit of its own.
                async with asyncio.timeout(self._timeout_s):
                    await connection.connect()
            except (RedisError, OSError, TimeoutError) as error:
                metrics.REDIS_CONNECTS_FAILED.inc()
                self._fail(RedisAway(f"Redis can't be reached: {error or 'no answer in time'}"))
                if self._owner:
                    self._owner.broke()
                # Whoever asks meanwhile joins the next try, so a crowd of viewers is one connect at a time.
                await asyncio.sleep(_PAUSE_AFTER_FAILED_CONNECT_S)
                continue
            await self._serve(connection)

    async def _serve(self, connection: AbstractConnection) -> None:
        self.connected_at = time.monotonic()
        try:
            async with asyncio.TaskGroup() as serving:
                serving.create_task(self._write(connection))
                serving.create_task(self._read(connection))
                serving.create_task(self._watch())
        except* (RedisError, OSError, TimeoutError):
            pass  # told to every caller below
        except* Exception:  # noqa: BLE001 - were this task to end, every later command would wait for ever
            _log.exception("a connection to Redis broke by a fault of ours")
        finally:
            self.epoch += 1
            self.connected_at = math.inf
            metrics.REDIS_DISCONNECTS.inc()
            self._fail(RedisAway("the connection to Redis broke before the reply"), spare=len(self._unsent))
            self._break.set()
            self._break = asyncio.Event()
            if self._owner:
                self._owner.broke()
            await connection.disconnect(nowait=True)

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            batch, self._unsent = self._unsent, []
            metrics.REDIS_WRITES.value += 1
            metrics.REDIS_COMMANDS.value += len(batch)
            await write(connection, batch)

    async def _read(self, connection: AbstractConnection) -> None:
        # Also while no reply is due: a Redis that goes away is noticed before anybody asks.
        while True:
            try:
                reply = await connection.read_response(
                    disable_decoding=True, timeout=math.inf, disconnect_on_error=False
                )
            except ReadOnlyError:
                # The server was the master and is no more: only a new connection finds the one that is.
                raise
            except ResponseError as refusal:
                metrics.REDIS_REFUSALS.inc()
                reply = refusal
            if not self._asking:
                raise RedisAway("a reply that nobody has asked for")
            self._replies += 1
            asked = self._asking.popleft()
            if not (isinstance(reply, ResponseError) and self._redirected(reply, asked)):
                asked.told(reply)

    def _redirected(self, refusal: ResponseError, asked: Asked) -> bool:
        return self._owner is not None and self._owner.redirected(refusal, asked)

    async def _watch(self) -> None:
        """Give the connection up once Redis has not replied for the whole timeout while something was asked.

        Looking now and then costs nothing per command. A process that was paused has not looked, either: only time
        in which a reply could have been read counts.
        """
        looks = 0
        while looks <= _LOOKS_PER_TIMEOUT:
            replies = self._replies if self._asking else None
            await asyncio.sleep(self._timeout_s / _LOOKS_PER_TIMEOUT)
            looks = looks + 1 if self._asking and self._replies == replies else 0
        raise TimeoutError

    def _fail(self, error: RedisAway, spare: int = 0) -> None:
        """Tell all who wait, but for the `spare` last, whose commands the next connection will send."""
        if not spare:
            self._unsent = []
            self._work.clear()
        for _ in range(len(self._asking) - spare):
            self._asking.popleft().told(error)


def settle(future: asyncio.Future[Any], reply: Any) -> None:
    """Give a future its reply, as `told` does."""
    if future.done():
        return  # its caller was cancelled
    if isinstance(reply, RedisError):
        future.set_exception(reply)
        # A caller that gathers several commands may look at the first failure only, or be cancelled before it looks.
        future.exception()
    else:
        future.set_result(reply)
