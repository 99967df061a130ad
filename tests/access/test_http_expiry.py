"""A stream ends with its right, says so, and goes on in place with the next."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from shared.access.shares import Share, Shares
from shared.settings import Settings
from tests.access.person import Person
from tests.fakes.issuer import SECRET, SETTINGS, by_secret
from tests.processes import Services
from tests.viewing import Cut, Refused, Viewer

pytestmark = pytest.mark.anyio

LASTS_S = 3
LATE_S = 5.0
"""What a busy machine adds."""


@pytest.fixture
async def guarded_strictly(redis_url: str, leash: Leash) -> AsyncIterator[Services]:
    """Services that let in for three seconds more."""
    settings = SETTINGS | {"REJOIN_JWT_SECRET": SECRET, "REJOIN_JWT_LEEWAY_S": str(LASTS_S)}
    async with Services(redis_url, leash, **settings) as running:
        yield running


async def test_a_viewer_is_told_at_the_end_of_its_token_and_resumes_in_place_with_the_next(
    guarded: Services, session: str
) -> None:
    whole = Person.named(guarded, "ada").viewer(session)
    await Person.named(guarded, "ada").start(session, provider="demo")
    expires_at = int(time.time()) + LASTS_S
    viewer = Viewer(guarded.consume.url, session, "session", token=by_secret(sub="ada", exp=expires_at))
    with pytest.raises(Cut):
        await viewer.connect()
    assert 0 <= time.time() - expires_at < LATE_S
    assert viewer.frames[-1].event == {"type": "unauthorized", "code": "token_expired"}
    viewer.token = by_secret(sub="ada")
    await viewer.connect(lambda frame: frame.event.get("status") == "completed")
    await whole.connect()
    ids = [frame.id for frame in viewer.frames if frame.event["type"] != "unauthorized"]
    assert len(ids) == len(set(ids))
    assert viewer.text == whole.text != ""


async def test_who_comes_within_the_leeway_stays_for_the_rest_of_it(guarded_strictly: Services, session: str) -> None:
    """Else it would be closed at once, and come back, as often as it can."""
    ada = Person.named(guarded_strictly, "ada")
    await ada.answered(session)
    late = int(time.time())
    viewer = Viewer(guarded_strictly.consume.url, session, "session", token=by_secret(sub="ada", exp=late))
    with pytest.raises(Cut):
        await viewer.connect()
    assert 0 <= time.time() - (late + LASTS_S) < LATE_S
    with pytest.raises(Refused) as refused:
        await viewer.connect()
    assert refused.value.response.json()["error"]["code"] == "token_expired"


async def test_a_link_ends_too(guarded: Services, redis_client: Any, session: str) -> None:
    await Person.named(guarded).answered(session)
    # The shortest link that the route gives lasts a minute: this one is made as the route makes them.
    shares = Shares.of(Settings.read(SETTINGS | {"REJOIN_JWT_SECRET": SECRET}))
    share = Share(session, None, "soon-to-be-over", int(time.time()) + LASTS_S)
    await redis_client.hset(keys.meta(session), share.field, share.value)
    viewer = Viewer(guarded.consume.url, session, "session", share=shares.sign(share))
    with pytest.raises(Cut):
        await viewer.connect()
    assert 0 <= time.time() - share.expires_at < LATE_S
    assert viewer.frames[-1].event == {"type": "unauthorized", "code": "share_expired"}
    with pytest.raises(Refused) as refused:
        await viewer.connect()
    assert refused.value.response.json()["error"]["code"] == "share_expired"
