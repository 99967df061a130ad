"""Request bodies: what is good comes through as it was meant, what is bad gets its own status and code."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from services.generate_stream import reading
from services.generate_stream.bodies import DeleteBody, JsonObject, NamedTool, StartBody, StopBody
from services.generate_stream.reading import Body, validate
from shared.http import ApiError
from tests.shared.strategies import TEXTS, bounded

TEXT_MAX_BYTES = 20
SESSION = "V1StGXR8_Z5jdHi6B-myT"
USER = {"role": "user", "content": "q"}
RESULT = {"callId": "c", "content": "7"}
CALLS = {"role": "assistant", "toolCalls": [{"callId": "c", "name": "f", "arguments": "{}"}]}
ANSWERED = {"role": "tool", **RESULT}
OTHER = ANSWERED | {"callId": "d"}
BOTH = CALLS | {"toolCalls": [{"callId": each, "name": "f", "arguments": "{}"} for each in "cd"]}
FORMAT = {"type": "json_schema", "name": "f", "schema": {"enum": [None]}, "strict": True}


def prompt(**more: Any) -> dict[str, Any]:
    return {"prompt": "q"} | more


PAIRS = {"k" * 64: "é" * 512, **{str(number): "" for number in range(15)}}
NO_METADATA: list[Any] = [
    [], "k", {"k": 1}, {"k": None}, {"k": {}}, {"k" * 65: ""}, {"k": "v" * 513}, PAIRS | {"one more": ""},
]  # fmt: skip

GOOD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (prompt(), {"question": "q", "stream": True, "sessionId": None, "size": 1}),
    (prompt(sessionId=SESSION), {"sessionId": SESSION}),
    (prompt(sessionId="a" * 64), {"sessionId": "a" * 64}),
    (prompt(sessionId="-_-_-_-_"), {"sessionId": "-_-_-_-_"}),
    ({"prompt": " \r\n q "}, {"question": " \r\n q "}),
    ({"prompt": "\0"}, {"question": "\0"}),
    ({"prompt": "é" * 10}, {"size": 20}),
    ({"prompt": "\0\u2028🌊"}, {"question": "\0\u2028🌊"}),
    ({"messages": [USER]}, {"question": "q"}),
    (
        {"messages": [{"role": "system", "content": "s"}, USER, {"role": "assistant", "content": "a"}]},
        {"question": "q"},
    ),
    ({"messages": [USER, {"role": "user", "content": "last"}]}, {"question": "last", "size": 5}),
    (prompt(prompt="q", messages=None), {"question": "q"}),
    (prompt(provider="openai", model="gpt/5:latest é"), {"provider": "openai", "model": "gpt/5:latest é"}),
    (prompt(system=""), {"system": ""}),
    (prompt(maxTokens=1), {"maxTokens": 1}),
    (prompt(maxTokens=1_000_000), {"maxTokens": 1_000_000}),
    (prompt(temperature=0), {"temperature": 0.0}),
    (prompt(temperature=0.7), {"temperature": 0.7}),
    (prompt(temperature=2), {"temperature": 2.0}),
    (prompt(replaces=1), {"replaces": 1}),
    (prompt(metadata=PAIRS), {"metadata": PAIRS, "size": 1}),
    (prompt(metadata={}), {"metadata": {}}),
    (prompt(stream=False), {"stream": False}),
    ({"toolResults": [RESULT]}, {"question": "", "size": 1}),
    (prompt(after=0), {"after": 0}),
    (prompt(toolChoice="required"), {"toolChoice": "required"}),
    (prompt(toolChoice={"name": "f"}), {"toolChoice": NamedTool(name="f")}),
    (prompt(topP=0.5, stop=["END"]), {"topP": 0.5, "stop": ["END"]}),
    (prompt(parallelToolCalls=False, format=None), {"parallelToolCalls": False, "format": None}),
    (prompt(format={"type": "json_object"}), {"format": JsonObject(type="json_object")}),
    ({"messages": [USER, CALLS, ANSWERED]}, {"question": "q", "size": 4}),
    ({"messages": [CALLS, ANSWERED, USER]}, {"question": "q"}),
    ({"messages": [USER, *[CALLS, ANSWERED] * 2, {"role": "assistant", "content": "a"}, USER]}, {"question": "q"}),
    ({"messages": [USER, BOTH, OTHER, ANSWERED]}, {"question": "q"}),
]

BAD: list[tuple[Any, int, str]] = [
    *[(prompt(metadata=metadata), 422, "invalid_field") for metadata in NO_METADATA],
    (None, 400, "invalid_json"),
    ([], 400, "invalid_json"),
    ("prompt", 400, "invalid_json"),
    (7, 400, "invalid_json"),
    ({}, 400, "invalid_request"),
    ({"sessionId": SESSION}, 400, "invalid_request"),
    ({"prompt": None}, 400, "invalid_request"),
    (prompt(messages=[USER]), 400, "invalid_request"),
    ({"messages": [{"role": "assistant", "content": "a"}]}, 400, "invalid_request"),
    ({"prompt": ""}, 422, "invalid_field"),
    ({"prompt": " \r\n\t\u2028"}, 422, "invalid_field"),
    ({"prompt": 7}, 422, "invalid_field"),
    ({"prompt": ["q"]}, 422, "invalid_field"),
    ({"messages": []}, 422, "invalid_field"),
    ({"messages": USER}, 422, "invalid_field"),
    ({"messages": [USER] * 10_001}, 422, "invalid_field"),
    ({"messages": ["q"]}, 422, "invalid_field"),
    ({"messages": [{"role": "tool", "content": "q"}]}, 422, "invalid_field"),
    ({"messages": [{"role": "user", "content": ""}]}, 422, "invalid_field"),
    ({"messages": [{"role": "user", "content": " "}]}, 422, "invalid_field"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}]}, 422, "invalid_field"),
    ({"messages": [{"role": "user"}]}, 422, "invalid_field"),
    ({"messages": [USER | {"name": "x"}]}, 422, "unknown_field"),
    (prompt(session="x"), 422, "unknown_field"),
    (prompt(**{"x" * 10_000: 1}), 422, "unknown_field"),
    (prompt(sessionId=""), 400, "invalid_session_id"),
    (prompt(sessionId="short12"), 400, "invalid_session_id"),
    (prompt(sessionId="a" * 65), 400, "invalid_session_id"),
    (prompt(sessionId="white space"), 400, "invalid_session_id"),
    (prompt(sessionId="new-line\n"), 400, "invalid_session_id"),
    (prompt(sessionId="{braces}x"), 400, "invalid_session_id"),
    (prompt(sessionId="umläute-too"), 400, "invalid_session_id"),
    (prompt(sessionId="١٢٣٤٥٦٧٨"), 400, "invalid_session_id"),
    (prompt(sessionId=12345678), 422, "invalid_field"),
    (prompt(provider=""), 422, "invalid_field"),
    (prompt(provider=7), 422, "invalid_field"),
    (prompt(model="x" * 201), 422, "invalid_field"),
    (prompt(model="a\nb"), 422, "invalid_field"),
    (prompt(model="ab\n"), 422, "invalid_field"),
    (prompt(system=7), 422, "invalid_field"),
    (prompt(maxTokens=0), 422, "invalid_field"),
    (prompt(maxTokens=1_000_001), 422, "invalid_field"),
    (prompt(maxTokens=1.0), 422, "invalid_field"),
    (prompt(maxTokens="5"), 422, "invalid_field"),
    (prompt(maxTokens=True), 422, "invalid_field"),
    (prompt(temperature=-0.1), 422, "invalid_field"),
    (prompt(temperature=2.1), 422, "invalid_field"),
    (prompt(temperature="0.7"), 422, "invalid_field"),
    (prompt(temperature=True), 422, "invalid_field"),
    (prompt(replaces=0), 422, "invalid_field"),
    (prompt(replaces=2**31 + 1), 422, "invalid_field"),
    (prompt(replaces="1"), 422, "invalid_field"),
    (prompt(stream=0), 422, "invalid_field"),
    (prompt(stream="false"), 422, "invalid_field"),
    (prompt(stream=None), 422, "invalid_field"),
    (prompt(toolResults=[RESULT]), 400, "invalid_request"),
    ({"messages": [USER], "toolResults": [RESULT]}, 400, "invalid_request"),
    ({"messages": [USER], "after": 1}, 400, "invalid_request"),
    ({"toolResults": []}, 422, "invalid_field"),
    ({"toolResults": [RESULT] * 129}, 422, "invalid_field"),
    ({"toolResults": [{"callId": "", "content": "7"}]}, 422, "invalid_field"),
    (prompt(after=-1), 422, "invalid_field"),
    (prompt(tools=[{"name": "white space"}]), 422, "invalid_field"),
    (prompt(tools=[]), 422, "invalid_field"),
    (prompt(toolChoice="any"), 422, "invalid_field"),
    (prompt(parallelToolCalls="no"), 422, "invalid_field"),
    (prompt(format="json_object"), 422, "invalid_field"),
    (prompt(format={"type": "text"}), 422, "invalid_field"),
    (prompt(format={"type": "json_schema", "name": "f"}), 400, "invalid_request"),
    (prompt(format=FORMAT | {"name": "white space"}), 422, "invalid_field"),
    (prompt(format=FORMAT | {"json_schema": {}}), 422, "unknown_field"),
    (prompt(format=FORMAT), 413, "prompt_too_large"),
    (prompt(topP=1.1), 422, "invalid_field"),
    (prompt(stop=["a"] * 5), 422, "invalid_field"),
    ({"messages": [USER | {"toolCalls": CALLS["toolCalls"]}]}, 422, "invalid_field"),
    ({"messages": [USER, CALLS]}, 400, "invalid_conversation"),
    ({"messages": [USER, CALLS, ANSWERED, {"role": "assistant", "content": "a"}]}, 400, "invalid_conversation"),
    ({"toolResults": [RESULT | {"content": "7" * 21}]}, 413, "prompt_too_large"),
    ({"prompt": "q" * 21}, 413, "prompt_too_large"),
    ({"prompt": "é" * 11}, 413, "prompt_too_large"),
    (prompt(system="s" * 20), 413, "prompt_too_large"),
    ({"messages": [USER] * 21}, 413, "prompt_too_large"),
]

BAD_OTHERS: list[tuple[type[StopBody] | type[DeleteBody], Any, int, str]] = [
    (StopBody, {}, 400, "invalid_request"),
    (StopBody, {"sessionId": None}, 422, "invalid_field"),
    (StopBody, {"sessionId": "short"}, 400, "invalid_session_id"),
    (StopBody, {"sessionId": SESSION, "generation": 0}, 422, "invalid_field"),
    (StopBody, {"sessionId": SESSION, "generation": "1"}, 422, "invalid_field"),
    (StopBody, {"sessionId": SESSION, "prompt": "q"}, 422, "unknown_field"),
    (DeleteBody, [], 400, "invalid_json"),
    (DeleteBody, {}, 400, "invalid_request"),
    (DeleteBody, {"sessionId": "short"}, 400, "invalid_session_id"),
    (DeleteBody, {"sessionId": SESSION, "generation": 1}, 422, "unknown_field"),
]


def refused(value: Any, kind: type[Body]) -> ApiError:
    with pytest.raises(ApiError) as raised:
        validate(value, kind, TEXT_MAX_BYTES)
    return raised.value


def named(rows: list[Any]) -> list[str]:
    return [f"{number}-{str(row)[:60].encode('ascii', 'replace').decode()}" for number, row in enumerate(rows)]


@pytest.mark.parametrize(("value", "wanted"), GOOD, ids=named(GOOD))
def test_a_good_body_is_what_it_says(value: dict[str, Any], wanted: dict[str, Any]) -> None:
    body = validate(value, StartBody, TEXT_MAX_BYTES)
    assert {name: getattr(body, name) for name in wanted} == wanted


@pytest.mark.parametrize(("value", "status", "code"), BAD, ids=named(BAD))
def test_a_bad_body_is_refused(value: Any, status: int, code: str) -> None:
    error = refused(value, StartBody)
    assert (error.status, error.code) == (status, code)
    assert 5 < len(error.message) < 300


@pytest.mark.parametrize(("kind", "value", "status", "code"), BAD_OTHERS, ids=named(BAD_OTHERS))
def test_a_bad_stop_or_delete_is_refused(
    kind: type[StopBody] | type[DeleteBody], value: Any, status: int, code: str
) -> None:
    error = refused(value, StopBody) if kind is StopBody else refused(value, DeleteBody)
    assert (error.status, error.code) == (status, code)


@pytest.mark.anyio
@pytest.mark.parametrize(("levels", "whole"), [(99, True), (100, False), (1000, False), (100_000, False)])
async def test_json_is_as_deep_as_whoever_hands_it_on_can_go(levels: int, whole: bool) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"a":' * levels + b"{}" + b"}" * levels}

    request = Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, receive)
    if whole:
        assert "a" in await reading.read_json(request, 1 << 20)
    else:
        with pytest.raises(ApiError) as refused:
            await reading.read_json(request, 1 << 20)
        assert (refused.value.status, refused.value.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([USER, CALLS], "what the tool gave back to c is missing behind its call"),
        ([USER, CALLS, USER], "what the tool gave back to c is missing behind its call"),
        ([USER, CALLS, CALLS, ANSWERED], "what the tool gave back to c is missing behind its call"),
        ([USER, BOTH, ANSWERED], "what the tool gave back to d is missing behind its call"),
        ([USER, BOTH, ANSWERED, USER, OTHER], "what the tool gave back to d is missing behind its call"),
        ([USER, CALLS, ANSWERED, ANSWERED], "no call waits for what a tool gave back to c"),
        ([USER, CALLS, OTHER], "no call waits for what a tool gave back to d"),
        ([ANSWERED, USER], "no call waits for what a tool gave back to c"),
    ],
)
def test_a_conversation_answers_each_call_of_its_tools_once(messages: list[Any], why: str) -> None:
    error = refused({"messages": messages}, StartBody)
    assert (error.status, error.code, error.message) == (400, "invalid_conversation", f"messages: {why}.")


def test_a_stop_may_name_a_generation() -> None:
    assert validate({"sessionId": SESSION}, StopBody, 0).generation is None
    assert validate({"sessionId": SESSION, "generation": 3}, StopBody, 0).generation == 3
    assert validate({"sessionId": SESSION}, DeleteBody, 0).sessionId == SESSION


def test_an_error_names_the_field_and_never_repeats_the_value() -> None:
    error = refused(prompt(messages=None, temperature="my secret"), StartBody)
    assert error.message.startswith("temperature: ")
    assert "secret" not in error.message
    assert refused({"messages": [USER, {"role": "x", "content": "q"}]}, StartBody).message.startswith(
        "messages.1.role: "
    )
    assert refused({}, StopBody).message == "sessionId: this is missing."
    assert refused(prompt(format=FORMAT | {"name": "a b"}), StartBody).param == "format.name"
    error = refused(prompt(metadata={"my secret": "x" * 513}), StartBody)
    assert (error.param, "secret" in error.message) == ("metadata", False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (prompt(tools=[{"name": "the weather"}]), "tools.0.name: It takes 1 to 64 letters, digits, _ and -."),
        (prompt(model="a\nb"), "model: It must hold no control characters."),
        ({"prompt": " "}, "prompt: It must hold more than white space."),
    ],
)
def test_a_text_that_is_none_is_told_what_it_takes(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiError) as refusal:
        validate(body, StartBody, TEXT_MAX_BYTES)
    assert refusal.value.message == said


def test_what_is_run_says_neither_where_it_goes_nor_who_waits() -> None:
    body = validate(prompt(sessionId=SESSION, stream=False, maxTokens=5, system="s"), StartBody, TEXT_MAX_BYTES)
    assert json.loads(body.request()) == {"prompt": "q", "maxTokens": 5, "system": "s"}


def test_who_takes_it_over_runs_the_same() -> None:
    tools = [{"name": "f", "parameters": {"const": None}, "strict": False}]
    body = validate(prompt(tools=tools, parallelToolCalls=True, format=FORMAT), StartBody, 1000)
    assert StartBody.model_validate_json(body.request()) == body
    assert json.loads(body.request())["format"] == FORMAT
    assert json.loads(body.request())["tools"] == tools


def test_a_digest_tells_one_request_from_another() -> None:
    alike = [prompt(), prompt(sessionId=SESSION), prompt(stream=False), prompt(model=None)]
    others = [{"prompt": "Q"}, prompt(model="m"), prompt(temperature=0), prompt(replaces=1), {"messages": [USER]}]
    others += [prompt(parallelToolCalls=False), prompt(format={"type": "json_object"})]
    digests = [validate(value, StartBody, TEXT_MAX_BYTES).digest() for value in [*alike, *others]]
    assert len(set(digests[: len(alike)])) == 1
    assert len(set(digests)) == 1 + len(others)


NAMES = st.sampled_from([*StartBody.model_fields, "role", "content", "x"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


@bounded
@given(st.one_of(JSON, st.dictionaries(NAMES, JSON)))
def test_whatever_comes_is_a_request_or_a_clear_error(value: Any) -> None:
    read = outcome(value)
    if isinstance(read, ApiError):
        assert read.status in (400, 413, 422)
        assert read.code
        assert read.message
    else:
        assert 0 < len(read.question.encode()) <= read.size <= TEXT_MAX_BYTES
        assert StartBody.model_validate_json(read.request()).digest() == read.digest()


def outcome(value: Any) -> StartBody | ApiError:
    try:
        return validate(value, StartBody, TEXT_MAX_BYTES)
    except ApiError as error:
        return error
