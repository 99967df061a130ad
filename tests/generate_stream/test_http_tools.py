"""Tools over HTTP: a call is an entry, what the tool gave back begins the next generation, the vendor hears of both."""

import json
from typing import Any

import pytest

from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": "get_weather", "description": "What it is like outside.", "parameters": SCHEMA}]
OSLO = ("call_1", "get_weather", ('{"city": ', '"Oslo"}'))
ROME = ("call_2", "get_weather", ('{"city": "Rome"}',))


class Loop:
    """A session in which the model calls tools."""

    def __init__(self, upstream: Upstream, caller: Caller, provider: str = "openai") -> None:
        self._upstream = upstream
        self.caller = caller
        self.provider = provider
        self.question = caller.session

    def named(self, content: str) -> str:
        """What a tool gives back, so that the fake's record is told apart."""
        return f"{self.caller.session} {content}"

    def says(self, prompt: str, *calls: Any, text: tuple[str, ...] = (), **more: Any) -> None:
        """Script what the vendor says to a question, or to what a tool gave back."""
        self._upstream.prompts[prompt] = Script(text=text, calls=calls, **more)

    async def ask(self, prompt: str, **more: Any) -> dict[str, str]:
        """Ask, and return the end of it."""
        generation = await self.caller.start(prompt=prompt, tools=TOOLS, provider=self.provider, **more)
        return await self.caller.ended(generation)

    async def answer(self, **results: str) -> dict[str, str]:
        """Give results back by the ids of their calls, and return the end of what goes on from them."""
        given = [{"callId": call_id, "content": content} for call_id, content in results.items()]
        generation = await self.caller.start(toolResults=given, tools=TOOLS, provider=self.provider)
        return await self.caller.ended(generation)

    def heard(self, prompt: str) -> dict[str, Any]:
        """The body of the newest request whose last words these were."""
        return next(request.body for request in reversed(self._upstream.requests) if request.prompt == prompt)


@pytest.fixture
def loop(upstream: Upstream, caller: Caller) -> Loop:
    return Loop(upstream, caller)


async def test_a_call_is_an_entry_in_its_place_among_the_words(loop: Loop) -> None:
    loop.says(loop.question, OSLO, ROME, text=("Let me ", "see."))
    end = await loop.ask(loop.question)
    assert (end["status"], end["finishReason"]) == ("completed", "tool_calls")
    words, *calls, _ = [fields for _, fields in (await loop.caller.entries())[1:]][-4:]
    assert words["type"] == "chunk"
    assert [{name: call[name] for name in ("type", "callId", "name", "arguments", "generation")} for call in calls] == [
        {"type": "tool", "callId": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}', "generation": "1"},
        {"type": "tool", "callId": "call_2", "name": "get_weather", "arguments": '{"city": "Rome"}', "generation": "1"},
    ]
    assert all(call["ms"].isdigit() for call in calls)
    assert loop.heard(loop.question)["tools"] == [{"type": "function", "function": TOOLS[0]}]


async def test_what_tools_gave_back_goes_to_the_vendor_behind_their_calls(loop: Loop) -> None:
    first, second = loop.named("7 degrees"), loop.named("30 degrees")
    loop.says(loop.question, OSLO, text=("Let me see.",))
    loop.says(first, ROME)
    loop.says(second, text=("Rome is warmer.",))
    await loop.ask(loop.question)
    await loop.answer(call_1=first)
    await loop.answer(call_2=second)
    question = {"role": "user", "content": loop.question}
    steps = [
        asked("Let me see.", OSLO), {"role": "tool", "tool_call_id": "call_1", "content": first},
        asked(None, ROME), {"role": "tool", "tool_call_id": "call_2", "content": second},
    ]  # fmt: skip
    assert loop.heard(second)["messages"] == [question, *steps]
    begun = await loop.caller.started()
    assert [fields.get("continues") for fields in begun] == [None, "1", "1"]
    assert [(fields["prompt"], "after" in fields) for fields in begun] == [
        (loop.question, False),
        ("", False),
        ("", False),
    ]
    assert json.loads(begun[1]["toolResults"]) == [{"callId": "call_1", "content": first}]
    thanks = loop.named("Thanks.")
    await loop.ask(thanks)
    final = {"role": "assistant", "content": "Rome is warmer."}
    assert loop.heard(thanks)["messages"] == [question, *steps, final, {"role": "user", "content": thanks}]
    assert not {"after", "continues", "toolResults"} & (await loop.caller.started())[3].keys()


async def test_anthropic_hears_of_them_as_blocks(upstream: Upstream, caller: Caller) -> None:
    loop = Loop(upstream, caller, "anthropic")
    warm, warmer = loop.named("7 degrees"), loop.named("30 degrees")
    loop.says(loop.question, OSLO, ROME, text=("Let me see.",), thinking=("Hm.",))
    assert (await loop.ask(loop.question, toolChoice="auto"))["finishReason"] == "tool_use"
    heard = loop.heard(loop.question)
    assert (heard["tools"][0]["input_schema"], heard["tool_choice"]) == (SCHEMA, {"type": "auto"})
    await loop.answer(call_2=warmer, call_1=warm)
    uses = [
        {"type": "tool_use", "id": call_id, "name": name, "input": json.loads("".join(pieces))}
        for call_id, name, pieces in (OSLO, ROME)
    ]
    results = [
        {"type": "tool_result", "tool_use_id": call_id, "content": content}
        for call_id, content in (("call_2", warmer), ("call_1", warm))
    ]
    assert loop.heard(warm)["messages"] == [
        {"role": "user", "content": loop.question},
        {"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, *uses]},
        {"role": "user", "content": results},
    ]


async def test_a_question_instead_of_results_leaves_the_calls_out(loop: Loop) -> None:
    loop.says(loop.question, OSLO, text=("Let me see.",))
    await loop.ask(loop.question)
    other = loop.named("Never mind.")
    await loop.ask(other)
    assert loop.heard(other)["messages"] == [
        {"role": "user", "content": loop.question},
        {"role": "assistant", "content": "Let me see."},
        {"role": "user", "content": other},
    ]


async def test_results_that_no_call_waits_for_are_refused_and_begin_nothing(loop: Loop) -> None:
    async def refused(*call_ids: str, **more: Any) -> tuple[int, str]:
        given = [{"callId": call_id, "content": "7"} for call_id in call_ids]
        return told(await loop.caller.ask(toolResults=given, **more))

    unexpected = (422, "tool_results_unexpected")
    assert await refused("call_1") == unexpected
    loop.says(loop.question, OSLO, ROME)
    await loop.ask(loop.question)
    for given in (["call_1"], ["call_1", "call_1"], ["call_1", "call_2", "call_3"], ["call_1", "call_3"]):
        assert await refused(*given) == unexpected
    assert await refused("call_1", "call_2", after=0) == unexpected
    assert await refused("call_1", "call_2", after=2) == (422, "after_unknown")
    assert told(await loop.caller.ask(prompt="x", after=2)) == (422, "after_unknown")
    await loop.ask(loop.named("Never mind."))
    assert await refused("call_1", "call_2") == unexpected
    assert len(await loop.caller.started()) == 2
    loop.says(loop.named("7"), text=("Done.",))
    results = [{"callId": call_id, "content": loop.named("7")} for call_id in ("call_1", "call_2")]
    await loop.caller.ended(await loop.caller.start(toolResults=results, after=1))
    third = (await loop.caller.started())[2]
    assert (third["after"], third["continues"]) == ("1", "1")
    assert [message["role"] for message in loop.heard(loop.named("7"))["messages"]] == [
        "user", "assistant", "tool", "tool",
    ]  # fmt: skip


async def test_a_repeat_by_its_key_is_told_of_what_it_began(loop: Loop) -> None:
    loop.says(loop.question, OSLO)
    await loop.ask(loop.question)
    given, gate = [{"callId": "call_1", "content": loop.named("7")}], Gate()
    loop.says(loop.named("7"), text=("Seven.",), gate=gate)
    assert await loop.caller.start("key", toolResults=given) == 2
    assert await loop.caller.start("key", toolResults=given) == 2
    assert told_of_running(await loop.caller.ask(toolResults=given)) == (409, "generation_running")
    gate.let_out()
    await loop.caller.ended(2)
    assert await loop.caller.start("key", toolResults=given) == 2
    other = [{"callId": "call_1", "content": "8"}]
    assert told(await loop.caller.ask("key", toolResults=other)) == (422, "idempotency_key_reused")


async def test_after_goes_on_from_an_earlier_generation(loop: Loop) -> None:
    names = [loop.named(name) for name in ("1", "2", "3", "4", "5")]
    for prompt, more in zip(names, [{}, {}, {"after": 1}, {}, {"after": 0}], strict=True):
        loop.says(prompt, text=(f"to {prompt}",))
        await loop.ask(prompt, **more)
    said = [[message["content"] for message in loop.heard(prompt)["messages"]] for prompt in names]
    first, second, third, fourth, fifth = names
    assert said[2] == [first, f"to {first}", third]
    assert said[3] == [first, f"to {first}", third, f"to {third}", fourth]
    assert said[4] == [fifth]
    assert [fields.get("after") for fields in await loop.caller.started()] == [None, None, "1", None, "0"]
    assert second not in said[3]


async def test_a_conversation_with_tools_may_be_brought_along(loop: Loop) -> None:
    result = loop.named("7 degrees")
    brought = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "toolCalls": [{"callId": "c", "name": "get_weather", "arguments": "{}"}]},
        {"role": "tool", "callId": "c", "content": result},
    ]
    loop.says(result, text=("Seven.",))
    await loop.caller.ended(await loop.caller.start(messages=brought, tools=TOOLS))
    calls = [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]
    heard: list[Any] = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c", "content": result},
    ]
    assert loop.heard(result)["messages"] == heard
    await loop.ask(loop.question)
    later = [{"role": "assistant", "content": "Seven."}, {"role": "user", "content": loop.question}]
    assert loop.heard(loop.question)["messages"] == [*heard, *later]


async def test_a_call_that_is_too_long_for_the_answer_ends_it(upstream: Upstream, tight: Caller) -> None:
    loop = Loop(upstream, tight)
    loop.says(loop.question, ("call_1", "get_weather", ('{"city": "', *["x"] * 100, '"}')), text=("Well.",))
    end = await loop.ask(loop.question)
    assert (end["status"], end["finishReason"]) == ("completed", "length_cap")
    assert [fields["type"] for _, fields in await tight.entries()] == ["metadata", "chunk", "metadata"]


async def test_whoever_waits_for_the_whole_answer_gets_its_calls(loop: Loop) -> None:
    loop.says(loop.question, OSLO, text=("Let me see.",))
    said = (await loop.caller.ask(prompt=loop.question, tools=TOOLS, stream=False)).json()
    assert said["toolCalls"] == [{"callId": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'}]
    assert (said["text"], said["finishReason"]) == ("Let me see.", "tool_calls")


async def test_a_session_that_was_deleted_expects_nothing(loop: Loop) -> None:
    loop.says(loop.question, OSLO)
    await loop.ask(loop.question)
    await loop.caller.delete()
    given = [{"callId": "call_1", "content": "7"}]
    assert told(await loop.caller.ask(toolResults=given)) == (422, "tool_results_unexpected")
    assert not await loop.caller.redis.exists(keys.log(loop.caller.session))


def told_of_running(response: Any) -> tuple[int, str]:
    """The same as `told`, of an error that also names a generation."""
    return response.status_code, response.json()["error"]["code"]


def asked(text: str | None, *calls: Any) -> dict[str, Any]:
    """An assistant's message that calls tools, as OpenAI's API has it."""
    told = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": "".join(pieces)}}
        for call_id, name, pieces in calls
    ]
    return {"role": "assistant", "content": text, "tool_calls": told}
