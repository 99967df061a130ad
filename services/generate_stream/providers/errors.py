"""From whatever an SDK raises to a ProviderError: one pure mapping for every vendor."""

import ssl
from typing import Protocol

import anyio
import httpx2

from services.generate_stream.providers import ProviderError


class ApiError(Protocol):
    """What an SDK's error says of what the server sent."""

    body: object


class StatusError(ApiError, Protocol):
    """An answer other than 200, or an error within a stream."""

    status_code: int


class Sdk(Protocol):
    """A vendor's SDK, by its errors; the modules `openai` and `anthropic` are that as they stand.

    The one in use is handed in, so that the other one is not imported for its names alone.
    """

    @property
    def APIError(self) -> type[ApiError]: ...  # noqa: N802 - the SDKs' own spelling, as are those below

    @property
    def APIStatusError(self) -> type[StatusError]: ...  # noqa: N802

    @property
    def APIConnectionError(self) -> type[Exception]: ...  # noqa: N802

    @property
    def APITimeoutError(self) -> type[Exception]: ...  # noqa: N802


_TEXTS = {
    "provider_auth": "The provider did not accept this server's key.",
    "provider_rate_limited": "The provider takes no more requests from this server right now.",
    "provider_overloaded": "The provider is overloaded right now.",
    "provider_timeout": "The provider did not answer in time.",
    "provider_cut": "The connection to the provider broke before the answer was whole.",
    "provider_refused": "The provider refused this request.",
    "provider_error": "The provider failed.",
}
_QUOTA = "The provider's quota for this server is used up."
_UNREACHABLE = "The provider could not be reached."
_UNREADABLE = "The provider sent something that is not an answer."
_TOO_LONG = "The conversation is too long for the model."
_REFUSED_BY_STATUS = {
    402: "The provider's account has no credit left.",
    404: "The provider has no such model, or nothing at this address.",
    413: _TOO_LONG,
}

# The same questions may go through another time; with the same key, or the same request, they never do.
_RETRYABLE = frozenset(_TEXTS) - {"provider_auth", "provider_refused"}

# What the vendors call an error in its body. In the middle of a stream that is all there is: the status was 200.
_BY_KIND = {
    "authentication_error": "provider_auth",
    "permission_error": "provider_auth",
    "invalid_api_key": "provider_auth",
    "rate_limit_error": "provider_rate_limited",
    "rate_limit_exceeded": "provider_rate_limited",
    "insufficient_quota": "provider_rate_limited",
    "overloaded_error": "provider_overloaded",
    "timeout_error": "provider_timeout",
    "billing_error": "provider_refused",
    "invalid_request_error": "provider_refused",
    "not_found_error": "provider_refused",
    "request_too_large": "provider_refused",
}

# A transport that broke; the SDKs let the last two pass unwrapped (https://github.com/pydantic/httpx2/issues/854).
_BROKEN = (httpx2.RequestError, ssl.SSLError, anyio.EndOfStream)
# Transport errors of a request that reached nobody: nothing was cut, and "refused" is a word for answers.
_UNSENT = (httpx2.ConnectError, httpx2.ProxyError, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)


def provider_error(exc: Exception, sdk: Sdk) -> ProviderError:
    """Say what `exc` means for the asker. The text is always ours: a vendor's may quote a key or the prompt."""
    if isinstance(exc, sdk.APIStatusError):
        return _by_body(exc.body, exc.status_code)
    if isinstance(exc, sdk.APITimeoutError | httpx2.TimeoutException):
        return _error("provider_timeout")
    if is_broken(exc, sdk):
        unsent = isinstance(exc, _UNSENT) or isinstance(exc.__cause__, _UNSENT)
        return _error("provider_error", _UNREACHABLE) if unsent else _error("provider_cut")
    if isinstance(exc, sdk.APIError):
        return _by_body(exc.body, None)
    return _error("provider_error", _UNREADABLE)


def is_broken(exc: Exception, sdk: Sdk) -> bool:
    """Whether the transport broke, by its own error or by a body that ends within a character."""
    half_character = isinstance(exc, UnicodeDecodeError) and exc.reason == "unexpected end of data"
    return half_character or isinstance(exc, (sdk.APIConnectionError, *_BROKEN))


def cut() -> ProviderError:
    """For a stream that ended in good order, but without the vendor's word that the answer is whole."""
    return _error("provider_cut")


def _by_body(body: object, status: int | None) -> ProviderError:
    kinds = _kinds(body)
    if "insufficient_quota" in kinds:
        # Waiting does not help, though it comes as a 429: someone has to pay.
        return ProviderError("provider_rate_limited", _QUOTA, retryable=False)
    if "context_length_exceeded" in kinds:
        return _error("provider_refused", _TOO_LONG)
    # Gemini answers a bad key by 400, and says so in the details only.
    if "API_KEY_INVALID" in str(body):
        return _error("provider_auth")
    if status is None or status < 400:
        code = next((_BY_KIND[kind] for kind in kinds if kind in _BY_KIND), None)
        # OpenRouter and vLLM put the status that they would have answered into the body.
        status = next((int(kind) for kind in kinds if kind.isdecimal() and len(kind) == 3), 500)
        return _error(code) if code else _by_status(status)
    return _by_status(status)


def _by_status(status: int) -> ProviderError:
    if status in (401, 403):
        return _error("provider_auth")
    if status == 429:
        return _error("provider_rate_limited")
    if status in (503, 529):
        return _error("provider_overloaded")
    if status in (408, 504):
        return _error("provider_timeout")
    if 400 <= status < 500:
        return _error("provider_refused", _REFUSED_BY_STATUS.get(status))
    return _error("provider_error")


def _kinds(body: object) -> list[str]:
    """The error's own code and type, with or without the envelope that Anthropic's SDK leaves around them."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return []
    return [str(inner[name]) for name in ("code", "type") if inner.get(name)]


def _error(code: str, text: str | None = None) -> ProviderError:
    return ProviderError(code, text or _TEXTS[code], retryable=code in _RETRYABLE)
