"""Erasing one answer by HTTP: one that runs is stopped first, and who reads it begins anew."""

from contextlib import aclosing

import httpx2
import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.viewing import Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def erase(services: Services, session: str, generation: int) -> httpx2.Response:
    async with httpx2.AsyncClient(verify=False) as client:
        return await client.delete(f"{services.generate.url}/v1/responses/resp_{session}_{generation}")


async def test_one_that_runs_is_stopped_first_and_its_viewer_begins_anew(
    services: Services, upstream: Upstream, session: str
) -> None:
    upstream.prompts[f"{session} 2"] = Script(text=("Half", "never"), stall_after=1)
    await services.start(sessionId=session, prompt=session)
    viewer = Viewer(services.consume.url, session, follow="session")
    async with aclosing(viewer.stream()) as frames:
        async for frame in frames:
            if frame.event.get("status") == "completed":
                await services.start(sessionId=session, prompt=f"{session} 2")
            if frame.event.get("content") == "Half":
                erased = await erase(services, session, 2)
                assert erased.json() == {"id": f"resp_{session}_2", "object": "response", "deleted": True}
            if frame.event.get("type") == "reset":
                break
        async for frame in frames:
            if frame.event.get("status") == "completed":
                break
    assert sorted(viewer.view.answers) == [1]
    assert (await erase(services, session, 2)).status_code == 404
