"""The openai SDK, unmodified, against a server that does everything wrong that a server can."""

import functools
import socket
import time

import pytest

from services.generate_stream.providers import ChatRequest, Message
from services.generate_stream.providers.openai import OpenAI
from tests.fakes import upstream, wire
from tests.fakes.heard import hear, request
from tests.fakes.script import Script
from tests.generate_stream import asked as asking

pytestmark = pytest.mark.anyio
PATH = "/v1/chat/completions"
THINKING = Script(thinking=("Let me ", "thïnk 🤔. "))
asked = functools.partial(asking.asked, "openai")
BILL = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def body(script: Script) -> list[wire.Event]:
    return wire.events(PATH, {"model": "m", "stream_options": {"include_usage": True}}, script)


@pytest.mark.parametrize("split", [None, 1, 2, 3, 7, 64])
@pytest.mark.parametrize("chunked", [True, False])
async def test_the_words_and_the_bill_arrive_however_the_bytes_are_split(split: int | None, chunked: bool) -> None:
    script = Script(thinking=THINKING.thinking, split=split, chunked=chunked, keep_alive=True)
    async with asked(script) as (provider, fake):
        heard = await hear(provider)
    assert (heard.text, heard.thinking) == ("".join(script.text), "".join(script.thinking))
    assert heard.done == ("stop", BILL)
    assert fake.requests[0].headers["authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_cut_at_any_byte_keeps_what_came_and_is_never_taken_for_the_end(chunked: bool) -> None:
    events = body(THINKING)
    ends = [sum(len(event.raw) for event in events[: n + 1]) for n in range(len(events))]
    places = asking.cuts(b"".join(event.raw for event in events), first=48 * chunked)[:-1]
    async with asked(THINKING) as (provider, fake):
        for at in places:
            fake.default = Script(thinking=THINKING.thinking, cut_at=at, chunked=chunked)
            heard = await hear(provider, request(model="m"))
            came = [event for event, end in zip(events, ends, strict=True) if end <= at]
            assert heard.text == "".join(event.text for event in came), at
            assert heard.thinking == "".join(event.thinking for event in came), at
            if any(event.whole for event in came):
                assert heard.done == ("stop", BILL if at >= ends[-2] else None), at
            else:
                assert heard.error, at
                assert (heard.error.code, heard.error.retryable) == ("provider_cut", True), at
        assert len(fake.requests) == len(places), "a begun answer was asked for twice"


@pytest.mark.parametrize("script", [Script(finish=""), Script(finish="", done=False), Script(text=(), finish="")])
async def test_a_clean_end_without_a_finish_reason_is_a_cut(script: Script) -> None:
    async with asked(script) as (provider, _):
        heard = await hear(provider)
    assert heard.text == "".join(script.text)
    assert heard.error
    assert heard.error.code == "provider_cut"


async def test_an_answer_with_a_finish_reason_is_whole_without_its_done_line() -> None:
    async with asked(Script(done=False, finish="length")) as (provider, _):
        heard = await hear(provider)
    assert heard.done == ("length", BILL)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_heard_in_both_spellings(field: str) -> None:
    async with asked(Script(thinking=("Hm, ", "so."), reasoning_field=field)) as (provider, _):
        assert (await hear(provider)).thinking == "Hm, so."


async def test_a_refusal_is_an_answer() -> None:
    async with asked(Script(text=("I ", "won't."), refusal=True)) as (provider, _):
        heard = await hear(provider)
    assert (heard.text, heard.done) == ("I won't.", ("stop", BILL))


async def test_half_a_character_in_a_delta_is_passed_on() -> None:
    async with asked(Script(text=("\ud83d", "\ude00"))) as (provider, _):
        assert (await hear(provider)).text == "\ud83d\ude00"


@pytest.mark.parametrize(
    ("status", "kind", "code", "retryable", "requests"),
    [
        (400, None, "provider_refused", False, 1),
        (400, "context_length_exceeded", "provider_refused", False, 1),
        (401, None, "provider_auth", False, 1),
        (402, None, "provider_refused", False, 1),
        (403, None, "provider_auth", False, 1),
        (404, None, "provider_refused", False, 1),
        (408, None, "provider_timeout", True, 3),
        (429, None, "provider_rate_limited", True, 3),
        (429, "insufficient_quota", "provider_rate_limited", False, 3),
        (500, None, "provider_error", True, 3),
        (503, None, "provider_overloaded", True, 3),
        (504, None, "provider_timeout", True, 3),
        (529, None, "provider_overloaded", True, 3),
        (400, "API_KEY_INVALID", "provider_auth", False, 1),
    ],
)
async def test_each_refusal_has_its_code_and_a_text_without_secrets(
    status: int, kind: str | None, code: str, retryable: bool, requests: int
) -> None:
    async with asked(Script(status=status, error=kind)) as (provider, fake):
        heard = await hear(provider)
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == (code, retryable)
    assert heard.error.text
    assert "sk-" not in f"{heard.error.text}{heard.error!r}"
    assert len(fake.requests) == requests


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [
        ("server_error", "provider_error", True),
        ("rate_limit_exceeded", "provider_rate_limited", True),
        ("insufficient_quota", "provider_rate_limited", False),
        ("invalid_request_error", "provider_refused", False),
        ("502", "provider_error", True),
        ("429", "provider_rate_limited", True),
    ],
)
async def test_an_error_in_mid_stream_has_its_code_and_is_not_asked_again(
    kind: str, code: str, retryable: bool
) -> None:
    async with asked(Script(error=kind, error_after=2)) as (provider, fake):
        heard = await hear(provider)
    assert heard.text == "Hello, "
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == (code, retryable)
    assert "sk-" not in heard.error.text
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "garbage", ["data: {broken\n\n", "data: \xff\xfe\n\n", "data: 7\n\n", 'data: {"choices":3}\n\n']
)
async def test_garbage_in_the_stream_is_a_provider_error(garbage: str) -> None:
    async with asked(Script(inject=garbage, inject_after=1)) as (provider, _):
        heard = await hear(provider)
    assert heard.text == "Hel"
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == ("provider_error", True)


@pytest.mark.parametrize("odd", ['{"choices":null}', '{"choices":[{"index":0,"delta":null}]}', '{"new":"field"}'])
async def test_odd_chunks_of_compatible_servers_are_passed_over(odd: str) -> None:
    async with asked(Script(inject=f"data: {odd}\n\n", inject_after=1)) as (provider, _):
        assert (await hear(provider)).text == "".join(Script().text)


async def test_a_server_that_is_not_there_is_an_error_and_not_a_cut() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses, and nobody else gets the port
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        provider = OpenAI("openai", ("m",), key=None, base_url=url, stall_timeout_s=5)
        heard = await hear(provider)
        await provider.close()
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == ("provider_error", True)


async def test_the_conversation_is_sent_as_it_stands() -> None:
    messages = [Message("user", "One?"), Message("assistant", "Two."), Message("user", "Three?")]
    async with asked(Script()) as (provider, fake):
        await hear(provider, request(messages=messages, system="Be brief.", max_tokens=9, temperature=0.5))
    assert fake.requests[0].path == PATH
    assert fake.requests[0].body == {
        "model": "some-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": "Three?"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.5,
    }


async def test_openai_itself_gets_the_new_name_of_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream.running() as fake:
        # As a proxy, the fake stands in for the vendor's own host.
        monkeypatch.setenv("HTTP_PROXY", fake.url)
        host = "http://api.openai.com/v1"
        provider = OpenAI("openai", ("m",), key="sk-mine", base_url=host, stall_timeout_s=5)
        await hear(provider, request(max_tokens=9))
        await provider.close()
    assert fake.requests[0].path == f"{host}/chat/completions"
    assert fake.requests[0].body["max_completion_tokens"] == 9
    assert "max_tokens" not in fake.requests[0].body


async def test_a_long_conversation_holds_nobody_up() -> None:
    conversation = ChatRequest("m", [Message("user", "Hello?")] * 3000)
    async with asking.asked("openai", Script()) as (provider, fake):
        await hear(provider)
        began = time.process_time()
        assert [part async for part in provider.stream(conversation)]
        took_s = time.process_time() - began
    assert len(fake.requests[-1].body["messages"]) == 3000
    # The SDK's own walk over the messages takes 0.15 ms for each.
    assert took_s < 0.2
