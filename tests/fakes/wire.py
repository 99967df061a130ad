"""The vendors' bytes: a script and a request in, the events of the body out. Pure."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.fakes.script import Script


class Event(NamedTuple):
    """One write of the body, and what a reader knows once it has all of it."""

    raw: bytes
    text: str = ""
    thinking: str = ""
    whole: bool = False
    """From here on the vendor has said that the answer is whole."""

    @property
    def is_piece(self) -> bool:
        """Whether it carries words, and so counts for the script."""
        return bool(self.text or self.thinking)


def events(path: str, request: dict[str, Any], script: Script) -> list[Event]:
    """The whole body, with what the script puts into it."""
    return list(told(path, request, script))


def told(path: str, request: dict[str, Any], script: Script) -> Iterator[Event]:
    """The same one by one, each made when it is its turn: a hundred thousand at once would hold the tests' loop up."""
    vendor = _openai if path.endswith("/chat/completions") else _anthropic
    return _disturbed(vendor(request, script), script, path)


def error(path: str, status: int, kind: str | None) -> bytes:
    """The JSON body of an error answer. It quotes a key, as vendors do, so that a test can look for it."""
    kind = kind or _KINDS.get(status, "invalid_request_error" if status < 500 else "api_error")
    said: dict[str, Any] = {"message": f"{kind}: you sent sk-secret-1234", "type": kind}
    if path.endswith("/chat/completions"):
        return _json({"error": {**said, "param": None, "code": kind}})
    return _json({"type": "error", "error": said, "request_id": "req_fake"})


_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def _disturbed(body: Iterator[Event], script: Script, path: str) -> Iterator[Event]:
    pieces = 0
    for event in body:
        if script.inject is not None and event.is_piece and pieces == script.inject_after:
            yield Event(script.inject.encode("latin-1"))
        if script.error and script.status == 200 and event.is_piece and pieces == script.error_after:
            yield Event(_error_event(path, script.error))
            return
        if script.keep_alive and event.is_piece:
            yield Event(b": OPENROUTER PROCESSING\n\n" if path.endswith("/completions") else _named({"type": "ping"}))
        yield event
        pieces += event.is_piece


def _error_event(path: str, kind: str) -> bytes:
    body = error(path, 200, kind)
    return b"data: %b\n\n" % body if path.endswith("/chat/completions") else b"event: error\ndata: %b\n\n" % body


def _openai(request: dict[str, Any], script: Script) -> Iterator[Event]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return _data({**head, "choices": choices})

    head = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": request["model"],
    }
    yield Event(chunk({"role": "assistant", "content": ""}))
    for thought in script.thinking:
        yield Event(chunk({script.reasoning_field: thought}), thinking=thought)
    for text in script.text:
        yield Event(chunk({"refusal" if script.refusal else "content": text}), text=text)
    for delta in _openai_calls(script):
        yield Event(chunk({"tool_calls": [delta]}))
    if script.finish == "":
        return
    yield Event(chunk({}, script.finish or ("tool_calls" if script.calls else "stop")), whole=True)
    if request.get("stream_options", {}).get("include_usage"):
        usage = {"prompt_tokens": script.input_tokens, "completion_tokens": script.output_tokens}
        usage["total_tokens"] = sum(usage.values())
        yield Event(_data({**head, "choices": [], "usage": usage}))
    if script.done:
        yield Event(b"data: [DONE]\n\n")


def _openai_calls(script: Script) -> Iterator[dict[str, Any]]:
    for index, (call_id, name, pieces) in enumerate(script.calls):
        head = {"id": call_id, "type": "function"}
        if script.calls_in != "pieces":
            whole = {"function": {"name": name, "arguments": "".join(pieces)}}
            yield {"index": 0, **head, **whole} if script.calls_in == "whole" else whole
            continue
        yield {"index": index, **head, "function": {"name": name, "arguments": ""}}
        for piece in pieces:
            yield {"index": index, "function": {"arguments": piece}}


def _anthropic(request: dict[str, Any], script: Script) -> Iterator[Event]:
    usage = {"input_tokens": script.input_tokens, "output_tokens": 1, "cache_read_input_tokens": 3}
    message = {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
    }
    yield Event(_named({"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}))
    yield Event(_named({"type": "ping"}))
    index = 0
    # As the real one: thinking is told only to those who ask for it.
    if script.thinking and request.get("thinking", {}).get("display") == "summarized":
        yield from _block(index, "thinking", script.thinking)
        index = 1
    if script.text or not script.calls:
        yield from _block(index, "text", script.text)
        index += 1
    for number, call in enumerate(script.calls, index):
        yield from _tool_use(number, *call)
    if script.finish == "":
        return
    reason = script.finish or ("tool_use" if script.calls else "end_turn")
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield Event(_named({"type": "message_delta", "delta": delta, "usage": {"output_tokens": script.output_tokens}}))
    yield Event(_named({"type": "message_stop"}), whole=True)


def _block(index: int, kind: str, pieces: tuple[str, ...]) -> Iterator[Event]:
    start = {"type": "content_block_start", "index": index, "content_block": {"type": kind, kind: ""}}
    yield Event(_named(start))
    for piece in pieces:
        delta = {"type": "content_block_delta", "index": index, "delta": {"type": f"{kind}_delta", kind: piece}}
        raw = _named(delta)
        yield Event(raw, text=piece) if kind == "text" else Event(raw, thinking=piece)
    if kind == "thinking":
        signature = {"type": "signature_delta", "signature": "c2lnbmVk"}
        yield Event(_named({"type": "content_block_delta", "index": index, "delta": signature}))
    yield Event(_named({"type": "content_block_stop", "index": index}))


def _tool_use(index: int, call_id: str, name: str, pieces: tuple[str, ...]) -> Iterator[Event]:
    block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    yield Event(_named({"type": "content_block_start", "index": index, "content_block": block}))
    for piece in pieces:
        delta = {"type": "input_json_delta", "partial_json": piece}
        yield Event(_named({"type": "content_block_delta", "index": index, "delta": delta}))
    yield Event(_named({"type": "content_block_stop", "index": index}))


def _named(event: dict[str, Any]) -> bytes:
    return b"event: %b\n%b" % (event["type"].encode(), _data(event))


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % _json(value)


def _json(value: dict[str, Any]) -> bytes:
    # Not ASCII-only, so that a cut can fall into a character. Halves of a surrogate pair have no UTF-8: escaped.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
