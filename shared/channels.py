"""One Pub/Sub connection for all the channels that a process listens to on one node of Redis."""

import asyncio
import logging
import math
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, ClusterDownError, RedisError

from shared import metrics
from shared.wire import Connect, RedisAway, pack, write

_log = logging.getLogger(__name__)

Heard = Callable[[bytes], None]
"""Called with each message's data. It must be quick and must not raise: it runs in the reading loop."""

_PING = pack("PING")
_PAUSE_AFTER_BREAK_S = 0.1
_SILENT_PINGS = 2
"""In one timeout. More than one, so that a process that was paused itself doesn't take that for silence."""


class _Channel:
    """Who listens to one channel, and whether Redis has confirmed the subscription, or will not."""

    def __init__(self) -> None:
        self.listeners: set[Heard] = set()
        self.answered = asyncio.Event()
        self.refused = False


class Channels:
    """Listens to any number of channels on one connection, which it makes again whenever it breaks.

    Whenever a channel becomes subscribed, after a break too, its listeners are called once with empty data: what was
    published meanwhile is lost, and empty data means just what a nudge means, "look again".

    With `sharded`, channels are those of SPUBLISH, which lie on the node that has the slot of their name. Then they are
    called so as well when the slot has gone to another node: nothing more comes here.
    """

    def __init__(self, connect: Connect, timeout_s: float, *, sharded: bool = False) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._kind = "S" if sharded else ""
        self._channels: dict[bytes, _Channel] = {}
        self._owed: deque[bytes] = deque()
        """The channels for whose SUBSCRIBE Redis has still to answer, in the order of asking."""
        self._owed_times: Counter[bytes] = Counter()
        self._connection: AbstractConnection | None = None
        self._outgoing: list[bytes] = []
        self._work = asyncio.Event()
        self._messages = 0
        self._task = asyncio.create_task(self._run(), name="channels")

    async def listen(self, name: str, heard: Heard) -> None:
        """Add a listener; returns when Redis has confirmed that messages will come.

        Raises RedisAway when the confirmation does not come in time, or another node has the channel; the listener is
        then taken off again.
        """
        key = name.encode()
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel()
            self._subscribe(key)
        channel.listeners.add(heard)
        try:
            async with asyncio.timeout(self._timeout_s):
                await channel.answered.wait()
        except TimeoutError:
            self.unlisten(name, heard)
            raise RedisAway(f"no confirmation of SUBSCRIBE within {self._timeout_s} s") from None
        except asyncio.CancelledError:
            self.unlisten(name, heard)
            raise
        if channel.refused:
            self.unlisten(name, heard)
            raise RedisAway("another node has this channel")

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
                self._send(pack(f"{self._kind}UNSUBSCRIBE", key))

    @property
    def idle(self) -> bool:
        """Whether nobody listens."""
        return not self._channels

    async def close(self) -> None:
        """Drop the connection and forget all listeners."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._channels.clear()

    def _subscribe(self, key: bytes) -> None:
        if self._connection is None:
            return  # connecting subscribes to all
        self._owed.append(key)
        self._owed_times[key] += 1
        self._send(pack(f"{self._kind}SUBSCRIBE", key))

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
                (metrics.REDIS_DISCONNECTS if self._connection else metrics.REDIS_CONNECTS_FAILED).inc()
                self._connection = None
                await connection.disconnect(nowait=True)
            await asyncio.sleep(_PAUSE_AFTER_BREAK_S)

    def _resubscribe(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._outgoing = []
        self._owed.clear()
        self._owed_times.clear()
        for key, channel in self._channels.items():
            channel.answered.clear()
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
            try:
                reply = await connection.read_response(
                    disable_decoding=True, timeout=math.inf, disconnect_on_error=False
                )
            except (AskError, ClusterDownError):
                # To a SUBSCRIBE: PING is the only other command that is answered, and no slot is asked for by it.
                self._answered(refused=True)
                continue
            self._messages += 1
            kind, key, data = _message(reply)
            match kind.removeprefix(b"s") if self._kind else kind:
                case b"message":
                    self._tell(key, data)
                case b"subscribe":
                    self._answered(refused=False)
                case b"unsubscribe":
                    # Asked for, and then nobody listens; or the slot has gone.
                    self._tell(key, b"")

    def _answered(self, *, refused: bool) -> None:
        # A channel that was left and joined again in one moment is confirmed by its last SUBSCRIBE, not its first.
        key = self._owed.popleft()
        self._owed_times[key] -= 1
        if self._owed_times[key]:
            return
        del self._owed_times[key]
        if channel := self._channels.get(key):
            channel.refused = refused
            channel.answered.set()
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
