"""The anthropic SDK, unmodified, against a server that does everything wrong that a server can."""

import functools

import pytest

from services.generate_stream.providers import Message
from tests.fakes import wire
from tests.fakes.heard import hear, request
from tests.fakes.script import Script
from tests.generate_stream import asked as asking

pytestmark = pytest.mark.anyio
PATH = "/v1/messages"
THINKING = Script(thinking=("Let me ", "thïnk 🤔. "))
asked = functools.partial(asking.asked, "anthropic")
BILL = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 3}


@pytest.mark.parametrize("split", [None, 1, 2, 3, 7, 64])
@pytest.mark.parametrize("chunked", [True, False])
async def test_the_words_and_the_bill_arrive_however_the_bytes_are_split(split: int | None, chunked: bool) -> None:
    script = Script(thinking=THINKING.thinking, split=split, chunked=chunked, keep_alive=True)
    async with asked(script) as (provider, fake):
        heard = await hear(provider)
    assert (heard.text, heard.thinking) == ("".join(script.text), "".join(script.thinking))
    assert heard.done == ("end_turn", BILL)
    assert fake.requests[0].headers["authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_cut_at_any_byte_keeps_what_came_and_is_never_taken_for_the_end(chunked: bool) -> None:
    events = wire.events(PATH, {"model": "m", "thinking": {"display": "summarized"}}, THINKING)
    ends = [sum(len(event.raw) for event in events[: n + 1]) for n in range(len(events))]
    places = asking.cuts(b"".join(event.raw for event in events), first=48 * chunked)
    async with asked(THINKING) as (provider, fake):
        for at in places:
            fake.default = Script(thinking=THINKING.thinking, cut_at=at, chunked=chunked)
            heard = await hear(provider, request(model="m"))
            came = [event for event, end in zip(events, ends, strict=True) if end <= at]
            assert heard.text == "".join(event.text for event in came), at
            assert heard.thinking == "".join(event.thinking for event in came), at
            if at == ends[-1]:
                assert heard.done == ("end_turn", BILL)
            else:
                assert heard.error, at
                assert (heard.error.code, heard.error.retryable) == ("provider_cut", True), at
        assert len(fake.requests) == len(places), "a begun answer was asked for twice"


async def test_a_clean_end_without_message_stop_is_a_cut() -> None:
    async with asked(Script(finish="")) as (provider, _):
        heard = await hear(provider)
    assert heard.text == "".join(Script().text)
    assert heard.error
    assert heard.error.code == "provider_cut"


async def test_the_reason_of_the_end_is_the_vendors_word() -> None:
    async with asked(Script(finish="max_tokens")) as (provider, _):
        assert (await hear(provider)).done == ("max_tokens", BILL)


@pytest.mark.parametrize(
    ("status", "code", "retryable", "requests"),
    [
        (400, "provider_refused", False, 1),
        (401, "provider_auth", False, 1),
        (403, "provider_auth", False, 1),
        (404, "provider_refused", False, 1),
        (413, "provider_refused", False, 1),
        (408, "provider_timeout", True, 3),
        (429, "provider_rate_limited", True, 3),
        (500, "provider_error", True, 3),
        (504, "provider_timeout", True, 3),
        (529, "provider_overloaded", True, 3),
    ],
)
async def test_each_refusal_has_its_code_and_a_text_without_secrets(
    status: int, code: str, retryable: bool, requests: int
) -> None:
    async with asked(Script(status=status)) as (provider, fake):
        heard = await hear(provider)
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == (code, retryable)
    assert heard.error.text
    assert "sk-" not in f"{heard.error.text}{heard.error!r}"
    assert len(fake.requests) == requests


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [
        ("overloaded_error", "provider_overloaded", True),
        ("rate_limit_error", "provider_rate_limited", True),
        ("authentication_error", "provider_auth", False),
        ("permission_error", "provider_auth", False),
        ("timeout_error", "provider_timeout", True),
        ("invalid_request_error", "provider_refused", False),
        ("api_error", "provider_error", True),
        ("an_error_of_next_year", "provider_error", True),
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


@pytest.mark.parametrize("data", ["{broken", '"\xff\xfe"', "7", '{"type":"content_block_delta","delta":null}'])
async def test_garbage_in_the_stream_is_a_provider_error(data: str) -> None:
    garbage = f"event: content_block_delta\ndata: {data}\n\n"
    async with asked(Script(inject=garbage, inject_after=1)) as (provider, _):
        heard = await hear(provider)
    assert heard.text == "Hel"
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == ("provider_error", True)


async def test_an_event_of_next_year_is_passed_over() -> None:
    event = 'event: aurora\ndata: {"type":"aurora","colour":"green"}\n\n'
    async with asked(Script(inject=event, inject_after=1)) as (provider, _):
        assert (await hear(provider)).text == "".join(Script().text)


async def test_the_systems_words_travel_apart_and_thinking_is_asked_for() -> None:
    messages = [Message("system", "In French."), Message("user", "One?"), Message("user", "Two?")]
    async with asked(Script()) as (provider, fake):
        await hear(provider, request(messages=messages, system="Be brief.", temperature=0.5))
    assert fake.requests[0].path == PATH
    assert fake.requests[0].body == {
        "model": "some-model",
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": "One?"}, {"role": "user", "content": "Two?"}],
        "system": "Be brief.\n\nIn French.",
        "stream": True,
        "thinking": {"type": "adaptive", "display": "summarized"},
    }


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("claude-sonnet-5-5", True),
        ("claude-haiku-5-5", True),
        ("claude-opus-4-6", True),
        ("claude-opus-4-6-20260205", True),
        ("claude-opus-4-8", True),
        ("claude-opus-4-10", True),
        ("anthropic/claude-sonnet-4.6", True),
        ("claude-fable-5", True),
        ("a-model-of-next-year", True),
        ("claude-sonnet-4", False),
        ("claude-sonnet-4-20250515", False),
        ("claude-sonnet-4.5", False),
        ("claude-opus-4-1-20250805", False),
        ("claude-opus-4-5", False),
        ("claude-opus-4-5@20251101", False),
        ("claude-haiku-4-5-20251001", False),
        ("claude-3-haiku-latest", False),
        ("claude-2.1-mine", False),
    ],
)
async def test_a_model_gets_either_thinking_or_a_temperature(model: str, thinks: bool) -> None:
    async with asked(THINKING) as (provider, fake):
        heard = await hear(provider, request(model=model, temperature=0.5, max_tokens=2048))
    sent = fake.requests[0].body
    assert (heard.thinking != "", "thinking" in sent, "temperature" not in sent) == (thinks, thinks, thinks)
    assert sent["max_tokens"] == 2048
