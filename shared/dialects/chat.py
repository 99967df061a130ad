"""What both services know of the AI SDK's messages: their ids, and what tools gave back, as text and as JSON. Pure."""

import json
import re
from typing import Any, NoReturn

from shared.nesting import is_too_deep

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_ERROR = "errorText"


def answer_id(session: str, generation: int) -> str:
    """The id of an answer: of the generation that began it, where tools made it several."""
    return f"{session}.{generation}"


def question_id(session: str, generation: int) -> str:
    """The id of the question that a generation answers."""
    return f"{session}.{generation}.user"


def generation_of(message: object, session: str) -> int | None:
    """The generation that began an answer, by its id; None where the id is no answer's of this session."""
    if not isinstance(message, str):
        return None
    of_session, _, number = message.rpartition(".")
    return int(number) if of_session == session and _NUMBER.fullmatch(number) else None


def told(output: Any) -> str:
    """What a tool gave back, as the model is told: text as it stands, all else as JSON.

    Text that could be taken for JSON is quoted, so that `given` finds text again.
    """
    if isinstance(output, str) and not _is_json(output):
        return output
    return json.dumps(output, ensure_ascii=False, separators=(",", ":"))


def told_error(text: str) -> str:
    """What is told of a tool that failed."""
    return told({_ERROR: text})


def given(content: str) -> Any:
    """What a tool gave back, from what the model was told."""
    return _read(content) if _is_json(content) else content


def given_error(output: Any) -> str | None:
    """The text of a tool that failed; None of one that did not."""
    text = output.get(_ERROR) if isinstance(output, dict) and len(output) == 1 else None
    return text if isinstance(text, str) else None


def arguments(text: str) -> Any:
    """The arguments of a call. Raises ValueError where the model wrote no JSON."""
    try:
        return _read(text) if text.strip() else {}
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _is_json(text: str) -> bool:
    try:
        _read(text)
    except (ValueError, RecursionError):
        return False
    return True


def _read(text: str) -> Any:
    value = json.loads(text, parse_constant=_constant)
    if is_too_deep(value):
        raise RecursionError
    # Python reads more than it may send on: endless numbers, halves of surrogate pairs.
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
