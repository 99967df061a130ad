"""What OpenAI's Chat Completions offer and Rejoin does not: refused by name, for the answer would be another."""

from collections.abc import Iterator
from typing import Any, NoReturn

from shared.http import ApiError

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "functions": ([],),
    "audio": (),
    "function_call": ("none", "auto"),
    "moderation": (),
    "web_search_options": (),
}
"""Each with the values that ask for nothing; null is another."""
_KINDS = {
    "tools": ("function",),
    "tool_choice": ("function",),
    "response_format": ("text", "json_object", "json_schema"),
}
"""What there is of things that are of a type."""


def refuse_what_is_not_offered(document: Any) -> None:
    """Raise ApiError with 400 for what would be left out of the answer. What has not its form is left for later."""
    if not isinstance(document, dict):
        return
    for name, neutral in NEUTRAL.items():
        value = document.get(name)
        if value is not None and not any(_same(value, each) for each in neutral):
            _refuse(name, name)
    for options in _dicts([document.get("stream_options")]):
        if options.get("include_obfuscation"):
            _refuse("include_obfuscation", "stream_options.include_obfuscation")
    for at, message in enumerate(_dicts(document.get("messages"))):
        for name in ("function_call", "audio"):
            if message.get(name) is not None:
                _refuse(f"messages.{at}.{name}", f"messages.{at}.{name}")
        for part in _dicts(message.get("content")):
            if isinstance(kind := part.get("type"), str) and kind not in ("text", "refusal"):
                _refuse(f"{kind[:40]} in a message", f"messages.{at}.content")
    for name, kinds in _KINDS.items():
        given = document.get(name)
        for each in _dicts(given if isinstance(given, list) else [given]):
            if isinstance(kind := each.get("type"), str) and kind not in kinds:
                _refuse(f"{kind[:40]} in {name}", name)


def in_their_words(error: ApiError) -> ApiError:
    """A refusal as OpenAI's clients know it: with 400 for 422, and the format by its name there."""
    if error.status == 422:
        error.status = 400
    if error.param == "format":
        error.message, error.param = f"response_{error.message}", "response_format"
    return error


def _same(one: Any, other: Any) -> bool:
    # To Python a 1 is also a true.
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    yield from (each for each in (value if isinstance(value, list) else ()) if isinstance(each, dict))


def _refuse(what: str, param: str) -> NoReturn:
    raise ApiError(400, "unsupported_parameter", f"{what} is not offered here.", param=param)
