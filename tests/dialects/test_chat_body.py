"""Bodies of the AI SDK's chat: what each asks for, by what the log has; and what is refused."""

import time
from typing import Any

import pytest

from services.generate_stream import reading
from services.generate_stream.bodies import StartBody
from services.generate_stream.dialects import chat_body, chat_place
from services.generate_stream.dialects.chat_place import Place
from shared.http import ApiError

SESSION = "a-session"


def user(text: str, name: str = "q") -> dict[str, Any]:
    """A question."""
    return {"id": name, "role": "user", "parts": [{"type": "text", "text": text}]}


def answer(name: str, *parts: dict[str, Any]) -> dict[str, Any]:
    """An answer."""
    return {"id": name, "role": "assistant", "parts": [{"type": "step-start"}, *(parts or (_TEXT,))]}


_TEXT = {"type": "text", "text": "Yes."}
OURS = answer(f"{SESSION}.2")
DONE = {"type": "tool-clock", "toolCallId": "c", "state": "output-available", "input": {"a": 1}, "output": [1]}
BROKEN = {
    "type": "dynamic-tool", "toolName": "clock", "toolCallId": "d", "state": "output-error", "errorText": "No.",
}  # fmt: skip
OPEN = DONE | {"toolCallId": "e", "state": "input-available"}
RESULTS = [{"callId": "c", "content": "[1]"}, {"callId": "d", "content": '{"errorText":"No."}'}]
AGAIN = {"trigger": "regenerate-message"}


@pytest.mark.parametrize(
    ("messages", "more", "place", "begun"),
    [
        ([user("Hi")], {}, Place(), {"prompt": "Hi", "after": 0}),
        ([user("Hi")], {}, Place(5, 5, 4), {"prompt": "Hi", "after": 0}),
        ([user("Hi"), user("there")], {}, Place(), {"prompt": "Hi\n\nthere", "after": 0}),
        ([user("Hi"), OURS, user("So?")], {}, Place(2, 2, 1, 2), {"prompt": "So?", "after": 2}),
        ([user("Hi"), OURS, user("So?")], {}, Place(9, 2, 1, 4), {"prompt": "So?", "after": 4}),
        (
            [user("Hi"), OURS, user("So?")],
            {},
            Place(),
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Yes."},
                    {"role": "user", "content": "So?"},
                ]
            },
        ),
        (
            [user("Hi"), answer("x", DONE, BROKEN, OPEN, {"type": "step-start"}, _TEXT), user("So?")],
            {},
            Place(5, 5, 4),
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {
                        "role": "assistant",
                        "content": "",
                        "toolCalls": [
                            {"callId": "c", "name": "clock", "arguments": '{"a":1}'},
                            {"callId": "d", "name": "clock", "arguments": "{}"},
                        ],
                    },
                    {"role": "tool", "callId": "c", "content": "[1]"},
                    {"role": "tool", "callId": "d", "content": '{"errorText":"No."}'},
                    {"role": "assistant", "content": "Yes."},
                    {"role": "user", "content": "So?"},
                ]
            },
        ),
        ([user("Hi"), answer(f"{SESSION}.2", DONE, BROKEN)], {}, Place(2, 2, 1, 2), {"toolResults": RESULTS}),
        (
            [user("Hi"), answer(f"{SESSION}.2", DONE, BROKEN)],
            {},
            Place(7, 7, 6, 3),
            {"toolResults": RESULTS, "after": 3},
        ),
        ([user("Hi")], AGAIN, Place(1, 1, 0), {"prompt": "Hi", "after": 0, "replaces": 1}),
        ([user("Hi")], AGAIN, Place(), {"prompt": "Hi", "after": 0}),
        ([user("Hi"), OURS, user("So?")], AGAIN, Place(3, 3, 2, 2), {"prompt": "So?", "after": 2, "replaces": 3}),
        # The question had never come here.
        ([user("Hi"), OURS, user("So?")], AGAIN, Place(2, 2, 1, 2), {"prompt": "So?", "after": 2}),
        (
            [user("Hi")],
            AGAIN | {"messageId": f"{SESSION}.1"},
            Place(4, 4, 3),
            {"prompt": "Hi", "after": 0, "replaces": 1},
        ),
        ([user("Hi"), OURS], AGAIN | {"messageId": f"{SESSION}.2"}, Place(2, 2, 0), {
            "prompt": "Hi", "after": 0, "replaces": 2,
        }),
    ],
)  # fmt: skip
def test_what_is_begun(messages: list[Any], more: dict[str, Any], place: Place, begun: dict[str, Any]) -> None:
    turn = chat_body.parse({"id": SESSION, "messages": messages} | more)
    assert chat_place.begun(turn, place) == begun
    reading.validate(begun, StartBody, 1000)


def test_what_tools_gave_back_is_known_again_by_itself() -> None:
    def key(*parts: Any, message: str = f"{SESSION}.2", after: int | None = None, **options: Any) -> str:
        turn = chat_body.parse({"id": SESSION, "messages": [user("Hi"), answer(message, *parts)], **options})
        place = Place(3, 2, 1, 2 if after else 3)
        return chat_place.key(turn, turn.options | chat_place.begun(turn, place), "brought")

    assert key(DONE, BROKEN) == key(DONE | {"input": {}}, BROKEN)
    others = [key(DONE), key(DONE | {"output": [2]}), key(DONE, message=f"{SESSION}.1")]
    others += [key(DONE, after=2), key(DONE, model="another")]
    assert len({key(DONE, BROKEN), *others}) == 6
    assert chat_place.key(chat_body.parse({"id": SESSION, "messages": [user("Hi")]}), {"prompt": "Hi"}, "b") == "b"


def test_an_application_adds_what_it_likes_by_our_names() -> None:
    options: dict[str, Any] = {"provider": "p", "model": "m", "system": "Be.", "maxTokens": 5, "temperature": 0.5}
    options |= {"toolChoice": "none", "parallelToolCalls": False, "format": {"type": "json_object"}}
    body = {"id": SESSION, "messages": [user("Hi")], "unheardOf": {"a": 1}, "topP": None, **options}
    tools = {"clock": {"description": "Tells.", "parameters": {"type": "object"}, "strict": True, "more": 1}}
    assert chat_body.parse(body).options == options
    listed = [{"name": "clock", "description": "Tells.", "parameters": {"type": "object"}, "strict": True}]
    assert chat_body.parse(body | {"tools": tools}).options == options | {"tools": listed}
    assert chat_body.parse(body | {"tools": listed}).options == options | {"tools": listed}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "invalid_json"),
        ({}, "invalid_session_id"),
        ({"id": "short"}, "invalid_session_id"),
        ({"id": 7}, "invalid_session_id"),
        ({"id": SESSION}, "nothing_asked"),
        ({"id": SESSION, "messages": []}, "nothing_asked"),
        ({"id": SESSION, "messages": []} | AGAIN, "nothing_asked"),
        ({"id": SESSION, "messages": [OURS]} | AGAIN, "nothing_asked"),
        ({"id": SESSION, "messages": [user(" \n")]}, "nothing_asked"),
        ({"id": SESSION, "messages": [user("Hi"), OURS]}, "nothing_asked"),
        ({"id": SESSION, "messages": "Hi"}, "invalid_request"),
        ({"id": SESSION, "messages": ["Hi"]}, "invalid_request"),
        ({"id": SESSION, "message": "Hi"}, "invalid_request"),
        ({"id": SESSION, "messages": [{"role": "user"}]}, "invalid_request"),
        ({"id": SESSION, "messages": [{"role": "robot", "parts": []}]}, "invalid_request"),
        ({"id": SESSION, "messages": [{"role": "user", "parts": [{"type": 1}]}]}, "invalid_request"),
        ({"id": SESSION, "messages": [{"role": "user", "parts": [{"type": "text"}]}]}, "invalid_request"),
        ({"id": SESSION, "messages": [user("Hi"), answer("x", DONE | {"toolCallId": 1})]}, "invalid_request"),
        ({"id": SESSION, "messages": [user("Hi"), answer("x", DONE | {"state": ["output-error"]})]}, "nothing_asked"),
        ({"id": SESSION, "messages": [user("Hi")], "tools": {"clock": 1}}, "invalid_request"),
        ({"id": SESSION, "messages": [{"role": "user", "parts": [{"type": "file"}]}]}, "unsupported_parameter"),
    ],
)
def test_what_is_refused(body: Any, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        chat_body.parse(body)
    assert (refused.value.status, refused.value.code) == (400, code)


@pytest.mark.parametrize("brought", [[user("Hi")] * 100_000, [user("Hi"), *[answer("x")] * 100_000]])
def test_many_messages_hold_up_nobody_for_long(brought: list[Any]) -> None:
    # The loop stands still meanwhile, and with it the beats of all answers: a square of this would take seconds.
    began = time.process_time()
    chat_body.parse({"id": SESSION, "messages": brought} | AGAIN)
    assert time.process_time() - began < 3
