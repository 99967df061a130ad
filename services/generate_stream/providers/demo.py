"""The demo: a lively answer with no key and no network, which says honestly that no model wrote it."""

import asyncio
import re
from collections.abc import AsyncGenerator

from services.generate_stream.providers import ChatRequest, Delta, Done, Part, Reasoning

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


def answer(request: ChatRequest) -> str:
    """The whole text that the demo says to `request`; the same request always gets the same text."""
    questions = [text for role, text in request.messages if role == "user"]
    words = " ".join(questions[-1].split()) if questions else ""
    echo = words if len(words) <= _ECHO_MAX else f"{words[:_ECHO_MAX].rstrip()} …"
    return _ANSWER.format(question=echo or "(nothing)", turn=max(1, len(questions)))


class Demo:
    """The provider that is always there."""

    name = "demo"
    models: tuple[str, ...] = ("demo",)

    def __init__(self, pace_s: float = 0.02) -> None:
        self._pace_s = pace_s

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """Say `answer(request)`, a word every `pace_s` seconds, after a few thoughts."""
        text = answer(request)
        for thought in _THOUGHTS:
            yield Reasoning(thought)
            await asyncio.sleep(self._pace_s)
        for word in _WORD.findall(text):
            yield Delta(word)
            await asyncio.sleep(self._pace_s)
        yield Done("stop", _usage(request, text))

    async def warm(self) -> None:
        """Nothing is put off."""

    async def close(self) -> None:
        """Nothing is open."""


def _usage(request: ChatRequest, text: str) -> dict[str, object]:
    asked = len((request.system or "").split()) + sum(len(said.split()) for _, said in request.messages)
    told = len("".join(_THOUGHTS).split()) + len(text.split())
    return {
        "prompt_tokens": asked,
        "completion_tokens": told,
        "total_tokens": asked + told,
        "estimated": "words were counted, not tokens",
    }
