"""What the tests of completions ask, and what they read of the answers."""

import json
from typing import Any

from tests.fakes.upstream import Upstream

MODEL = "gpt-6.1-terra"
WORDS = "Hello, wörld 🌊!"
"""What the model says to whatever it is asked."""


def asked(prompt: str, **more: Any) -> dict[str, Any]:
    """A request's parameters."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **more}


def requests(upstream: Upstream, prompt: str) -> list[dict[str, Any]]:
    """What the vendor was asked with this question in it, oldest first."""
    bodies = [request.body for request in upstream.requests]
    return [body for body in bodies if any(message["content"] == prompt for message in body.get("messages", ()))]


async def words(stream: Any) -> str:
    """All that a stream still says."""
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def said(text: str) -> str:
    """The words of a whole stream."""
    frames = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    return "".join(json.loads(frame)["choices"][0]["delta"].get("content", "") for frame in frames)
