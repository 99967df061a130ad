"""Settings: read once from the environment into a frozen value, each with its unit, its bounds and its help."""

import dataclasses
import hmac
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from shared import redis_url as urls
from shared.access.address import Network, network

_T = TypeVar("_T")
_META = "setting"
_ORIGIN = re.compile(r"https?://[^/?#@\s*]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_PRINTABLE = re.compile(r"[!-~]+")
_SECRET_MIN_BYTES = 32


class SettingError(Exception):
    """A variable holds what it can't; the text names it and says what it takes."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """How the text of a variable is read, and how to say what it takes."""

    takes: str
    read: Callable[[str], Any]
    says: Mapping[bool, str] = dataclasses.field(default_factory=lambda: {True: "on", False: "off"})
    """What yes and no are called, where it takes these."""


@dataclasses.dataclass(frozen=True)
class _Variable:
    name: str
    kind: Kind
    help: str
    secret: bool


def seconds(minimum: float = 0.001, maximum: float = 31_536_000) -> Kind:
    """A time in seconds, fractions allowed."""

    def read(text: str) -> float:
        value = float(text)
        if not minimum <= value <= maximum:
            raise ValueError
        return value

    return Kind(f"seconds from {minimum:g} to {maximum:.12g}", read)


def count(minimum: int = 1, maximum: int = 2**31) -> Kind:
    """A whole number."""

    def read(text: str) -> int:
        value = int(text)
        if not minimum <= value <= maximum:
            raise ValueError
        return value

    return Kind(f"a whole number from {minimum} to {maximum}", read)


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return Kind(f"{', '.join(choices[:-1])} or {choices[-1]}", read)


def switch() -> Kind:
    """On or off."""

    def read(text: str) -> bool:
        if text not in ("on", "off"):
            raise ValueError
        return text == "on"

    return Kind("on or off", read)


def redis_url() -> Kind:
    """Where Redis is."""

    def read(text: str) -> str:
        urls.redis_at(text, "rejoin")
        return text

    return Kind(urls.TAKES, read)


def url() -> Kind:
    """The address of an HTTP server, with a path or without. A name that is not ASCII comes as its punycode."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        host = parts.hostname or ""
        if ":" in host:
            ipaddress.IPv6Address(host)
        elif not _HOST.fullmatch(host):
            raise ValueError
        # A port that is none raises where it is read.
        if parts.scheme not in ("http", "https") or parts.port == 0 or not _PRINTABLE.fullmatch(text):
            raise ValueError
        return text

    return Kind("a URL such as https://example.com/v1", read)


def origins() -> Kind:
    """Web origins, separated by commas, without a path."""

    def read(text: str) -> tuple[str, ...]:
        values = tuple(value.strip() for value in text.split(",") if value.strip())
        if not all(map(_ORIGIN.fullmatch, values)):
            raise ValueError
        return values

    return Kind("origins such as https://chat.example.com, separated by commas", read)


def networks() -> Kind:
    """Addresses and networks, separated by commas."""

    def read(text: str) -> tuple[Network, ...]:
        return tuple(network(value.strip()) for value in text.split(",") if value.strip())

    return Kind("addresses and networks such as 10.0.0.0/8, separated by commas", read)


def captured() -> Kind:
    """Whether to record what was said, in the words that OpenTelemetry's own instrumentations take. Only spans are
    made here, so that events alone are nothing.
    """
    words = {"true": True, "false": False, "no_content": False, "event_only": False}
    words |= {"span_only": True, "span_and_event": True}

    def read(text: str) -> bool:
        if text.lower() not in words:
            raise ValueError
        return words[text.lower()]

    return Kind(
        "true, false, NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT", read, {True: "true", False: "false"}
    )


def secret() -> Kind:
    """What signs or verifies: as long as what HS256 makes of it, so that it can't be guessed."""

    def read(text: str) -> str:
        if len(text.encode()) < _SECRET_MIN_BYTES:
            raise ValueError
        return text

    return Kind(f"text of at least {_SECRET_MIN_BYTES} bytes", read)


TEXT = Kind("text", str)


def variable(name: str, kind: Kind, default: _T, help_text: str, *, secret: bool = False) -> _T:
    """Declare a field of a settings class. An unset or empty variable means the default."""
    metadata = {_META: _Variable(name, kind, help_text, secret)}
    return dataclasses.field(default=default, metadata=metadata, repr=not secret)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What both services read."""

    redis_url: str = variable("REDIS_URL", redis_url(), "redis://127.0.0.1:6379/0", "Where Redis is.", secret=True)
    host: str = variable("REJOIN_HOST", TEXT, "127.0.0.1", "The address to listen on.")
    port: int = variable("REJOIN_PORT", count(0, 65_535), 0, "The port to listen on.")
    lease_s: float = variable(
        "REJOIN_LEASE_S",
        seconds(0.1, 3600),
        6.0,
        "How long a silent producer lives; the same everywhere.",
    )
    cors_origins: tuple[str, ...] = variable(
        "REJOIN_CORS_ORIGINS", origins(), (), "Other web origins whose pages may call this service."
    )
    auth: str = variable(
        "REJOIN_AUTH",
        one_of("none", "jwt"),
        "none",
        "Who may ask: anybody, or who brings a token that is signed (JWT).",
    )
    jwt_secret: str | None = variable("REJOIN_JWT_SECRET", secret(), None, "Verifies tokens by HS256.", secret=True)
    jwt_jwks_url: str | None = variable(
        "REJOIN_JWT_JWKS_URL", url(), None, "Verifies tokens by RS256 and ES256: where their issuer's keys are (JWKS)."
    )
    jwt_issuer: str | None = variable("REJOIN_JWT_ISSUER", TEXT, None, "The `iss` that tokens must have.")
    jwt_audience: str | None = variable("REJOIN_JWT_AUDIENCE", TEXT, None, "The `aud` that tokens must have.")
    jwt_leeway_s: float = variable(
        "REJOIN_JWT_LEEWAY_S", seconds(0, 300), 10.0, "How far the issuer's clock may be from this one."
    )
    jwt_tenant_claim: str | None = variable(
        "REJOIN_JWT_TENANT_CLAIM", TEXT, None, "The claim that tells apart tenants whose `sub` may be the same."
    )
    share_secret: str | None = variable(
        "REJOIN_SHARE_SECRET", secret(), None, "Signs share links; unset: made of REJOIN_JWT_SECRET.", secret=True
    )

    @property
    def share_key(self) -> bytes:
        """What signs share links; empty where there are none."""
        if self.share_secret:
            return self.share_secret.encode()
        # By another key than tokens, so that neither is ever taken for the other.
        return hmac.digest(self.jwt_secret.encode(), b"rejoin-share", "sha256") if self.jwt_secret else b""

    trusted_proxies: tuple[Network, ...] = variable(
        "REJOIN_TRUSTED_PROXIES",
        networks(),
        (),
        "Whose `X-Forwarded-For` is believed: the proxies in front, and nobody else.",
    )
    log_level: str = variable(
        "REJOIN_LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info", "The least that is logged."
    )
    otlp_endpoint: str | None = variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT", url(), None, "Turns traces on: a collector of OTLP over HTTP, without its path."
    )
    otlp_traces_endpoint: str | None = variable(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url(), None, "The same for traces alone, with the path."
    )

    @property
    def traced(self) -> bool:
        """Whether there is somebody to send traces to."""
        return bool(self.otlp_traces_endpoint or self.otlp_endpoint)

    doctor: bool = variable(
        "REJOIN_DOCTOR", switch(), False, "Whether `python -m deploy.doctor` and `/doctor` may examine it."
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment. Raises SettingError for the first value that can't be taken, or not with the others."""
        values = {}
        for name, variable_ in cls._variables():
            text = environ.get(variable_.name, "").strip()
            if text:
                values[name] = _value(variable_, text)
        settings = cls(**values)
        settings._check_auth()
        return settings

    def _check_auth(self) -> None:
        needed = {"REJOIN_JWT_ISSUER": self.jwt_issuer, "REJOIN_JWT_AUDIENCE": self.jwt_audience}
        keys = {"REJOIN_JWT_SECRET": self.jwt_secret, "REJOIN_JWT_JWKS_URL": self.jwt_jwks_url}
        if self.auth == "none":
            # Who sets one of these means tokens to be asked for: to ignore it would leave the door open.
            for name, value in {**keys, **needed, "REJOIN_JWT_TENANT_CLAIM": self.jwt_tenant_claim}.items():
                if value:
                    raise SettingError(f"{name} can't be used with REJOIN_AUTH none: REJOIN_AUTH takes jwt for it")
            return
        if len([value for value in keys.values() if value]) != 1:
            raise SettingError(f"REJOIN_AUTH jwt takes exactly one of {' and '.join(keys)}")
        for name, value in needed.items():
            if not value:
                raise SettingError(f"REJOIN_AUTH jwt takes {name}, which is not set")

    @classmethod
    def table(cls) -> list[tuple[str, str, str, str]]:
        """The settings as rows for people: variable, default, what it takes, what it is."""
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        return [
            (variable_.name, _shown(variable_.kind, defaults[name]), variable_.kind.takes, variable_.help)
            for name, variable_ in cls._variables()
        ]

    @classmethod
    def _variables(cls) -> list[tuple[str, _Variable]]:
        return [(field.name, field.metadata[_META]) for field in dataclasses.fields(cls) if field.metadata]


def _value(variable_: _Variable, text: str) -> Any:
    try:
        return variable_.kind.read(text)
    except ValueError:
        # What stands before an @ in an address may be a password.
        shown = "" if variable_.secret or "@" in text else f" {text!r}"
        raise SettingError(f"{variable_.name}{shown} can't be used: it takes {variable_.kind.takes}") from None


def _shown(kind: Kind, default: Any) -> str:
    if default in ((), None, ""):
        return ""
    if isinstance(default, bool):
        return kind.says[default]
    return f"{default:g}" if isinstance(default, float) else str(default)
