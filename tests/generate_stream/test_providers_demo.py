"""The demo: quick to begin, honest about itself, and the same each time."""

import asyncio

import pytest

from services.generate_stream.providers import Delta, Message, Reasoning
from services.generate_stream.providers.demo import Demo, answer
from tests.fakes.heard import hear, request

pytestmark = pytest.mark.anyio


async def test_the_stream_says_exactly_the_answer_after_a_thought() -> None:
    asked = request("What is a log?")
    parts = [part async for part in Demo(pace_s=0).stream(asked)]
    kinds = [type(part) for part in parts]
    heard = await hear(Demo(pace_s=0), asked)
    assert heard.text == answer(asked)
    assert heard.thinking
    assert kinds.index(Delta) == kinds.count(Reasoning) > 1, "the thinking comes first, and not in one piece"
    assert kinds.count(Delta) > 50


async def test_the_answer_begins_at_once_and_takes_a_few_seconds() -> None:
    clock = asyncio.get_running_loop().time
    began, first = clock(), None
    async for part in Demo().stream(request()):
        if first is None and isinstance(part, Delta):
            first = clock() - began
    assert first is not None
    assert first < 0.2
    assert 1.5 < clock() - began < 8


async def test_the_bill_says_that_it_is_an_estimate() -> None:
    heard = await hear(Demo(pace_s=0), request("one two three", system="four five"))
    assert heard.done
    assert heard.done.finish_reason == "stop"
    assert heard.done.usage
    assert heard.done.usage["prompt_tokens"] == 5
    assert heard.done.usage["total_tokens"] == 5 + heard.done.usage["completion_tokens"]
    assert "not tokens" in heard.done.usage["estimated"]


def test_the_answer_says_that_it_is_the_demo_and_repeats_the_question() -> None:
    said = answer(request("  What\n{is} a log? "))
    assert "demo" in said.lower()
    assert "\n> What {is} a log?\n" in said


def test_a_long_question_is_repeated_in_short() -> None:
    assert f"\n> {'x' * 120} …\n" in answer(request("x" * 100_000))


def test_the_answer_counts_the_turns_of_the_conversation() -> None:
    messages = [Message("user", "One?"), Message("assistant", "1"), Message("user", "Two?")]
    assert "turn 2 " in answer(request(messages=messages))
    assert "\n> Two?\n" in answer(request(messages=messages))
    assert "turn 1 " in answer(request(messages=[]))
