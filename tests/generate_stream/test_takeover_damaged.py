"""A session whose meta makes no sense holds up no other one's takeover."""

from typing import Any, cast

import pytest

from services.generate_stream.attempt import Held
from services.generate_stream.producer import Producer
from services.generate_stream.takeover import Takeover
from shared.channels import Channels
from tests.processes import until

pytestmark = pytest.mark.anyio

SHORT_S = 0.02
SOON_S = 5.0


class _Log:
    """An index of sessions, one of them damaged."""

    def __init__(self, damaged: dict[str, str]) -> None:
        self.left: list[str] = []
        self._metas = {"damaged": {"status": "running", **damaged}, "over": {"status": "completed"}}

    async def clocks(self) -> dict[str, float]:
        return {"": 0.0}

    async def due(self, _: int) -> list[tuple[str, float]]:
        return [(session, 1.0) for session in self._metas]

    async def held(self, session: str) -> Held:
        return Held(session, self._metas[session], 1)

    async def leave_running(self, session: str, _: float) -> None:
        self.left.append(session)


class _Producer:
    draining = full = False

    def __init__(self, log: _Log) -> None:
        self.log = log


class _Silent:
    async def listen(self, *_: Any) -> None: ...


@pytest.mark.parametrize("damaged", [{}, {"leaseUntilMs": "soon"}, {"leaseUntilMs": "0"}])
async def test_the_others_are_seen_to_again_and_again(damaged: dict[str, str]) -> None:
    log = _Log(damaged)
    producer, channels = cast(Producer, _Producer(log)), cast(Channels, _Silent())
    takeover = Takeover(producer, channels, SHORT_S, SHORT_S, "restart")

    async def is_seen_to_twice() -> bool:
        return log.left.count("over") > 1

    await until(is_seen_to_twice, SOON_S)
    await takeover.close()
