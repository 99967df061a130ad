"""What consume-stream tells of Responses, in the words of its description."""

from shared.dialects.response_paths import RESPONSE
from shared.openapi import Refusals, Schema, answer, operation, parameter

_REFUSED: Refusals = {
    400: ("invalid_starting_after",),
    404: ("response_not_found",),
    409: ("resume_point_void",),
    429: ("too_many_viewers_of_session", "too_many_viewers_of_owner"),
    503: ("draining", "too_many_viewers"),
}


def paths(*shown: Refusals, **known: object) -> dict[str, Schema]:
    """The route, which refuses as every one that shows a session, and otherwise."""
    told = answer("The object as it stands; or its events, which end with it.", {"type": "object"})
    told["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    number = {"type": "integer", "minimum": 0, "maximum": 2**31}
    asked = [
        RESPONSE,
        parameter("stream", {"enum": ["true", "false"], "default": "false"}, "Whether it is told as it comes."),
        parameter("starting_after", number, "The sequence_number of the last event that the client has."),
    ]
    responses = {"200": told, "204": answer("There is no more.")}
    read = operation("readResponse", "Responses: read.", responses, *shown, _REFUSED, parameters=asked, **known)
    return {"/v1/responses/{response}": {"get": read}}
