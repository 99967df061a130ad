"""A raw Redis connection on which the commands of one moment leave in one write and return in one batch."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

_log = logging.getLogger(__name__)

Argument = str | bytes | int | float
Connect = Callable[[], AbstractConnection]

RedisAway = RedisConnectionError
"""Redis can't be reached, or the connection broke before the reply came: whether the command ran is unknown."""

_PAUSE_AFTER_FAILED_CONNECT_S = 0.1
_REPLIES_PER_DEADLINE = 64


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
    RedisAway; the next command connects anew. A command that Redis refuses raises redis' ResponseError.
    """

    def __init__(self, connect: Connect, timeout_s: float) -> None:
        self.epoch = 0
        """How many connections there have been: a caller that sees it grow knows that replies may be lost."""
        self._connect = connect
        self._timeout_s = timeout_s
        self._unsent: deque[tuple[bytes, asyncio.Future[Any]]] = deque()
        self._sent: deque[asyncio.Future[Any]] = deque()
        self._work = asyncio.Event()
        self._replies_due = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="wire")

    def send(self, packed: bytes) -> asyncio.Future[Any]:
        """Queue one packed command for the next write; the future gets its reply."""
        future = asyncio.get_running_loop().create_future()
        if self._task.done():
            _fail(future, RedisAway("the connection was closed"))
            return future
        self._unsent.append((packed, future))
        self._work.set()
        return future

    async def call(self, *command: Argument) -> Any:
        """Send one command and wait for its reply, strings as bytes (RESP2)."""
        return await self.send(pack(*command))

    async def close(self) -> None:
        """Drop the connection; what is outstanding fails."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._fail_unsent(RedisAway("the connection was closed"))

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            connection = self._connect()
            try:
                # connect() reads the handshake's replies without a limit of its own.
                async with asyncio.timeout(self._timeout_s):
                    await connection.connect()
            except (RedisError, OSError, TimeoutError) as error:
                self._fail_unsent(RedisAway(f"Redis can't be reached: {error or 'no answer in time'}"))
                # Whoever asks meanwhile joins the next try, so a crowd of viewers is one connect at a time.
                await asyncio.sleep(_PAUSE_AFTER_FAILED_CONNECT_S)
                continue
            self.epoch += 1
            await self._serve(connection)

    async def _serve(self, connection: AbstractConnection) -> None:
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._write(connection))
                both.create_task(self._read(connection))
        except* (RedisError, OSError, TimeoutError):
            pass  # told to every caller below
        except* Exception:  # noqa: BLE001 - were this task to end, every later command would wait for ever
            _log.exception("a connection to Redis broke by a fault of ours")
        finally:
            await connection.disconnect(nowait=True)
            self._fail_sent(RedisAway("the connection to Redis broke before the reply"))
            if self._unsent:
                self._work.set()

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            batch, self._unsent = self._unsent, deque()
            # Known as sent before the first byte leaves: a write that fails half way may have run.
            self._sent.extend(future for _, future in batch)
            self._replies_due.set()
            await write(connection, [packed for packed, _ in batch])

    async def _read(self, connection: AbstractConnection) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._replies_due.wait()
            async with asyncio.timeout(self._timeout_s) as deadline:
                for number in range(1, len(self._sent) + 1):
                    await self._read_one(connection)
                    if number % _REPLIES_PER_DEADLINE == 0:
                        deadline.reschedule(clock() + self._timeout_s)
            if not self._sent:
                self._replies_due.clear()

    async def _read_one(self, connection: AbstractConnection) -> None:
        try:
            reply = await connection.read_response(disable_decoding=True, timeout=math.inf, disconnect_on_error=False)
        except ReadOnlyError:
            # The server was the master and is no more: only a new connection finds the one that is.
            raise
        except ResponseError as refusal:
            _fail(self._sent.popleft(), refusal)
            return
        future = self._sent.popleft()
        if not future.done():
            future.set_result(reply)

    def _fail_sent(self, error: RedisAway) -> None:
        sent, self._sent = self._sent, deque()
        self._replies_due.clear()
        for future in sent:
            _fail(future, error)

    def _fail_unsent(self, error: RedisAway) -> None:
        unsent, self._unsent = self._unsent, deque()
        self._work.clear()
        for _, future in unsent:
            _fail(future, error)


def _fail(future: asyncio.Future[Any], error: RedisError) -> None:
    if not future.done():
        future.set_exception(error)
        # A caller that gathers several commands may look at the first failure only, or be cancelled before it looks.
        future.exception()
