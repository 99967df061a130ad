"""What who asks for a completion is told of an answer that failed."""

from collections.abc import Mapping

from shared.dialects import failures
from shared.http import ApiError
from shared.view import Answer


def failed(answer: Answer, headers: Mapping[str, str]) -> ApiError:
    """The failure as an answer over HTTP."""
    code = str(answer.end.get("code"))
    status = failures.status_of(code)
    return ApiError(status, code, str(answer.end.get("error")), retry=status in (429, 503), headers=headers)
