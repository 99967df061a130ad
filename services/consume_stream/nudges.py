"""Nudges: who reads which log, woken by Pub/Sub at once and, should a nudge be lost, by the clock."""

from services.consume_stream.rota import Rota
from shared import keys
from shared.channels import Channels, Heard


class Nudges:
    """Wakes viewers. A wake says "read again" and nothing more. Each viewer is also woken once in `recheck_s`."""

    def __init__(self, channels: Channels, recheck_s: float) -> None:
        self._channels = channels
        self._rota: Rota[Heard] = Rota(recheck_s, lambda wake: wake(b""))

    async def listen(self, session: str, wake: Heard) -> None:
        """Wake by each nudge of this session from now on. Raises RedisAway; then nothing is left behind."""
        await self._channels.listen(keys.log(session), wake)
        self._rota.add(wake)

    def unlisten(self, session: str, wake: Heard) -> None:
        """Wake no more."""
        self._channels.unlisten(keys.log(session), wake)
        self._rota.remove(wake)

    async def close(self) -> None:
        """Stop the clock."""
        await self._rota.close()
