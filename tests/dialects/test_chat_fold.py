"""The fold of the AI SDK's chat: the parts of every kind of entry and end, however the entries come in batches."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.consume_stream.dialects import chat_messages
from services.consume_stream.dialects.chat import Chat
from shared.dialects import chat
from shared.events import Entry
from shared.position import Position

SESSION = "a-session"
STARTED = {"type": "metadata", "status": "started", "generation": "2", "attempt": "1", "prompt": "Hi?", "model": "m"}
START = {"type": "start", "messageId": "a-session.2", "messageMetadata": {"createdAt": 7, "model": "m"}}


def chunk(content: str) -> dict[str, str]:
    """Words."""
    return {"type": "chunk", "generation": "2", "content": content, "ms": "1"}


def thought(content: str) -> dict[str, str]:
    """A thought."""
    return chunk(content) | {"type": "reasoning"}


def call(arguments: str, call_id: str = "c") -> dict[str, str]:
    """A call of a tool."""
    return {"type": "tool", "generation": "2", "callId": call_id, "name": "clock", "arguments": arguments, "ms": "1"}


def end(status: str = "completed", **fields: str) -> dict[str, str]:
    """The end."""
    return {"type": "metadata", "status": status, "generation": "2", "ms": "9"} | fields


def entries(*fields: dict[str, str]) -> list[Entry]:
    """A log of these."""
    return [Entry(Position(7, place), each) for place, each in enumerate(fields)]


def told(frames: bytes) -> list[Any]:
    """The data of frames."""
    lines = [line.removeprefix("data: ") for line in frames.decode().split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def fold(*fields: dict[str, str]) -> list[Any]:
    """What a whole log is told as, in one batch."""
    return told(Chat(SESSION, 2).take(entries(*fields)))


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ([], []),
        (
            [thought("hm"), chunk("Hel"), chunk("lo"), thought("so")],
            [
                {"type": "reasoning-start", "id": "2.1"},
                {"type": "reasoning-delta", "id": "2.1", "delta": "hm"},
                {"type": "reasoning-end", "id": "2.1"},
                {"type": "text-start", "id": "2.2"},
                {"type": "text-delta", "id": "2.2", "delta": "Hello"},
                {"type": "text-end", "id": "2.2"},
                {"type": "reasoning-start", "id": "2.3"},
                {"type": "reasoning-delta", "id": "2.3", "delta": "so"},
                {"type": "reasoning-end", "id": "2.3"},
            ],
        ),
        (
            [call('{"at": [1]}'), call("", "d"), call("{not", "e")],
            [
                {"type": "tool-input-available", "toolCallId": "c", "toolName": "clock", "input": {"at": [1]}},
                {"type": "tool-input-available", "toolCallId": "d", "toolName": "clock", "input": {}},
                {
                    "type": "tool-input-error",
                    "toolCallId": "e",
                    "toolName": "clock",
                    "input": "{not",
                    "errorText": "The arguments of this call are not JSON.",
                },
            ],
        ),
        ([{"type": "unheard-of", "generation": "2"}], []),
    ],
    ids=["nothing", "thoughts and words", "calls", "what is not known"],
)
def test_each_kind_of_entry(said: list[dict[str, str]], parts: list[Any]) -> None:
    finish = [{"type": "finish-step"}, {"type": "finish", "finishReason": "stop"}, "[DONE]"]
    assert fold(STARTED, *said, end(finishReason="stop")) == [START, {"type": "start-step"}, *parts, *finish]


@pytest.mark.parametrize(
    ("last", "parts"),
    [
        (end(finishReason="tool_use"), [{"type": "finish-step"}, {"type": "finish", "finishReason": "tool-calls"}]),
        (end(finishReason="max_tokens"), [{"type": "finish-step"}, {"type": "finish", "finishReason": "length"}]),
        (end(finishReason="never heard"), [{"type": "finish-step"}, {"type": "finish", "finishReason": "other"}]),
        (
            end(usage='{"input_tokens": 2, "output_tokens": 3, "cache_read_input_tokens": 4}'),
            [
                {"type": "finish-step"},
                {"type": "finish", "finishReason": "other", "messageMetadata": {"totalTokens": 9}},
            ],
        ),
        (end("stopped"), [{"type": "abort"}]),
        (end("failed", error="Too much."), [{"type": "error", "errorText": "Too much."}]),
        (end("failed"), [{"type": "error", "errorText": "The answer failed."}]),
    ],
)
def test_each_end(last: dict[str, str], parts: list[Any]) -> None:
    said = fold(STARTED, chunk("Hi"), last)
    assert said[4:] == [{"type": "text-end", "id": "2.1"}, *parts, "[DONE]"]


def test_a_takeover_is_void_once_there_were_words_and_nothing_before() -> None:
    again = STARTED | {"attempt": "2"}
    early = Chat(SESSION, 2)
    assert told(early.take(entries(STARTED, again, chunk("Hi"), end()))) == fold(STARTED, chunk("Hi"), end())
    assert (early.over, early.void) == (True, False)
    for said in (chunk("Hi"), thought("hm"), call("{}")):
        late = Chat(SESSION, 2)
        assert told(late.take(entries(STARTED, said, again, chunk("Ho"), end()))) == fold(STARTED, said)
        assert (late.over, late.void) == (False, True)


def test_the_last_event_of_each_entry_has_its_position() -> None:
    frames = Chat(SESSION, 2).take(entries(STARTED, thought("hm"), chunk("Hi"), end()))
    events = frames.decode().split("\n\n")[:-1]
    assert [event.split("\n")[0] for event in events if event.startswith("id: ")] == [f"id: 7-{n}" for n in range(4)]
    assert next(told(event.encode())[0] for event in events if event.startswith("id: ")) == {"type": "start-step"}
    assert events[-1] == "id: 7-3\ndata: [DONE]"


def test_a_message_that_goes_on_is_told_from_its_beginning_with_what_tools_gave_back() -> None:
    results = [{"callId": "c", "content": '{"at":1}'}, {"callId": "d", "content": chat.told_error("No.")}]
    onward = STARTED | {"generation": "3", "prompt": "", "continues": "2", "toolResults": json.dumps(results)}
    first = entries(STARTED, call("{}"), call("{}", "d"), end(finishReason="tool_calls"))
    earlier = chat_messages.chain(SESSION, [first])
    rest = [Entry(Position(8, place), each) for place, each in enumerate([onward, chunk("It is one."), end()])]
    whole = told(Chat(SESSION, 3, earlier).take(rest))
    assert [part if part == "[DONE]" else part["type"] for part in whole] == [
        "start", "start-step", "tool-input-available", "tool-input-available", "finish-step",
        "tool-output-available", "tool-output-error", "start-step", "text-start", "text-delta", "text-end",
        "finish-step", "finish", "[DONE]",
    ]  # fmt: skip
    assert [part["output"] for part in whole if part != "[DONE]" and "output" in part] == [{"at": 1}]
    # Who has asked has the beginning.
    alone = told(Chat(SESSION, 3).take(rest))
    assert alone == [{"type": "start", "messageId": "a-session.2"}, *whole[7:]]
    messages = chat_messages.messages(SESSION, [first, rest])
    assert [message["id"] for message in messages] == ["a-session.2.user", "a-session.2"]
    assert [part.get("state") for part in messages[1]["parts"]] == [
        None, "output-available", "output-error", None, "done",
    ]  # fmt: skip


HOSTILE = st.text(st.sampled_from('ab\u2028\u2029\x85\x00\r\n🌊\ufffd"\\:'), max_size=5)
WORDS = st.one_of(HOSTILE.map(chunk), HOSTILE.map(thought), st.just(call('{"a": 1}')))


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=8), st.sampled_from(["completed", "stopped", "failed"]), st.data())
def test_batches_do_not_show(said: list[dict[str, str]], status: str, data: st.DataObject) -> None:
    log = entries(STARTED, *said, end(status))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=4)))
    bounds = list(zip([0, *cuts], [*cuts, len(log)], strict=True))
    one, many = Chat(SESSION, 2), Chat(SESSION, 2)
    whole, pieces = one.take(log), b"".join(many.take(log[first:last]) for first, last in bounds)
    assert made(told(whole)) == made(told(pieces)) == chat_messages.messages(SESSION, [log])[1:]
    assert one.over
    assert many.over
    # No reader of lines finds an end where there is none.
    assert all(len(line.splitlines()) <= 1 for line in whole.decode().split("\n"))


def made(parts: list[Any]) -> list[Any]:
    """The message that a client makes of parts."""
    message: dict[str, Any] = {"id": "", "role": "assistant", "parts": []}
    for part in parts[:-1]:
        message["id"] = part.get("messageId", message["id"])
    chat_messages.put(message, parts[:-1])
    return [message]


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | HOSTILE, st.lists) | st.sampled_from(["1", "{}", "NaN"])
)
def test_what_a_tool_gave_back_comes_back(output: Any) -> None:
    assert chat.given(chat.told(output)) == output
    assert type(chat.given(chat.told(output))) is type(output)


@pytest.mark.parametrize(
    ("message", "generation"),
    [("a-session.2", 2), ("a-session.0", None), ("a-session.02", None), ("b-session.2", None), ("2", None), (7, None)],
)
def test_ids_are_ours_or_not(message: object, generation: int | None) -> None:
    assert chat.generation_of(message, SESSION) == generation


def test_arguments_however_deep_are_told() -> None:
    # Read by one who stands higher on the stack than who writes them again.
    for levels in [1, 99, *range(900, 1000)]:
        [part] = fold(call('{"a":' * levels + "1" + "}" * levels))
        assert part["type"] == ("tool-input-available" if levels < 100 else "tool-input-error")
