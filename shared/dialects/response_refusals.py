"""What who asks for a response may be refused with, in the words of OpenAI's API."""

from collections.abc import Iterable

from shared.http import ApiError

SAME_LENGTH = "events are as long as what they tell"
"""To who would hide the lengths of words from those who see the traffic."""


def not_found(response: str) -> ApiError:
    """The one answer to who asks for a response that is not there, or not theirs."""
    return ApiError(404, "response_not_found", f"Response with id '{response[:100]}' not found.")


def previous_not_found(response: str) -> ApiError:
    """The one answer to who goes on from such a response."""
    message = f"Previous response with id '{response[:100]}' not found."
    return ApiError(400, "previous_response_not_found", message, param="previous_response_id")


def invalid(where: str, why: str) -> ApiError:
    """To who has sent what the API does not take."""
    return ApiError(400, "invalid_value", f"{where}: {why}.", param=where)


def unsupported(parameter: str, why: str) -> ApiError:
    """To who relies on what no provider is asked for here."""
    return ApiError(400, "unsupported_parameter", f"{parameter}: {why}.", param=parameter)


def refuse_unless_told(include: Iterable[object]) -> None:
    """Raise ApiError for what is to be included and is not told here. Thoughts in cipher there are none of."""
    if set(map(str, include)) - {"reasoning.encrypted_content"}:
        raise unsupported("include", "nothing is told beyond the answer itself")
