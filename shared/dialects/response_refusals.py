"""What who asks for a response may be refused with, in the words of OpenAI's API."""

from shared.http import ApiError


def not_found(response: str) -> ApiError:
    """The one answer to who asks for a response that is not there, or not theirs."""
    return ApiError(404, "response_not_found", f"Response with id '{response[:100]}' not found.")


def previous_not_found(response: str) -> ApiError:
    """The one answer to who goes on from such a response."""
    message = f"Previous response with id '{response[:100]}' not found."
    return ApiError(400, "previous_response_not_found", message, param="previous_response_id")


def unsupported(parameter: str, why: str) -> ApiError:
    """To who relies on what no provider is asked for here."""
    return ApiError(400, "unsupported_parameter", f"{parameter}: {why}", param=parameter)
