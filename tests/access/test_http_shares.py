"""Share links: what they show, to whom, for how long, and what they can't be used for."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests.access.person import Person
from tests.fakes.issuer import SECRET, SETTINGS, by_secret
from tests.processes import Services, until
from tests.viewing import Cut, Refused, Viewer

pytestmark = pytest.mark.anyio

SOON_S = 20.0
AT_ONCE_S = 3.0


@pytest.fixture
def owner(guarded: Services) -> Person:
    """Whose session it is."""
    return Person.named(guarded)


@pytest.fixture
async def guarded_narrow(redis_url: str, leash: Leash) -> AsyncIterator[Services]:
    """Services with one place for the readers of a session's links."""
    settings = SETTINGS | {"REJOIN_JWT_SECRET": SECRET, "REJOIN_VIEWERS_PER_SESSION_MAX": "1"}
    async with Services(redis_url, leash, **settings) as running:
        yield running


def visitor(services: Services, session: str, token: str, follow: str = "answer") -> Viewer:
    """One who has a link, and nothing else."""
    return Viewer(services.consume.url, session, follow, share=token)


def shown(viewer: Viewer) -> list[tuple[str | None, dict[str, Any]]]:
    """What a viewer was sent, but for when it is to come back."""
    return [(frame.id, frame.event) for frame in viewer.frames]


async def test_a_link_shows_the_whole_session_and_nothing_of_its_owner(guarded: Services, session: str) -> None:
    ada = Person.named(guarded, "ada-the-owner")
    await ada.answered(session)
    await ada.answered(session, "And then?")
    link = await ada.link(session)
    viewer = visitor(guarded, session, link["token"])
    await viewer.connect()
    mine = ada.viewer(session)
    await mine.connect()
    assert shown(viewer) == shown(mine)
    page = await Person(guarded).get(f"sessions/{session}", share=link["token"])
    assert page.json()["generations"] == (await ada.get(f"sessions/{session}")).json()["generations"]
    told = page.text + json.dumps([frame.event for frame in viewer.frames]) + json.dumps(link)
    assert "ada-the-owner" not in told
    assert link["url"] == f"/?session={session}#share={link['token']}"


async def test_a_link_to_one_generation_shows_that_alone_and_ends_with_it(
    guarded: Services, owner: Person, session: str
) -> None:
    for prompt in ("One?", "Two?", "Three?"):
        await owner.answered(session, prompt)
    token = (await owner.link(session, 2))["token"]
    for follow in ("answer", "session"):
        viewer = visitor(guarded, session, token, follow)
        await viewer.connect()
        assert [answer.prompt for answer in viewer.view.answers.values()] == ["Two?"]
        assert viewer.view.answers[2].status == "completed"
        with pytest.raises(Refused) as refused:
            await viewer.connect()
        assert refused.value.response.status_code == 204
    page = (await Person(guarded).get(f"sessions/{session}", share=token)).json()
    assert [each["prompt"] for each in page["generations"]] == ["Two?"]
    assert page["lastEventId"] == viewer.last_id


async def test_a_link_to_one_generation_tells_of_no_other_wherever_it_is_resumed_from(
    guarded: Services, owner: Person, redis_client: Any, session: str
) -> None:
    for prompt in ("One?", "Two?", "Three?"):
        await owner.answered(session, prompt)
    token = (await owner.link(session, 2))["token"]
    log = await redis_client.xrange(keys.log(session))
    own = [entry_id for entry_id, fields in log if fields["generation"] == "2"]
    others = [entry_id for entry_id, fields in log if fields["generation"] != "2"]
    whole = visitor(guarded, session, token)
    await whole.connect()
    # What is not shown is as what is not there: the resume point is unknown, and all that is shown comes anew.
    for point in (others[0], others[-1], f"{own[0].split('-')[0]}-99999"):
        viewer = visitor(guarded, session, token)
        viewer.last_id = point
        await viewer.connect()
        assert viewer.frames[0].event == {"type": "reset", "reason": "unknown_position"}, point
        assert shown(viewer)[1:] == shown(whole)
    for before in (None, "0-1", others[-1], own[-1]):
        query = {} if before is None else {"before": before}
        page = (await Person(guarded).get(f"sessions/{session}", share=token, **query)).json()
        assert page["lastEventId"] in [*own, "0-0"], before


async def test_a_link_to_a_generation_that_there_is_not_is_refused(owner: Person, session: str) -> None:
    await owner.answered(session)
    response = await owner.post("share-stream", sessionId=session, generation=2)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "generation_unknown")


async def test_a_link_is_followed_live_and_closed_at_once_when_it_is_revoked(
    guarded: Services, owner: Person, redis_client: Any, session: str
) -> None:
    await owner.answered(session)
    mine = owner.viewer(session, "session")
    links = [await owner.link(session) for _ in range(2)]
    revoked, kept = (visitor(guarded, session, link["token"], "session") for link in links)
    watching = [asyncio.create_task(viewer.connect()) for viewer in (mine, kept, revoked)]
    await until(lambda: _ended(mine, kept, revoked), SOON_S)
    began = time.monotonic()
    response = await owner.post("unshare-stream", sessionId=session, shareId=links[0]["shareId"])
    assert response.json() == {"revoked": 1}
    with pytest.raises(Cut):
        await watching[2]
    assert time.monotonic() - began < AT_ONCE_S
    assert revoked.frames[-1].event == {"type": "unauthorized", "code": "share_revoked"}
    with pytest.raises(Refused) as refused:
        await revoked.connect()
    assert refused.value.response.status_code == 404
    # The others go on where they were, told of nothing.
    await owner.answered(session, "Still here?")
    await until(lambda: _ended(mine, kept, generation=2), SOON_S)
    # Told in other frames, perhaps: neighbours of one read are joined.
    assert (mine.text, mine.last_id) == (kept.text, kept.last_id)
    assert len(mine.frames) == len({frame.id for frame in mine.frames})
    for task in watching:
        task.cancel()


async def test_who_has_a_revoked_link_takes_no_place_from_who_has_a_good_one(
    guarded_narrow: Services, session: str
) -> None:
    owner, anybody = Person.named(guarded_narrow), Person(guarded_narrow)
    await owner.answered(session)
    revoked, good = await owner.link(session), await owner.link(session)
    await owner.post("unshare-stream", sessionId=session, shareId=revoked["shareId"])
    reader = visitor(guarded_narrow, session, good["token"], "session")
    reading = asyncio.create_task(reader.connect())
    await until(lambda: _ended(reader), SOON_S)
    # All places are taken: whose link is good is told so, and whose is not is told nothing of that.
    for link, status in ((revoked, 404), (good, 429)):
        response = await anybody.get("consume-stream", sessionId=session, share=link["token"])
        assert response.status_code == status
    reading.cancel()


async def test_all_links_are_revoked_at_once_and_go_with_their_session(
    guarded: Services, owner: Person, session: str
) -> None:
    await owner.answered(session)
    links = [await owner.link(session, generation) for generation in (None, 1)]
    listed = (await owner.get("share-stream", sessionId=session)).json()["shares"]
    assert {share["shareId"] for share in listed} == {link["shareId"] for link in links}
    assert (await owner.post("unshare-stream", sessionId=session)).json() == {"revoked": 2}
    assert (await owner.get("share-stream", sessionId=session)).json() == {"shares": []}
    last = await owner.link(session)
    await owner.post("delete-stream", sessionId=session)
    await Person.named(guarded).answered(session, "Another's.")
    page = await Person(guarded).get(f"sessions/{session}", share=last["token"])
    assert page.status_code == 404


async def test_a_session_has_a_hundred_links_at_most_and_those_that_are_over_make_room(
    owner: Person, redis_client: Any, session: str
) -> None:
    await owner.answered(session)
    for _ in range(99):
        await redis_client.hset(keys.meta(session), f"share:{nanoid.generate()}", f" {int(time.time()) + 60}")
    await redis_client.hset(keys.meta(session), "share:over", f" {int(time.time()) - 1}")
    await owner.link(session)
    response = await owner.post("share-stream", sessionId=session)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "too_many_shares")
    assert await redis_client.hget(keys.meta(session), "share:over") is None


async def test_what_a_link_is_not(guarded: Services, owner: Person, session: str) -> None:
    """Not a key to another session, to writing, or to who its owner is; and no token is a link."""
    other = str(nanoid.generate())
    for each in (session, other):
        await owner.answered(each)
    token = (await owner.link(session))["token"]
    anybody, bearer = Person(guarded), Person(guarded, token)
    assert (await anybody.get(f"sessions/{other}", share=token)).json()["error"]["code"] == "share_invalid"
    assert (await bearer.get(f"sessions/{session}")).json()["error"]["code"] == "token_invalid"
    for path in ("stop-stream", "delete-stream", "share-stream", "unshare-stream"):
        assert (await bearer.post(path, sessionId=session)).status_code == 401
        assert (await anybody.post(f"{path}?share={token}", sessionId=session)).status_code == 401
    head, claims, signature = token.split(".")
    said = jwt.decode(token, options={"verify_signature": False})
    forged = [
        owner.token,
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-2]}AA",
        jwt.encode(said, SECRET, "HS256"),
        jwt.encode(said | {"exp": int(time.time()) + 10**6}, "x" * 32, "HS256"),
        by_secret(aud="rejoin-share", sid=session, jti=said["jti"]),
        jwt.encode(said, "", "none"),
        "", "x", token + "x", "é" * 20, "a" * 5000,
    ]  # fmt: skip
    for each in forged:
        response = await anybody.get(f"sessions/{session}", share=each)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "share_invalid"), each


async def test_sharing_is_off_where_everybody_may_read(services: Services, session: str) -> None:
    anybody = Person(services)
    await anybody.answered(session)
    response = await anybody.post("share-stream", sessionId=session)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "sharing_off")


async def _ended(*viewers: Viewer, generation: int = 1) -> bool:
    answers = [viewer.view.answers.get(generation) for viewer in viewers]
    return all(answer is not None and answer.status == "completed" for answer in answers)
