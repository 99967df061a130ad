"""What consume-stream tells of Responses, in the words of its description."""

from shared.dialects.response_paths import RESPONSE
from shared.openapi import Refusals, Schema, answer, operation, parameter

_REFUSED: Refusals = {
    400: ("invalid_starting_after", "invalid_flag", "unsupported_parameter"),
    404: ("response_not_found",),
    409: ("resume_point_void",),
    429: ("too_many_viewers_of_session", "too_many_viewers_of_owner"),
    503: ("draining", "too_many_viewers"),
}
_LIST_REFUSED: Refusals = {
    400: ("invalid_order", "invalid_limit", "invalid_value", "unsupported_parameter"),
    404: ("response_not_found",),
}
_INCLUDE = parameter(
    "include",
    {"type": "array", "items": {"const": "reasoning.encrypted_content"}},
    "Also as `include[]`. Nothing is told beyond the answer itself: thoughts in cipher there are none of.",
)
_NOT_ALL = (
    "The question, as a user's message, or what tools gave back. Of a conversation that the request brought along the "
    "log has the last question alone, and a system's words it never has: of these nothing is told."
)


def paths(*shown: Refusals, **known: object) -> dict[str, Schema]:
    """The routes, which refuse as every one that shows a session, and otherwise."""
    told = answer("The object as it stands; or its events, which end with it.", {"type": "object"})
    told["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    number = {"type": "integer", "minimum": 0, "maximum": 2**31}
    asked = [
        RESPONSE,
        parameter("stream", {"enum": ["true", "false"], "default": "false"}, "Whether it is told as it comes."),
        parameter("starting_after", number, "The sequence_number of the last event that the client has."),
        _INCLUDE,
        parameter("include_obfuscation", {"const": "false"}, "Events are as long as what they tell."),
    ]
    responses = {"200": told, "204": answer("There is no more.")}
    read = operation("readResponse", "Responses: read.", responses, *shown, _REFUSED, parameters=asked, **known)
    return {
        "/v1/responses/{response}": {"get": read},
        "/v1/responses/{response}/input_items": {"get": _input_items(*shown, **known)},
    }


def _input_items(*shown: Refusals, **known: object) -> Schema:
    text = {"type": ["string", "null"]}
    listed: Schema = {
        "object": {"const": "list"},
        "data": {"type": "array", "items": {"type": "object"}},
        "first_id": text,
        "last_id": text,
        "has_more": {"type": "boolean"},
    }
    asked = [
        RESPONSE,
        parameter("order", {"enum": ["asc", "desc"], "default": "desc"}, "asc: as they were said."),
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Items of a page."),
        parameter("after", {"type": "string"}, "The last item of the page before, by its id."),
        _INCLUDE,
    ]
    told = answer(_NOT_ALL, {"type": "object", "required": list(listed), "properties": listed})
    summary = "Responses: what it was asked with."
    refusals = (*shown, _LIST_REFUSED)
    return operation("readInputItems", summary, {"200": told}, *refusals, parameters=asked, **known)
