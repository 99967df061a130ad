"""What a fake vendor does with one request, down to the byte."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Script:
    """One answer, and what goes wrong with it. Pieces are counted through thinking and text, in that order."""

    text: tuple[str, ...] = ("Hel", "lo, ", "wörld ", "🌊", "!")
    thinking: tuple[str, ...] = ()
    reasoning_field: str = "reasoning_content"
    """The field of OpenAI's delta that carries the thinking: `reasoning_content` or `reasoning`."""

    refusal: bool = False
    """OpenAI: the text comes as a refusal."""

    calls: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Calls of tools after the text: id, name, and the arguments in pieces."""

    calls_in: str = "pieces"
    """OpenAI: `pieces` by index, `whole` calls that all have index 0, or `bare`: whole, without id or index."""

    finish: str | None = None
    """The finish_reason or stop_reason; None is the vendor's usual one, "" ends the body cleanly without any."""

    done: bool = True
    """OpenAI: the body ends with [DONE]."""

    status: int = 200
    """Any other: a JSON error in the vendor's words, and no stream."""

    times: int | None = None
    """How many requests get `status`; the later ones get the answer. None: all of them."""

    error: str | None = None
    """The vendor's name of the error, for `status`, or alone for an error in the stream."""

    error_after: int = 0
    """Pieces before the error in the stream."""

    inject: str | None = None
    """Bytes that go into the stream as they are, as a latin-1 string: broken JSON, broken UTF-8, comments."""

    inject_after: int = 0
    """Pieces before `inject`."""

    keep_alive: bool = False
    """A comment (OpenAI) or a ping (Anthropic) before each piece."""

    cut_at: int | None = None
    """Bytes of the body after which the connection is closed."""

    reset: bool = False
    """The cut is a TCP reset; a client may then lose bytes that were on their way."""

    split: int | None = None
    """Bytes per write, each a chunk of its own; None: an event per write."""

    chunked: bool = True
    """False: no framing, the end of the connection is the end of the body."""

    stall_after: int | None = None
    """Pieces after which nothing comes any more, and the connection stays open. -1: not even the status."""

    delay_s: float = 0.0
    """Seconds before each piece."""

    gate: asyncio.Semaphore | None = field(default=None, compare=False)
    """Each piece waits for one release."""

    input_tokens: int = 11
    output_tokens: int = 7


def load(path: Path) -> tuple[Script, dict[str, Script]]:
    """Read a file with `default`, a script, and `prompts`, scripts by the text of the last user message."""
    read = json.loads(path.read_text("utf-8"))
    prompts = {prompt: script(fields) for prompt, fields in read.get("prompts", {}).items()}
    return script(read.get("default", {})), prompts


def script(fields: dict[str, Any]) -> Script:
    """A Script from JSON; raises TypeError for a name it does not have."""
    return Script(**{name: _tuples(value) for name, value in fields.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
