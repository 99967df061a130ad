"""GET /api/read-stream: a log read by polls, short and long, is the log that a stream tells."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from deploy.leash import Leash
from tests.consume_stream.facts import no_groups, number_of_groups, viewers_are
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import Service, Services, until
from tests.viewing import Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

AHEAD = "99999999999999-0"
LATE_S = 5.0
"""What a busy machine adds."""


async def poll(service: Service, session: str, after: str = "0", **query: Any) -> httpx2.Response:
    """Ask once."""
    async with httpx2.AsyncClient(verify=False, timeout=40) as client:
        asked = {"sessionId": session, "after": after} | query
        return await client.get(f"{service.url}/api/read-stream", params=asked)


async def polled(service: Service, session: str, after: str) -> list[dict[str, Any]]:
    """Ask again and again until there is anything else than nothing."""
    pages: list[dict[str, Any]] = []
    while not pages or pages[-1] == {"entries": [], "next": after, "over": False}:
        pages.append((await poll(service, session, after)).json())
    return pages


async def whole(service: Service, session: str, **query: Any) -> list[tuple[str, Any]]:
    """Ask from the beginning until it is over."""
    entries: list[tuple[str, Any]] = []
    after, over = "0", False
    while not over:
        page = (await poll(service, session, after, **query)).json()
        assert page.keys() == {"entries", "next", "over"}
        entries += [(entry["id"], entry["data"]) for entry in page["entries"]]
        after, over = page["next"], page["over"]
    return entries


async def test_the_whole_story_by_polls_is_what_a_stream_tells(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("Hel", "lo", " 🌊")
    await writer.begin()
    await writer.say(*[f"{number} " for number in range(2000)])
    await writer.end()
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    polled = await whole(services.consume, session)
    by_polls = Viewer("", session)
    for position, event in polled:
        by_polls.view.apply(position, event)
    assert by_polls.view.answers == viewer.view.answers != {}
    assert len(polled) == len({position for position, _ in polled})
    assert polled[-1][0] == writer.ids[-1]
    await no_groups(redis_client, session)
    await viewers_are(services.consume, 0)


async def test_a_long_poll_is_answered_as_soon_as_there_is_something(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    last = await writer.begin()
    for word in ("One ", "two."):
        asked = asyncio.create_task(poll(services.consume, session, last, wait=30))
        await number_of_groups(redis_client, session, 1)
        began = time.monotonic()
        await writer.say(word)
        page = (await asked).json()
        assert time.monotonic() - began < LATE_S
        assert [entry["data"]["content"] for entry in page["entries"]] == [word]
        last = writer.ids[-1]
        assert (page["next"], page["over"]) == (last, False)
    reading = asyncio.create_task(whole(services.consume, session, wait=30))
    await writer.end()
    assert (await reading)[-1][0] == writer.ids[-1]
    await no_groups(redis_client, session)


async def test_who_has_all_of_it_gets_nothing_at_the_end_of_the_wait(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    last = await writer.begin()
    for wait in (0, 0.5):
        began = time.monotonic()
        response = await poll(services.consume, session, last, wait=wait)
        assert wait <= time.monotonic() - began < wait + LATE_S
        assert response.json() == {"entries": [], "next": last, "over": False}
        assert response.headers["cache-control"] == "no-store"
    # And of a session that is not there yet.
    began = time.monotonic()
    page = (await poll(services.consume, "not-there-yet", wait=0.5, follow="session")).json()
    assert page == {"entries": [], "next": "0-0", "over": False}
    assert 0.5 <= time.monotonic() - began < 0.5 + LATE_S
    await no_groups(redis_client, session)


async def test_who_has_the_end_is_told_so_but_a_session_has_none(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("All.")
    over = {"entries": [], "next": writer.ids[-1], "over": True}
    assert (await poll(services.consume, session, writer.ids[-1], wait=30)).json() == over
    page = (await poll(services.consume, session, writer.ids[-1], wait=0.1, follow="session")).json()
    assert page == over | {"over": False}
    assert (await poll(services.consume, session)).json()["over"] is True
    assert (await poll(services.consume, session, follow="session")).json()["over"] is False


async def test_a_position_that_the_log_does_not_know_is_a_reset_and_the_whole_log(
    services: Services, brisk: Service, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("All.")
    for service, after in ((services.consume, "1-1"), (brisk, AHEAD)):
        [*before, page] = await polled(service, session, after)
        assert before == [] or service is brisk
        assert page["reset"] == "unknown_position"
        assert page["entries"][0]["id"] == writer.ids[0]
        assert (page["next"], page["over"]) == (writer.ids[-1], True)


async def test_what_the_log_has_not_yet_is_no_reset_until_a_writer_has_had_the_time_to_write_it_again(
    redis_url: str, redis_client: Any, leash: Leash, writer: OutsideWriter, session: str
) -> None:
    service = Service("services.consume_stream", leash, {"REDIS_URL": redis_url, "REJOIN_LEASE_S": "2"})
    ms, _, _ = (await writer.begin()).partition("-")
    # Its connection to Redis is new, as after a failover: what the client has may be lost, and come back.
    await service.start()
    waiting = {"entries": [], "next": f"{ms}-1", "over": False}
    assert (await poll(service, session, f"{ms}-1", wait=0.1)).json() == waiting
    refilled = asyncio.create_task(poll(service, session, f"{ms}-1", wait=30))
    await number_of_groups(redis_client, session, 1)
    await writer.say("One ", "two.")
    page = (await refilled).json()
    assert [entry["data"]["content"] for entry in page["entries"]] == ["two."]
    assert "reset" not in page
    # No poll waits for the rest of that time, nor begins it anew.
    lost, gone = await asyncio.gather(polled(service, session, AHEAD), polled(service, f"{session}-gone", AHEAD))
    assert min(len(lost), len(gone)) > 2
    assert (lost[-1]["reset"], gone[-1]["error"]["code"]) == ("unknown_position", "session_not_found")
    await service.kill()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"sessionId": "x"}, 400, "invalid_session_id"),
        ({"after": "x"}, 400, "invalid_resume_point"),
        ({"follow": "me"}, 400, "invalid_follow"),
        ({"wait": "31"}, 400, "invalid_wait"),
        ({"wait": "nan"}, 400, "invalid_wait"),
        ({"wait": "a while"}, 400, "invalid_wait"),
        ({}, 404, "session_not_found"),
    ],
)
async def test_what_can_not_be_is_refused(
    services: Services, session: str, query: dict[str, str], status: int, code: str
) -> None:
    response = await poll(services.consume, session, **query)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_who_leaves_gives_the_place_back_at_once_and_places_are_counted(
    narrow: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    last = await writer.begin()
    waiting = [asyncio.create_task(poll(narrow, session, last, wait=30)) for _ in range(2)]
    await number_of_groups(redis_client, session, 2)
    refused = await poll(narrow, session, last)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_viewers_of_session")
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await viewers_are(narrow, 0)
    await no_groups(redis_client, session)


async def test_a_log_that_goes_away_is_no_session_any_more(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    last = await writer.begin()
    asked = asyncio.create_task(poll(brisk, session, last, wait=30))
    await number_of_groups(redis_client, session, 1)
    await redis_client.delete(f"llm:stream:{session}")

    async def is_answered() -> bool:
        return asked.done()

    await until(is_answered, 20)
    assert (await asked).json()["error"]["code"] == "session_not_found"
