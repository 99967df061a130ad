"""Failures: how an answer that failed is told over HTTP, to clients that go by status and type. Pure."""

_STATUS = {
    "provider_rate_limited": 429,
    "provider_refused": 400,
    "provider_overloaded": 503,
    "provider_timeout": 504,
}
"""Every other is a 502: `provider_auth` too, for the key that was not accepted is this server's, not the client's."""

_TYPES = {429: "rate_limit_error", 400: "invalid_request_error"}


def status_of(code: str) -> int:
    """The status of a failed answer by its code."""
    return _STATUS.get(code, 502)


def error_of(code: str, message: str) -> dict[str, str | None]:
    """The same failure in the middle of a stream, where there is no status any more."""
    return {"message": message, "type": _TYPES.get(status_of(code), "server_error"), "param": None, "code": code}
