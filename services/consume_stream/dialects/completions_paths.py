"""What consume-stream tells of Chat Completions, in the words of its description."""

from shared.openapi import Refusals, Schema, answer, operation, parameter

_FLAG: Schema = {"enum": ["true", "false"], "default": "false"}
_REFUSED: Refusals = {
    400: ("invalid_flag", "provider_refused"),
    409: ("generation_running",),
    429: ("too_many_viewers_of_session", "too_many_viewers_of_owner", "provider_rate_limited"),
    502: ("provider_auth", "provider_cut", "provider_error", "producer_lost"),
    503: ("draining", "too_many_viewers", "provider_overloaded"),
    504: ("provider_timeout",),
}


def paths(*shown: Refusals, **known: object) -> dict[str, Schema]:
    """The route, which refuses as every one that shows a session, and otherwise."""
    told = answer("The whole of it; or its chunks, `data: [DONE]` at the end.", {"type": "object"})
    told["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    name = {"type": "string", "pattern": "^chatcmpl-.+$"}
    asked = [
        parameter("completion", name, "Its id.", "path", required=True),
        parameter("stream", _FLAG, "Whether it is told as it comes."),
        parameter("include_usage", _FLAG, "Whether a stream ends with its counts."),
    ]
    responses = {"200": told, "204": answer("There is no more.")}
    summary = "Chat Completions: read."
    read = operation("readCompletion", summary, responses, *shown, _REFUSED, parameters=asked, **known)
    return {"/v1/chat/completions/{completion}": {"get": read}}
