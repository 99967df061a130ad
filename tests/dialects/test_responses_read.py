"""Responses and completions, read back later by OpenAI's own client: what they were asked with, and how."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai.types.responses import ResponseItem
from pydantic import TypeAdapter

from services.consume_stream.dialects.responses_items import items, page
from shared.dialects.response_ids import ResponseId
from shared.events import Entry
from shared.position import Position
from tests.dialects.completing import asked
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)
PAIRS = {"order": "7 wörld\u2028", "": "said in \U0001f30a confidence"}
HOW: Any = {"metadata": PAIRS, "temperature": 0.5, "top_p": 1, "max_output_tokens": 99}
TOOLS: list[Any] = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]
TO_THE_ASKER: Any = {"instructions": "Be brief.", "tools": TOOLS, "tool_choice": "auto", "user": "u7"}
"""Whoever may read a response by a link is told of none of these."""


@pytest.fixture
async def client(front: str) -> AsyncIterator[AsyncOpenAI]:
    """The client, as its users make it."""
    async with AsyncOpenAI(base_url=f"{front}/v1", api_key="none", max_retries=0) as made:
        yield made


async def last_words(stream: Any) -> list[dict[str, Any]]:
    """The response object of each event that has one."""
    return [event.response.to_dict() async for event in stream if hasattr(event, "response")]


async def test_what_a_response_was_asked_with_is_told_the_same_by_every_read(
    client: AsyncOpenAI, services: Services, session: str
) -> None:
    created = await client.responses.create(model="gpt-5", input=session, **HOW, **TO_THE_ASKER)
    read = await client.responses.retrieve(created.id)
    told = read.to_dict()
    assert (read.metadata, read.temperature, read.top_p, told["max_output_tokens"]) == (PAIRS, 0.5, 1, 99)
    # Who has asked hears besides what the log does not tell.
    differ = {name for name, value in created.to_dict().items() if told[name] != value}
    assert differ <= TO_THE_ASKER.keys()
    assert {name: created.to_dict()[name] for name in ("instructions", "user")} == {
        "instructions": "Be brief.", "user": "u7",
    }  # fmt: skip
    assert (read.instructions, read.tools) == (None, [])
    events = await last_words(await client.responses.retrieve(created.id, stream=True))
    assert events[-1] == told
    growing = {"status", "output", "usage", "completed_at"}
    for event in events:
        assert {name for name, value in told.items() if event[name] != value} <= growing
    assert "confidence" not in services.generate.log + services.consume.log


@pytest.mark.parametrize("how", [{"stream": True}, {"background": True}], ids=["stream", "background"])
async def test_whoever_asks_in_another_way_is_told_it_too(client: AsyncOpenAI, session: str, how: Any) -> None:
    asked: Any = await client.responses.create(model="gpt-5", input=session, **HOW, **how)
    told = (await last_words(asked))[0] if "stream" in how else asked.to_dict()
    assert (told["metadata"], told["temperature"], told["max_output_tokens"]) == (PAIRS, 0.5, 99)
    assert told["status"] == "in_progress"


async def test_a_completion_has_its_metadata_when_it_is_read_again(client: AsyncOpenAI, session: str) -> None:
    whole = await client.chat.completions.create(**asked(session, metadata=PAIRS, store=True))
    assert whole.metadata == PAIRS
    assert await client.chat.completions.retrieve(whole.id) == whole


@pytest.mark.parametrize("metadata", [{"secret": "x" * 513}, {"k" * 65: ""}, {str(n): "" for n in range(17)}, {"k": 1}])
async def test_more_than_that_may_be_is_refused_by_name(client: AsyncOpenAI, session: str, metadata: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="gpt-5", input=session, metadata=metadata)
    assert (refused.value.param, "secret" in refused.value.message) == ("metadata", False)
    with pytest.raises(openai.BadRequestError) as unfit:
        await client.chat.completions.create(**asked(session, metadata=metadata))
    assert unfit.value.param == "metadata"


async def test_the_items_of_a_question_and_of_what_tools_gave_back(
    client: AsyncOpenAI, upstream: Upstream, session: str
) -> None:
    calls = tuple((f"call_{number}", "weather", ("{}",)) for number in range(3))
    upstream.prompts[session] = Script(text=(), calls=calls)
    question: Any = [{"role": "user", "content": [{"type": "input_text", "text": session}]}]
    first = await client.responses.create(model="gpt-5", input=question, tools=TOOLS)
    [said] = (await client.responses.input_items.list(first.id)).data
    assert said.to_dict() | {"id": ""} == {**question[0], "type": "message", "status": "completed", "id": ""}
    back: Any = [
        {"type": "function_call_output", "call_id": call[0], "output": f"{session} {call[0]}"} for call in calls
    ]
    upstream.prompts[back[-1]["output"]] = Script()
    second = await client.responses.create(model="gpt-5", input=back, previous_response_id=first.id, tools=TOOLS)

    listed = client.responses.input_items.list
    told: list[Any] = [item.to_dict() async for item in listed(second.id, order="asc", limit=2)]
    assert [{name: item[name] for name in back[0]} for item in told] == back
    assert [item.id async for item in listed(second.id, limit=1)] == [item["id"] for item in told[::-1]]
    some = await listed(second.id, order="asc", after=told[0]["id"], limit=1)
    assert some.to_dict() == {
        "object": "list", "data": [told[1]], "first_id": told[1]["id"], "last_id": told[1]["id"], "has_more": True,
    }  # fmt: skip
    # What was told may be said again as it stands.
    mine: list[Any] = [said.to_dict(), *[item.to_dict() for item in first.output], *told]
    again = await client.responses.create(model="gpt-5", input=mine, tools=TOOLS)
    assert again.status == "completed"
    [last] = (await listed(again.id)).data
    assert last.to_dict() | {"id": ""} == said.to_dict() | {"id": ""}


QUERIES: list[tuple[Any, str]] = [
    ({"include": ["message.output_text.logprobs"]}, "include"),
    ({"include_obfuscation": True}, "include_obfuscation"),
    ({"extra_query": {"starting_after": "0" * 12 + "9" * 5000}}, "starting_after"),
    ({"extra_query": {"stream": "maybe"}}, "stream"),
]
LISTS: list[tuple[Any, str]] = [
    ({"include": ["message.input_image.image_url"]}, "include"),
    ({"order": "up"}, "order"),
    ({"limit": 0}, "limit"),
    ({"limit": 101}, "limit"),
    ({"after": "msg_unknown"}, "after"),
]


async def test_what_a_query_asks_for_in_vain_is_refused_by_name(client: AsyncOpenAI, session: str) -> None:
    which = (await client.responses.create(model="gpt-5", input=session)).id
    reads: list[tuple[Any, list[tuple[Any, str]]]] = [
        (client.responses.retrieve, QUERIES), (client.responses.input_items.list, LISTS),
    ]  # fmt: skip
    for read, cases in reads:
        for query, param in cases:
            with pytest.raises(openai.BadRequestError) as refused:
                await read(which, **query)
            assert refused.value.param == param
    harmless: Any = {"include": ["reasoning.encrypted_content"], "include_obfuscation": False, "starting_after": 3}
    assert (await client.responses.retrieve(which, **harmless)).id == which
    with pytest.raises(openai.NotFoundError):
        await client.responses.input_items.list("resp_no-such-session_1")


WHICH = ResponseId("a_session_2", 3)


def begun(**fields: str) -> Entry:
    return Entry(Position(1, 0), {"type": "metadata", "status": "started", "generation": "3", **fields})


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"prompt": "Hello?"}, ["message"]),
        ({"prompt": "", "toolResults": '[{"callId": "c", "content": "sun"}, 7]'}, ["function_call_output"]),
        ({"prompt": "", "toolResults": "{}"}, []),
        ({}, []),
    ],
)
def test_items_are_what_the_client_knows(fields: dict[str, str], kinds: list[str]) -> None:
    told = items(WHICH, [begun(prompt="Void"), begun(**fields)])
    assert [ITEM.validate_python(item).type for item in told] == kinds
    assert items(WHICH, []) == []


@given(st.integers(0, 9), st.integers(1, 4), st.booleans())
def test_pages_are_the_whole_list_once(count: int, limit: int, back: bool) -> None:
    results = ", ".join(f'{{"callId": "c{number}", "content": ""}}' for number in range(count))
    told = items(WHICH, [begun(toolResults=f"[{results}]")])[:: -1 if back else 1]
    assert len({item["id"] for item in told}) == count
    read: list[Any] = []
    while (part := page(told, after=read[-1]["id"] if read else None, limit=limit)) and part["has_more"]:
        assert len(part["data"]) == limit
        read += part["data"]
    assert part
    assert read + part["data"] == told
    assert page(told, after="another", limit=limit) is None
