"""GET /api/sessions/<id>: what a page needs to show a session before it follows it."""

from typing import Any

import httpx2
import pytest

from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw
from tests.processes import Service, Services, until

pytestmark = pytest.mark.anyio


async def page(service: Service, session: str, **query: Any) -> dict[str, Any]:
    """One page."""
    async with httpx2.AsyncClient(verify=False) as client:
        response = await client.get(f"{service.url}/api/sessions/{session}", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return dict(response.json())


async def test_a_page_tells_each_generation_newest_first(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.begin(metadata='{"order": "7"}', temperature="0.5")
    await writer.say("Hm.", kind="reasoning")
    await writer.say("One", " only.")
    await writer.end(chunks=2, ttftMs=3, finishReason="stop", usage='{"total_tokens": 5}', digest="d")
    await writer.begin(prompt="And?")
    await writer.say("Tw")
    await writer.end("stopped", finishReason="stopped")
    await writer.begin(replaces="2")
    await writer.end("failed", code="provider_auth", error="No key.", retryable="false")
    await writer.begin()
    await writer.say("Still")
    told = await page(services.consume, session)
    assert (told["sessionId"], told["lastEventId"], told["viewers"]) == (session, writer.ids[-1], 0)
    assert "next" not in told
    common = {"attempt": 1, "prompt": "Hello?", "provider": "outside", "model": "m", "reasoning": "",
              "startedAt": "2026-01-01T00:00:00.000Z", "durationMs": 9}  # fmt: skip
    running = common | {"generation": 4, "status": "running", "text": "Still"}
    del running["durationMs"]
    assert told["generations"] == [
        running,
        common | {"generation": 3, "status": "failed", "text": "", "replaces": 2, "code": "provider_auth",
                  "error": "No key.", "retryable": False},
        common | {"generation": 2, "status": "stopped", "text": "Tw", "prompt": "And?", "finishReason": "stopped"},
        common | {"generation": 1, "status": "completed", "text": "One only.", "reasoning": "Hm.", "chunks": 2,
                  "ttftMs": 3, "finishReason": "stop", "usage": {"total_tokens": 5}, "digest": "d",
                  "metadata": {"order": "7"}},
    ]  # fmt: skip


async def test_a_page_tells_of_tools_what_was_called_and_what_came_back(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    call = {"callId": "c1", "name": "get_weather", "arguments": "{}"}
    await writer.begin()
    await writer.add({"type": "tool", "generation": 1, **call, "ms": 3})
    await writer.end(finishReason="tool_calls")
    await writer.begin(prompt="", after=0, continues=1, toolResults='[{"callId": "c1", "content": "7"}]')
    await writer.say("Seven.")
    second, first = (await page(services.consume, session))["generations"]
    assert (first["text"], first["toolCalls"]) == ("", [call])
    assert not {"toolResults", "after", "continues"} & first.keys()
    assert (second["prompt"], second["text"], second["after"], second["continues"]) == ("", "Seven.", 0, 1)
    assert second["toolResults"] == [{"callId": "c1", "content": "7"}]
    assert "toolCalls" not in second


async def test_before_the_first_entry_there_is_nothing(services: Services, writer: OutsideWriter, session: str) -> None:
    await writer.answer("One")
    for before in ("0", "0-0"):
        told = await page(services.consume, session, before=before)
        assert told["generations"] == []
        assert "next" not in told
    assert "Redis refused" not in services.consume.log


async def test_the_pages_together_are_the_session_whatever_their_size(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    for number in range(1, 8):
        await writer.answer(*(f"{number}.{word} " for word in range(100)))
    for limit in (1, 2, 3, 7, 50):
        seen: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            told = await page(services.consume, session, **query)
            assert len(told["generations"]) <= limit
            assert told["lastEventId"] == writer.ids[-1]
            seen += told["generations"]
            if "next" not in told:
                break
            query["before"] = told["next"]
        assert [each["generation"] for each in seen] == [7, 6, 5, 4, 3, 2, 1]
        assert seen[3]["text"] == "".join(f"4.{word} " for word in range(100))


async def test_without_a_limit_a_page_has_twenty(services: Services, writer: OutsideWriter, session: str) -> None:
    for _ in range(21):
        await writer.answer("One.")
    told = await page(services.consume, session)
    assert [each["generation"] for each in told["generations"]] == list(range(21, 1, -1))
    [last] = (await page(services.consume, session, before=told["next"]))["generations"]
    assert last["generation"] == 1


async def test_a_later_attempt_is_told_with_its_own_words_only(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("Before.")
    await writer.begin()
    await writer.say("Lost words")
    writer.generation -= 1
    await writer.begin(attempt=2)
    await writer.say("Words")
    await writer.end()
    for limit in (1, 20):
        newest = (await page(services.consume, session, limit=limit))["generations"][0]
        assert (newest["generation"], newest["attempt"], newest["text"]) == (2, 2, "Words")


async def test_the_viewers_now_are_counted_in_all_processes(
    services: Services, brisk: Service, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()

    async def told() -> int:
        return int((await page(services.consume, session))["viewers"])

    async with raw(services.consume, {"sessionId": session}) as one, raw(brisk, {"sessionId": session}) as two:
        await one.has(b"\n\n")
        await two.has(b"\n\n")
        assert await told() == 2

    async def none() -> bool:
        return await told() == 0

    await until(none, 5)


async def test_an_unknown_session_has_no_page(services: Services, session: str) -> None:
    async with httpx2.AsyncClient(verify=False) as client:
        response = await client.get(f"{services.consume.url}/api/sessions/{session}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "session_not_found")
