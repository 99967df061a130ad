"""Plain text: the words of one answer, and an end that tells whether it is whole."""

import asyncio

import httpx2
import pytest

from tests.consume_stream.outside_writer import OutsideWriter
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def words(services: Services, session: str, accept: str = "text/plain", **query: str) -> httpx2.Response:
    """The answer as a client that wants text gets it."""
    async with httpx2.AsyncClient(verify=False) as client:
        asked = {"sessionId": session, **query}
        return await client.get(
            f"{services.consume.url}/api/consume-stream", params=asked, headers={"Accept": accept}, timeout=30
        )


async def test_the_words_of_the_newest_answer_and_nothing_else(
    services: Services, upstream: Upstream, session: str
) -> None:
    upstream.prompts[f"{session} 1"] = Script(text=("One.",))
    upstream.prompts[f"{session} 2"] = Script(text=("Zwei ", "🌊\n", "\u2028."), thinking=("hm",))
    await services.start(sessionId=session, prompt=f"{session} 1", provider="openai", stream=True)
    assert (await words(services, session)).text == "One."
    await services.start(sessionId=session, prompt=f"{session} 2", provider="openai")
    told = await words(services, session)
    assert told.text == "Zwei 🌊\n\u2028."
    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    assert (await words(services, session, generation="1")).text == "One."


async def test_an_answer_that_failed_has_no_clean_end(services: Services, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("Half",), finish="")
    await services.start(sessionId=session, prompt=session, provider="openai")
    with pytest.raises(httpx2.RemoteProtocolError):
        await words(services, session)


async def test_a_takeover_cuts_who_has_words_that_count_no_more(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("Earlier.")
    await writer.begin()
    url, query = f"{services.consume.url}/api/consume-stream", {"sessionId": session}
    async with (
        httpx2.AsyncClient(verify=False) as client,
        client.stream("GET", url, params=query, headers={"Accept": "text/plain"}, timeout=30) as told,
    ):
        words_ = told.aiter_text()
        await writer.say("Void.")
        assert await anext(words_) == "Void."
        await writer.take_over()
        with pytest.raises(httpx2.RemoteProtocolError):
            await anext(words_)
    await writer.say("Good.")
    await writer.end()
    assert (await words(services, session)).text == "Good."


async def test_a_takeover_before_the_first_word_is_no_event_for_anybody(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    async with asyncio.TaskGroup() as both:
        told = both.create_task(words(services, session))
        await writer.take_over()
        await writer.say("Good.")
        await writer.end()
    assert told.result().text == "Good."


async def test_who_has_some_words_gets_the_rest(services: Services, writer: OutsideWriter, session: str) -> None:
    _, first, second, end = await writer.answer("One, ", "two.")
    assert (await words(services, session, lastEventId=first)).text == "two."
    assert (await words(services, session, lastEventId=second)).text == ""
    assert (await words(services, session, lastEventId=end)).status_code == 204


async def test_who_has_words_from_behind_the_end_is_cut(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    first = await writer.begin()
    url, query = f"{services.consume.url}/api/consume-stream", {"sessionId": session, "lastEventId": f"{first[:-1]}99"}
    async with (
        httpx2.AsyncClient(verify=False) as client,
        client.stream("GET", url, params=query, headers={"Accept": "text/plain"}, timeout=30) as told,
    ):
        assert told.status_code == 200
        await writer.say("Short.")
        await writer.end()
        with pytest.raises(httpx2.RemoteProtocolError):
            await told.aread()


async def test_who_has_words_of_a_lost_attempt_is_told_so(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    [void] = await writer.say("Void.")
    await writer.take_over()
    await writer.say("Good.")
    await writer.end()
    ms, _, seq = void.partition("-")
    # The second of them is what Redis had lost already when the answer was begun anew; the third lies behind its end.
    for position in (void, f"{ms}-{int(seq) + 1}", "99999999999999-0"):
        told = await words(services, session, lastEventId=position)
        assert (told.status_code, told.json()["error"]["code"]) == (409, "resume_point_void")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("text/plain, */*;q=0.1", "text/plain"),
        ("text/event-stream, text/plain;q=0.5", "text/event-stream"),
        ("text/event-stream;q=0.4, TEXT/PLAIN;q=0.5", "text/plain"),
        ("text/plain;q=0, */*", "text/event-stream"),
        ("application/json, text/plain, */*", "text/event-stream"),
        ("text/*, text/event-stream;q=0.5", "text/plain"),
        ("text/plain; q = 0.4; x=y, */*;q=0.5", "text/event-stream"),
    ],
)
async def test_who_would_rather_have_text_gets_it(
    services: Services, upstream: Upstream, session: str, accept: str, media_type: str
) -> None:
    upstream.prompts[session] = Script(text=("One.",))
    await services.start(sessionId=session, prompt=session, provider="openai")
    told = await words(services, session, accept)
    assert told.headers["content-type"].split(";")[0] == media_type


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"follow": "session"}, 400, "invalid_follow"),
        ({"generation": "0"}, 400, "invalid_generation"),
        ({"generation": "one"}, 400, "invalid_generation"),
        ({"generation": "2"}, 404, "session_not_found"),
    ],
)
async def test_what_is_not_there_is_said(
    services: Services, upstream: Upstream, session: str, query: dict[str, str], status: int, code: str
) -> None:
    upstream.prompts[session] = Script(text=("One.",))
    await services.start(sessionId=session, prompt=session, provider="openai")
    told = await words(services, session, **query)
    assert (told.status_code, told.json()["error"]["code"]) == (status, code)
