"""One drawn request to a service that runs, and its answer as far as it takes to judge it: a stream's is its head."""

from typing import Any, NamedTuple

import requests
from schemathesis import Case, CheckFunction
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

TIMEOUT_S = 60.0
"""For one answer, on a machine where others keep everything busy."""

CONFORMS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
REFUSES = [*CONFORMS, negative_data_rejection]

NOT_OF_ITS_SHAPE = {
    "session_not_found", "generation_running", "provider_unknown", "replaces_unknown", "session_full",
    "prompt_too_large", "generation_unknown", "sharing_off", "too_many_shares", "share_invalid",
    "idempotency_key_reused", "nothing_asked", "auth_off", "invalid_every",
    "invalid_conversation", "model_not_found", "after_unknown", "tool_results_unexpected",
    "response_not_found", "invalid_value", "previous_response_not_found",
}  # fmt: skip
"""Why a request that is as the description says may be refused nevertheless: by what there is, or by what is set."""


class Caller(NamedTuple):
    """Who calls: an address, and what to be known by."""

    url: str
    headers: dict[str, str]

    def call(self, case: Case[Any]) -> requests.Response:
        """Send it. Of an endless answer only the first bytes are read."""
        case.body = _whole_numbers(case.body)
        if case.path == "/v1/responses" and isinstance(case.body, dict):
            # A whole answer of the demo's takes seconds: that it has begun is enough.
            case.body |= {} if case.body.get("background", False) not in (None, False, True) else {"background": True}
        asked = case.as_transport_kwargs(base_url=self.url, headers=self.headers)
        with requests.Session() as session:
            # A proxy of this machine's has no part in it.
            session.trust_env = False
            response = session.request(**asked, timeout=TIMEOUT_S, stream=True, allow_redirects=False)
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                response._content = next(response.iter_content(64))
            else:
                assert isinstance(response.content, bytes)
            response.close()
        return response


def _whole_numbers(body: Any) -> Any:
    # To JSON Schema 1.0 is an integer. No client writes one so, and here it is none.
    if isinstance(body, dict):
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in body.items()
        }
    return body


def code_of(response: requests.Response) -> str:
    """The code of a refusal; empty of any other answer."""
    if response.status_code < 400:
        return ""
    told: dict[str, Any] = response.json()
    return str(told["error"]["code"])


def judged(case: Case[Any], response: requests.Response, checks: list[CheckFunction]) -> None:
    """See that these checks hold."""
    try:
        case.validate_response(response, checks=checks)
    except FailureGroup as failures:
        # A group of what is no Exception would end the loop that all tests share.
        raise AssertionError(str(failures)) from None
