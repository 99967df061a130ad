"""One Pub/Sub connection for all the channels that a process listens to."""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from shared.wire import Connect, RedisAway, pack, write

_log = logging.getLogger(__name__)

Heard = Callable[[bytes], None]
"""Called with each message's data. It must be quick and must not raise: it runs in the reading loop."""

_PING = pack("PING")
_PAUSE_AFTER_BREAK_S = 0.1
_SILENT_PINGS = 2
"""In one timeout. More than one, so that a process that was paused itself doesn't take that for silence."""


class _Channel:
    """Who listens to one channel, and whether Redis has confirmed the subscription."""

    def __init__(self) -> None:
        self.listeners: set[Heard] = set()
        self.confirmed = asyncio.Event()


class Channels:
    """Listens to any number of channels on one connection, which it makes again whenever it breaks.

    Whenever a channel becomes subscribed, after a break too, its listeners are called once with empty data: what was
    published meanwhile is lost, and empty data means just what a nudge means, "look again".
    """

    def __init__(self, connect: Connect, timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._channels: dict[bytes, _Channel] = {}
        self._owed: dict[bytes, int] = {}
        """Confirmations of SUBSCRIBE that Redis has still to send, by channel."""
        self._connection: AbstractConnection | None = None
        self._outgoing: list[bytes] = []
        self._work = asyncio.Event()
        self._messages = 0
        self._task = asyncio.create_task(self._run(), name="channels")

    async def listen(self, name: str, heard: Heard) -> None:
        """Add a listener; returns when Redis has confirmed that messages will come.

        Raises RedisAway when the confirmation does not come in time; the listener is then taken off again.
        """
        key = name.encode()
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel()
            self._subscribe(key)
        channel.listeners.add(heard)
        try:
            async with asyncio.timeout(self._timeout_s):
                await channel.confirmed.wait()
        except TimeoutError:
            self.unlisten(name, heard)
            raise RedisAway(f"no confirmation of SUBSCRIBE within {self._timeout_s} s") from None
        except asyncio.CancelledError:
            self.unlisten(name, heard)
            raise

    def unlisten(self, name: str, heard: Heard) -> None:
        """Take a listener off; the last one of a channel ends the subscription."""
        key = name.encode()
        channel = self._channels.get(key)
        if channel is None:
            return
        channel.listeners.discard(heard)
        if not channel.listeners:
            del self._channels[key]
            if self._connection is not None:
                self._send(pack("UNSUBSCRIBE", key))

    async def close(self) -> None:
        """Drop the connection and forget all listeners."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._channels.clear()

    def _subscribe(self, key: bytes) -> None:
        if self._connection is None:
            return  # connecting subscribes to all
        self._owed[key] = self._owed.get(key, 0) + 1
        self._send(pack("SUBSCRIBE", key))

    def _send(self, packed: bytes) -> None:
        self._outgoing.append(packed)
        self._work.set()

    async def _run(self) -> None:
        while True:
            connection = self._connect()
            try:
                async with asyncio.timeout(self._timeout_s):
                    await connection.connect()
                self._resubscribe(connection)
                async with asyncio.TaskGroup() as serving:
                    serving.create_task(self._write(connection))
                    serving.create_task(self._read(connection))
                    serving.create_task(self._ping())
            except* (RedisError, OSError, TimeoutError):
                pass  # nudges are hints: viewers look again by themselves until the connection stands again
            except* Exception:  # noqa: BLE001 - were this task to end, nobody would ever be woken again
                _log.exception("listening broke")
            finally:
                self._connection = None
                await connection.disconnect(nowait=True)
            await asyncio.sleep(_PAUSE_AFTER_BREAK_S)

    def _resubscribe(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._outgoing = []
        self._owed = {}
        for key, channel in self._channels.items():
            channel.confirmed.clear()
            self._subscribe(key)

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            outgoing, self._outgoing = self._outgoing, []
            await write(connection, outgoing)

    async def _ping(self) -> None:
        """Give up a connection that says nothing, not even to a PING: a half-open one would be quiet for ever."""
        silent = 0
        while silent < _SILENT_PINGS:
            messages = self._messages
            self._send(_PING)
            await asyncio.sleep(self._timeout_s / _SILENT_PINGS)
            silent = silent + 1 if self._messages == messages else 0
        raise TimeoutError

    async def _read(self, connection: AbstractConnection) -> None:
        while True:
            kind, key, data = _message(await connection.read_response(disable_decoding=True, timeout=math.inf))
            self._messages += 1
            if kind == b"message":
                self._tell(key, data)
            elif kind == b"subscribe":
                self._confirm(key)

    def _confirm(self, key: bytes) -> None:
        # A channel that was left and joined again in one moment is confirmed by its last SUBSCRIBE, not its first.
        owed = self._owed.pop(key) - 1
        if owed:
            self._owed[key] = owed
        elif channel := self._channels.get(key):
            channel.confirmed.set()
            self._tell(key, b"")

    def _tell(self, key: bytes, data: bytes) -> None:
        channel = self._channels.get(key)
        for heard in list(channel.listeners) if channel else ():
            heard(data)


def _message(reply: Any) -> tuple[bytes, bytes, bytes]:
    """Read `[kind, channel, data]`; the answer to a PING is `[pong, data]`."""
    if isinstance(reply, list) and len(reply) == 3:
        return reply[0], reply[1], reply[2] if isinstance(reply[2], bytes) else b""
    return b"", b"", b""
