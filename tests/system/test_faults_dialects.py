"""A producer dies under readers of every dialect: nobody takes words that count no more for the answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import until
from tests.system.pair import Pair
from tests.system.story import PACE_S, PIECES, SENT, Story

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

READ_S = 60.0


@pytest.fixture
async def caller(pair: Pair, own_client: Any, upstream: Upstream, session: str) -> AsyncIterator[Caller]:
    """A client of the producer that dies."""
    upstream.prompts[session] = Script(text=PIECES, delay_s=PACE_S)
    yield Caller(pair.generate, own_client, session)
    await pair.mend()


class Reader:
    """One that reads an answer in a dialect, to its end or its cut."""

    def __init__(self, url: str, accept: str = "*/*") -> None:
        self.body = ""
        self.whole = False
        self._url = url
        self._accept = accept

    async def read(self) -> "Reader":
        """Read it."""
        async with (
            httpx2.AsyncClient(timeout=READ_S, verify=False) as client,
            client.stream("GET", self._url, headers={"Accept": self._accept}) as told,
        ):
            assert told.status_code == 200
            try:
                async for text in told.aiter_text():
                    self.body += text
                self.whole = True
            except httpx2.RemoteProtocolError:
                pass
        return self

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came, where it came as events."""
        data = [line.removeprefix("data: ") for line in self.body.split("\n") if line.startswith("data: {")]
        return [json.loads(each) for each in data]


def chat(reader: Reader) -> str:
    """The words of the AI SDK's stream."""
    return "".join(event["delta"] for event in reader.events if event["type"] == "text-delta")


def completion(reader: Reader) -> str:
    """The words of a completion."""
    return "".join(choice["delta"].get("content") or "" for event in reader.events for choice in event["choices"])


def words(reader: Reader) -> str:
    """Plain text is the words."""
    return reader.body


async def test_a_takeover_under_readers_of_every_dialect(pair: Pair, caller: Caller) -> None:
    session, url = caller.session, pair.consume.url
    ways: dict[str, Callable[[Reader], str]] = {
        f"{url}/api/chat/{session}/stream?generation=1": chat,
        f"{url}/v1/chat/completions/chatcmpl-{session}-1?stream=true": completion,
        f"{url}/api/consume-stream?sessionId={session}": words,
    }
    response = Reader(f"{url}/v1/responses/resp_{session}_1?stream=true")
    async with Story(pair, caller) as story:
        await story.shows(SENT[:1000])
        readers = {way: Reader(way, "text/plain") for way in ways}
        reading = [asyncio.create_task(each.read()) for each in (response, *readers.values())]

        async def all_have_words() -> bool:
            return "output_text.delta" in response.body and all(ways[way](each) for way, each in readers.items())

        await until(all_have_words, READ_S)
        await pair.generate.kill()
        await asyncio.gather(*reading)
    for way, each in readers.items():
        assert not each.whole, way
        assert SENT.startswith(ways[way](each))
        again = await Reader(way, "text/plain").read()
        assert again.whole, way
        assert ways[way](again) == SENT

    assert response.whole
    told = response.events
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    left = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    assert [item["status"] for item in left] == ["incomplete", "completed"]
    assert told[-1]["type"] == "response.completed"
    [item] = told[-1]["response"]["output"]
    assert item["content"][0]["text"] == SENT
