"""The tool calls of one answer: gathered from whatever pieces a server sends, until each is whole. Pure."""

import re
from collections.abc import Iterator
from typing import Any

import nanoid

from services.generate_stream.providers import Arguments, ChatRequest, ToolCall

_CALLS_MAX = 128
"""Calls of one answer. What comes beyond is left out."""

_ID_MAX = 200
_NAME_MAX = 64
_MARKS = re.compile(r'\\.?|["{}\[\]]', re.DOTALL)
_STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")


class _Open:
    """A call whose arguments may not be whole yet."""

    def __init__(self, index: object) -> None:
        self.index = index
        self.call_id = ""
        self.name = ""
        self.arguments: list[str] = []
        self._begun = False
        self._depth = 0
        self._in_text = False
        self._escape = ""

    def write(self, piece: str) -> None:
        """Take a piece of the arguments. Each is looked at once: they may be long, and come in many."""
        self.arguments.append(piece)
        mark = ""
        for mark in _MARKS.findall(self._escape + piece):
            if mark == '"':
                self._in_text = not self._in_text
            elif not self._in_text:
                self._depth += _STEPS.get(mark, 0)
                self._begun = self._begun or self._depth > 0
        # The mark that it escapes comes with the next piece.
        self._escape = mark if mark == "\\" else ""

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are an object that has its end."""
        return self._begun and self._depth == 0 and not self._in_text


class Calls:
    """Takes pieces, gives calls in their order, each with a name that vendors take and an id of its own.

    Compatible servers send whole calls at once, with one index for all or none, without ids or with one for several.
    Ids of the calls that `request` tells of are taken: a server that counts anew in each answer would have two of one
    in a conversation.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._ids = {call.call_id for message in request.messages for call in message.tool_calls}
        self._open: list[_Open] = []
        self._given = 0

    def add(self, index: object, call_id: Any, name: Any, arguments: Any) -> Iterator[Arguments | ToolCall]:
        """Take a piece; gives the earlier calls that are whole, where it begins another one."""
        texts = [text if isinstance(text, str) else "" for text in (call_id, name, arguments)]
        call = self._of(index, *texts[:2])
        if call is None:
            yield from self.whole()
            if self._given + len(self._open) == _CALLS_MAX:
                return
            call = _Open(index)
            self._open.append(call)
        call.call_id = call.call_id or texts[0]
        if not call.arguments and texts[1] != call.name:
            call.name += texts[1]
        if texts[2]:
            call.write(texts[2])
        yield Arguments(sum(len(text.encode("utf-8", "surrogatepass")) for text in texts))

    def whole(self) -> Iterator[ToolCall]:
        """The calls that can't go on any more, because something else came, up to one that may."""
        while self._open and self._open[0].is_whole:
            yield from self._give(self._open.pop(0))

    def close(self, index: object) -> Iterator[ToolCall]:
        """The call of an index that its server says is whole."""
        for call in [call for call in self._open if call.index == index]:
            self._open.remove(call)
            yield from self._give(call)

    def all(self) -> Iterator[ToolCall]:
        """The calls that are left, when the answer is over."""
        calls, self._open = self._open, []
        for call in calls:
            yield from self._give(call)

    def _of(self, index: object, call_id: str, name: str) -> _Open | None:
        """The call that a piece belongs to; None for one that begins another."""
        same = [call for call in self._open if index is None or call.index == index]
        if not same:
            return None
        call = same[-1]
        if call_id and call.call_id and call_id != call.call_id:
            return next((earlier for earlier in same if earlier.call_id == call_id), None)
        return None if name and call.name and call.is_whole else call

    def _give(self, call: _Open) -> Iterator[ToolCall]:
        self._given += 1
        # One without a name can't be answered, and no vendor would take it back.
        if name := _NOT_IN_NAMES.sub("_", call.name)[:_NAME_MAX]:
            yield ToolCall(self._own(call.call_id), name, "".join(call.arguments) or "{}")

    def _own(self, call_id: str) -> str:
        if not call_id.isprintable() or not 0 < len(call_id) <= _ID_MAX or call_id in self._ids:
            call_id = f"call_{nanoid.generate()}"
        self._ids.add(call_id)
        return call_id
