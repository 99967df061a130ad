"""The demo: a lively answer with no key and no network, which says honestly that no model wrote it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from itertools import takewhile

import nanoid

from services.generate_stream.providers import ChatRequest, Delta, Done, JsonSchema, Part, Reasoning, ToolCall
from services.generate_stream.providers.demo_tools import arguments, chosen
from services.generate_stream.providers.demo_values import value

_ECHO_MAX = 120
_WORD = re.compile(r"\s*\S+\s*")

_THOUGHTS = ("No key, no model. ", "So I say what I am, ", "repeat the question, ", "and show what to try.")

_ANSWER = """\
**This is the demo.** No language model wrote these words: they are a fixed text that arrives word by word, \
at about the pace of a model.

You asked:

> {question}

That is turn {turn} of our conversation; the turns before it came along, as they would to a model.

While this is still being written, try to break it:

1. **Refresh the page.** The words so far come back at once, and the rest follows.
2. **Open the address in a second tab.** Both tabs show the same words in the same order, each of them once.
3. **Switch the network off and on.** Nothing is lost: καλημέρα, 你好 and 🌊 arrive whole.
4. **Press stop,** in any tab. It stops in all of them.

For real answers, start it with a key of your own:

```sh
OPENAI_API_KEY=... make run
```
"""

_CALLING = (
    "**This is the demo.** No language model chose this tool: the question names it, or the request asks for it. "
)

_TOLD = """\
**This is the demo.** The tools have answered; a model would make an answer of it now:

{results}
"""


def answer(request: ChatRequest) -> str:
    """The whole text that the demo says to `request`; the same request always gets the same text."""
    if request.format:
        return _json(request)
    if request.messages and request.messages[-1].role == "tool":
        return _TOLD.format(results="\n".join(_results(request)))
    questions = _questions(request)
    return _ANSWER.format(question=_echo(questions[-1] if questions else ""), turn=max(1, len(questions)))


def _questions(request: ChatRequest) -> list[str]:
    return [said.content for said in request.messages if said.role == "user"]


def _json(request: ChatRequest) -> str:
    """JSON has no room for who speaks, if a schema says what it holds: then the thoughts alone tell."""
    question = "".join(_questions(request)[-1:])
    told = {"demo": "No language model wrote this.", "question": _echo(question)}
    given = value(request.format.schema, question) if isinstance(request.format, JsonSchema) else told
    return json.dumps(given, ensure_ascii=False)


def _results(request: ChatRequest) -> list[str]:
    names = {call.call_id: call.name for said in request.messages for call in said.tool_calls}
    last = takewhile(lambda said: said.role == "tool", reversed(request.messages))
    return [f"- `{names.get(said.call_id, 'a tool')}` says: {_echo(said.content)}" for said in last][::-1]


def _echo(text: str) -> str:
    words = " ".join(text.split())
    return (words if len(words) <= _ECHO_MAX else f"{words[:_ECHO_MAX].rstrip()} …") or "(nothing)"


class Demo:
    """The provider that is always there."""

    name = "demo"
    models: tuple[str, ...] = ("demo",)
    formats: tuple[str, ...] = ("json_object", "json_schema")

    def __init__(self, pace_s: float = 0.02) -> None:
        self._pace_s = pace_s

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """Say `answer(request)`, a word every `pace_s` seconds, after some thoughts; or call the tool that is meant."""
        tool = chosen(request)
        text = _CALLING if tool else answer(request)
        for thought in _THOUGHTS:
            yield Reasoning(thought)
            await asyncio.sleep(self._pace_s)
        for word in _WORD.findall(text):
            yield Delta(word)
            await asyncio.sleep(self._pace_s)
        if tool:
            yield ToolCall(f"call_{nanoid.generate()}", tool.name, arguments(tool, request.messages[-1].content))
        yield Done("tool_calls" if tool else "stop", _usage(request, text))

    async def warm(self) -> None:
        """Nothing is put off."""

    async def close(self) -> None:
        """Nothing is open."""


def _usage(request: ChatRequest, text: str) -> dict[str, object]:
    asked = len((request.system or "").split()) + sum(len(said.content.split()) for said in request.messages)
    told = len("".join(_THOUGHTS).split()) + len(text.split())
    return {
        "prompt_tokens": asked,
        "completion_tokens": told,
        "total_tokens": asked + told,
        "estimated": "words were counted, not tokens",
    }
