"""Who may read by WebSocket: by a token, a cookie or a link, from no foreign page, and until the right is over."""

import asyncio
import time
from typing import Any

import pytest

from tests.access.asking import bearer, cookie
from tests.access.conftest import FRIEND
from tests.access.person import Person
from tests.consume_stream.socket_viewer import Closed, SocketViewer, socket
from tests.fakes.issuer import by_secret
from tests.processes import Services, until
from tests.viewing import Refused

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

LASTS_S = 3


async def verdict(services: Services, session: str, origin: str = "", *headers: tuple[str, str], **more: str) -> Any:
    """101, or the code of the refusal."""
    query = {"sessionId": session, "follow": "session"} | more
    try:
        async with socket(f"{services.consume.url}/api/consume-stream", query, dict(headers), origin):
            return 101
    except Refused as refused:
        return refused.response.json()["error"]["code"]


async def test_every_page_that_listens_is_asked_where_it_is_from_whatever_it_brings(
    guarded: Services, session: str
) -> None:
    ada = Person.named(guarded, "ada")
    await ada.answered(session)
    share = {"share": (await ada.link(session))["token"]}
    known = bearer(ada.token), cookie(ada.token)
    for evil in ("https://evil.example", "null", FRIEND + ".evil"):
        for headers in known:
            assert await verdict(guarded, session, evil, headers) == "origin_not_allowed"
        assert await verdict(guarded, session, evil, **share) == "origin_not_allowed"
        assert await verdict(guarded, session, evil) == "origin_not_allowed"
    for good in (FRIEND, guarded.consume.url, ""):
        for headers in known:
            assert await verdict(guarded, session, good, headers) == 101
        assert await verdict(guarded, session, good, **share) == 101
        assert await verdict(guarded, session, good) == "token_missing"
    assert await verdict(guarded, session, guarded.consume.url, cookie(ada.token), ("Sec-Fetch-Site", "same-site")) == (
        "origin_not_allowed"
    )
    # A token is never taken from the address, which logs and histories keep.
    assert await verdict(guarded, session, token=ada.token, access_token=ada.token) == "token_missing"


async def test_it_is_told_of_the_end_of_its_token_and_goes_on_in_place_with_the_next(
    guarded: Services, session: str
) -> None:
    ada = Person.named(guarded, "ada")
    await ada.start(session, provider="demo")
    viewer = SocketViewer(guarded.consume.url, session, token=by_secret(sub="ada", exp=int(time.time()) + LASTS_S))
    with pytest.raises(Closed) as closed:
        await viewer.connect()
    assert closed.value.code == 1008
    assert viewer.frames[-1].event == {"type": "unauthorized", "code": "token_expired"}
    viewer.token = ada.token
    await viewer.connect()
    whole = ada.viewer(session)
    await whole.connect()
    assert viewer.text == whole.text != ""


async def test_a_link_that_is_revoked_closes_it_at_once(guarded: Services, session: str) -> None:
    ada = Person.named(guarded, "ada")
    await ada.answered(session)
    link = await ada.link(session)
    viewer = SocketViewer(guarded.consume.url, session, "session", share=link["token"])
    following = asyncio.create_task(viewer.connect())

    async def has_read_all() -> bool:
        return bool(viewer.frames) and viewer.frames[-1].event.get("status") == "completed"

    await until(has_read_all, 20)
    await ada.post("unshare-stream", sessionId=session, shareId=link["shareId"])
    with pytest.raises(Closed) as closed:
        await following
    assert closed.value.code == 1008
    assert viewer.frames[-1].event == {"type": "unauthorized", "code": "share_revoked"}
