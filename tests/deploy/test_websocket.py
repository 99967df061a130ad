"""WebSockets and polls by way of what stands in front: the local run's origin, and the nginx that is shipped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deploy.leash import Leash
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.socket_viewer import BROKEN_OFF, Closed, SocketViewer, socket
from tests.nginx import Nginx
from tests.ports import free_port
from tests.processes import Service, Services, until
from tests.viewing import Refused, Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.usefixtures("page")]


@pytest.fixture(params=["origin", "nginx"])
async def mortal(
    request: pytest.FixtureRequest, redis_url: str, leash: Leash, tmp_path: Path
) -> AsyncIterator[tuple[Service, str]]:
    """A consume-stream that a test may end, and the address in front of it."""
    async with contextlib.AsyncExitStack() as running:
        services = Services(redis_url, leash)
        # It comes back to its address.
        environ = {"REDIS_URL": redis_url, "REJOIN_PORT": str(free_port())}
        services.consume = Service("services.consume_stream", leash, environ)
        await running.enter_async_context(services)
        if request.param == "origin":
            yield services.consume, await running.enter_async_context(services.origin())
        else:
            places = [service.url.removeprefix("http://") for service in (services.generate, services.consume)]
            nginx = running.enter_context(Nginx(leash, tmp_path, places[:1], places[1:], tls=False))
            yield services.consume, nginx.url


async def test_an_answer_comes_through_in_pieces_and_a_cut_stays_a_cut(
    mortal: tuple[Service, str], redis_client: object, session: str
) -> None:
    service, url = mortal
    writer, viewer = OutsideWriter(redis_client, session), SocketViewer(url, session)
    with pytest.raises(Refused) as refused:
        await viewer.connect()
    assert refused.value.response.json()["error"]["code"] == "session_not_found"
    await writer.begin()
    for word in ("Hel", "lo."):
        await writer.say(word)
        await viewer.connect(until=lambda _: True)
    for end, code in (("stop", 1012), ("kill", BROKEN_OFF)):
        late = SocketViewer(url, session)
        following = asyncio.create_task(late.connect())
        await until(lambda late=late: _has(late, "Hello."), 20)
        await getattr(service, end)()
        with pytest.raises(Closed) as cut:
            await following
        assert cut.value.code == code
        await service.start()
    await writer.end()
    await viewer.connect()
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        polled = (await client.get(f"{url}/api/read-stream", params={"sessionId": session, "wait": 1})).json()
    by_poll = Viewer(url, session)
    for entry in polled["entries"]:
        by_poll.view.apply(entry["id"], entry["data"])
    assert polled["over"] is True
    assert by_poll.text == viewer.text == "Hello."
    assert by_poll.view.answers == viewer.view.answers


async def _has(viewer: Viewer, text: str) -> bool:
    return viewer.text == text


async def test_the_page_of_the_front_may_listen_and_no_other(
    mortal: tuple[Service, str], redis_client: object, session: str
) -> None:
    _, url = mortal
    query = {"sessionId": session, "follow": "session"}
    async with socket(f"{url}/api/consume-stream", query, origin=url):
        pass
    with pytest.raises(Refused):
        async with socket(f"{url}/api/consume-stream", query, origin="https://evil.example"):
            pass
