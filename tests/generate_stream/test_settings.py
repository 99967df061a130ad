"""The settings of both services: what the contract lists, each bad value named, no secret ever shown."""

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream.settings import Settings as GenerateSettings
from shared.redis_url import TAKES
from shared.settings import SettingError, Settings

Service = type[GenerateSettings] | type[ConsumeSettings]

SHARED = {
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "REJOIN_HOST": "127.0.0.1",
    "REJOIN_LEASE_S": "6",
    "REJOIN_CORS_ORIGINS": "",
    "REJOIN_AUTH": "none",
    "REJOIN_JWT_SECRET": "",
    "REJOIN_JWT_JWKS_URL": "",
    "REJOIN_JWT_ISSUER": "",
    "REJOIN_JWT_AUDIENCE": "",
    "REJOIN_JWT_LEEWAY_S": "10",
    "REJOIN_JWT_TENANT_CLAIM": "",
    "REJOIN_SHARE_SECRET": "",
    "REJOIN_TRUSTED_PROXIES": "",
    "REJOIN_LOG_LEVEL": "info",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "",
    "REJOIN_DOCTOR": "off",
}
GENERATE = SHARED | {
    "REJOIN_PORT": "8001",
    "REJOIN_TTL_S": "86400",
    "REJOIN_SWEEP_S": "2",
    "REJOIN_STALL_TIMEOUT_S": "120",
    "REJOIN_DRAIN_S": "30",
    "REJOIN_PROMPT_MAX_BYTES": "131072",
    "REJOIN_ANSWER_MAX_BYTES": "2097152",
    "REJOIN_HISTORY_MAX_BYTES": "1048576",
    "REJOIN_SESSION_GENERATIONS_MAX": "200",
    "REJOIN_RUNNING_MAX": "500",
    "REJOIN_OWNER_STARTS_PER_MINUTE": "0",
    "REJOIN_ADDRESS_STARTS_PER_MINUTE": "0",
    "REJOIN_OWNER_RUNNING_MAX": "0",
    "REJOIN_ADDRESS_RUNNING_MAX": "0",
    "REJOIN_OWNER_TOKENS_PER_DAY": "0",
    "REJOIN_ORPHAN_GRACE_S": "0",
    "REJOIN_ON_LOST_PRODUCER": "restart",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false",
}
VENDORS = [
    f"{vendor}_{what}" for vendor in ("OPENAI", "ANTHROPIC", "GEMINI") for what in ("API_KEY", "BASE_URL", "MODEL")
]
CONSUME = SHARED | {
    "REJOIN_PORT": "8002",
    "REJOIN_RECHECK_S": "5",
    "REJOIN_PING_S": "15",
    "REJOIN_SEND_TIMEOUT_S": "30",
    "REJOIN_BATCH_MAX": "500",
    "REJOIN_VIEWERS_MAX": "5000",
    "REJOIN_VIEWERS_PER_SESSION_MAX": "500",
    "REJOIN_OWNER_VIEWERS_MAX": "0",
}
"""Section 6 of the contract, and what logs and traces take: every variable, with its default as people read it."""

TABLES: list[tuple[Service, dict[str, str]]] = [
    (GenerateSettings, GENERATE | dict.fromkeys(VENDORS, "")),
    (ConsumeSettings, CONSUME),
]
SECONDS = [name for name in {**GENERATE, **CONSUME} if name.endswith("_S")]
COUNTS = [name for name in {**GENERATE, **CONSUME} if name.endswith(("_MAX", "_BYTES", "_PORT"))]
SECRETS = {
    "REDIS_URL": "redis://:hunter2@h",
    "OPENAI_API_KEY": "hunter2",
    "ANTHROPIC_API_KEY": "hunter2",
    "GEMINI_API_KEY": "hunter2",
    "REJOIN_JWT_SECRET": "hunter2" * 5,
    "REJOIN_SHARE_SECRET": "hunter2" * 5,
}
JWT = {"REJOIN_AUTH": "jwt", "REJOIN_JWT_ISSUER": "https://id.example", "REJOIN_JWT_AUDIENCE": "rejoin"}
"""Who may ask, but for what tokens are verified by."""

BY_SECRET = {"REJOIN_JWT_SECRET": "s" * 32}
BY_KEYS = {"REJOIN_JWT_JWKS_URL": "https://id.example/keys"}


def service_of(name: str) -> Service:
    return ConsumeSettings if name in CONSUME else GenerateSettings


def value_of(settings: Settings, name: str) -> Any:
    field = {row[0]: field.name for row, field in zip(settings.table(), dataclasses.fields(settings), strict=True)}[
        name
    ]
    return getattr(settings, field)


def refusal(service: Service, environ: Mapping[str, str]) -> str:
    with pytest.raises(SettingError) as raised:
        service.read(environ)
    return str(raised.value)


@pytest.mark.parametrize(("service", "wanted"), TABLES, ids=["generate", "consume"])
def test_the_table_has_every_variable_of_the_contract_and_its_default(service: Service, wanted: dict[str, str]) -> None:
    rows = service.table()
    assert {name: default for name, default, _, _ in rows} == wanted
    assert len(rows) == len(wanted)
    assert all(takes and help_text.endswith((".", "…")) for _, _, takes, help_text in rows)


@pytest.mark.parametrize(("service", "wanted"), TABLES, ids=["generate", "consume"])
def test_without_any_variable_there_are_the_defaults(service: Service, wanted: dict[str, str]) -> None:
    assert service.read({}) == service() == service.read(dict.fromkeys(wanted, " "))


@pytest.mark.parametrize(("service", "wanted"), TABLES, ids=["generate", "consume"])
def test_a_default_may_be_written_out(service: Service, wanted: dict[str, str]) -> None:
    assert service.read(wanted) == service()


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", ["-1", "a", "1s", "1,5", "nan", "inf", "1e99", "0x1", "31536001"])
def test_no_time_is_taken_that_is_none(name: str, value: str) -> None:
    message = refusal(service_of(name), {name: value})
    assert message.startswith(f"{name} {value!r} can't be used: it takes seconds from ")


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["-1", "a", "1.5", "1e3", "2147483649", "9" * 5000])
def test_no_count_is_taken_that_is_none(name: str, value: str) -> None:
    message = refusal(service_of(name), {name: value})
    assert message.startswith(f"{name} ")
    assert " can't be used: it takes a whole number from " in message


@pytest.mark.parametrize("name", SECONDS)
def test_a_time_may_be_a_fraction_and_have_blanks_around(name: str) -> None:
    assert value_of(service_of(name).read({name: " 2.5 "}), name) == 2.5


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_is_read(name: str) -> None:
    assert value_of(service_of(name).read({name: "77"}), name) == 77


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REJOIN_PORT", "65536"),
        ("REJOIN_BATCH_MAX", "0"),
        ("REJOIN_VIEWERS_MAX", "0"),
        ("REJOIN_RUNNING_MAX", "0"),
        ("REJOIN_LEASE_S", "0"),
        ("REJOIN_TTL_S", "0"),
        ("REJOIN_PING_S", "0"),
        ("REJOIN_ON_LOST_PRODUCER", "Restart"),
        ("REJOIN_ON_LOST_PRODUCER", "ignore"),
        ("REJOIN_LOG_LEVEL", "loud"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "perhaps"),
        ("REJOIN_CORS_ORIGINS", "*"),
        ("REJOIN_CORS_ORIGINS", "https://a.example, b.example"),
        ("REJOIN_CORS_ORIGINS", "https://a.example/"),
        ("REJOIN_CORS_ORIGINS", "https://"),
        ("REJOIN_CORS_ORIGINS", "https://*.example"),
        ("REJOIN_CORS_ORIGINS", "ftp://a.example"),
        ("REJOIN_TRUSTED_PROXIES", "*"),
        ("REJOIN_TRUSTED_PROXIES", "nginx"),
        ("REJOIN_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("REJOIN_TRUSTED_PROXIES", "10.0.0.0/8 192.168.0.0/16"),
    ],
)
def test_a_bad_value_is_named_with_what_the_variable_takes(name: str, value: str) -> None:
    service = service_of(name)
    takes = {row[0]: row[2] for row in service.table()}[name]
    assert refusal(service, {name: value}) == f"{name} {value!r} can't be used: it takes {takes}"


@pytest.mark.parametrize("service", [GenerateSettings, ConsumeSettings])
@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "http://user:hunter2@127.0.0.1",
        "redis://user:hunter2@127.0.0.1:port",
        "redis://user:hunter2@127.0.0.1?no_such_option=1",
        "redis://user:hunter2@127.0.0.1?socket_timeout=soon",
        "redis://user:hunter2@[127.0.0.1",
        "redis+sentinel://user:hunter2@127.0.0.1",
        "redis+sentinel://user:hunter2@127.0.0.1/service/zero",
        "redis+sentinel://user:hunter2@127.0.0.1/service?sentinel_nothing=1",
        "redis+cluster://user:hunter2@127.0.0.1:port",
        "redis+cluster://user:hunter2@127.0.0.1/1",
        "redis+cluster://user:hunter2@127.0.0.1,?no_such_option=1",
        "redis+other://user:hunter2@127.0.0.1",
    ],
)
def test_a_bad_redis_url_is_named_and_not_shown(service: Service, url: str) -> None:
    message = refusal(service, {"REDIS_URL": url})
    assert message == "REDIS_URL can't be used: it takes " + TAKES


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://:p%40ss@h:1/2", "rediss://u:p@h", "unix:///run/redis.sock", "redis://h?db=3"]
)
def test_a_good_redis_url_is_taken_as_it_is(url: str) -> None:
    assert ConsumeSettings.read({"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_read_and_never_shown(name: str) -> None:
    settings = GenerateSettings.read(JWT | BY_SECRET | {name: SECRETS[name]})
    assert value_of(settings, name) == SECRETS[name]
    assert "hunter2" not in f"{settings} {settings!r} {settings.providers!r} {settings.table()}"


@pytest.mark.parametrize("name", ["REJOIN_JWT_SECRET", "REJOIN_SHARE_SECRET"])
def test_a_secret_that_can_be_guessed_is_not_taken_and_not_shown(name: str) -> None:
    message = refusal(ConsumeSettings, {name: "hunter2" * 4})
    assert message == f"{name} can't be used: it takes text of at least 32 bytes"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (JWT, "REJOIN_AUTH jwt takes exactly one of REJOIN_JWT_SECRET and REJOIN_JWT_JWKS_URL"),
        (JWT | BY_SECRET | BY_KEYS, "REJOIN_AUTH jwt takes exactly one of REJOIN_JWT_SECRET and REJOIN_JWT_JWKS_URL"),
        (JWT | BY_KEYS | {"REJOIN_JWT_ISSUER": " "}, "REJOIN_AUTH jwt takes REJOIN_JWT_ISSUER, which is not set"),
        (JWT | BY_KEYS | {"REJOIN_JWT_AUDIENCE": ""}, "REJOIN_AUTH jwt takes REJOIN_JWT_AUDIENCE, which is not set"),
        *(
            ({name: value}, f"{name} can't be used with REJOIN_AUTH none: REJOIN_AUTH takes jwt for it")
            for name, value in {**JWT, **BY_SECRET, **BY_KEYS, "REJOIN_JWT_TENANT_CLAIM": "org"}.items()
            if name != "REJOIN_AUTH"
        ),
    ],
)
@pytest.mark.parametrize("service", [GenerateSettings, ConsumeSettings])
def test_what_can_not_work_together_is_named(service: Service, environ: dict[str, str], said: str) -> None:
    assert refusal(service, environ) == said


def test_share_links_are_signed_by_their_own_key() -> None:
    own, made = {"REJOIN_SHARE_SECRET": "x" * 32}, ConsumeSettings.read(JWT | BY_SECRET).share_key
    assert ConsumeSettings.read(own).share_key == ConsumeSettings.read(JWT | BY_SECRET | own).share_key == b"x" * 32
    assert made == GenerateSettings.read(JWT | BY_SECRET).share_key != BY_SECRET["REJOIN_JWT_SECRET"].encode()
    assert len(made) == 32
    assert ConsumeSettings.read({}).share_key == ConsumeSettings.read(JWT | BY_KEYS).share_key == b""


def test_origins_are_a_list() -> None:
    read = GenerateSettings.read({"REJOIN_CORS_ORIGINS": " https://a.example, http://127.0.0.1:8000 ,"})
    assert read.cors_origins == ("https://a.example", "http://127.0.0.1:8000")


def test_proxies_are_addresses_and_networks() -> None:
    read = GenerateSettings.read({"REJOIN_TRUSTED_PROXIES": " 127.0.0.1, ::1 ,10.0.0.0/8,::ffff:192.0.2.0/120,"})
    assert [str(each) for each in read.trusted_proxies] == ["127.0.0.1/32", "::1/128", "10.0.0.0/8", "192.0.2.0/24"]


ADDRESSES = [name for name in VENDORS if name.endswith("_URL")] + [
    *(name for name in SHARED if name.startswith("OTEL_")),
    "REJOIN_JWT_JWKS_URL",
]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "value",
    [
        "localhost:11434/v1", "127.0.0.1", "ftp://a.example", "http://", "https:///v1", "http://:80", "http://a b",
        "http://a.example:port", "http://a.example:70000", "http://a.example:0", "http://[::1", "http://[::1::]",
        "http://ex\u00e4mple", "http://a.example/\u2028v1", "http://a\tb", "https://a.example/v1\n/v2",
    ],
)  # fmt: skip
def test_no_address_is_taken_that_is_none(name: str, value: str) -> None:
    said = f"{name} {value!r} can't be used: it takes a URL such as https://example.com/v1"
    assert refusal(service_of(name), {name: value}) == said


@pytest.mark.parametrize(
    "value",
    ["http://127.0.0.1:11434/v1", "https://api.example.com", "http://[::1]:8080/v1/", "http://ollama:11434/v1?a=b"],
)
def test_an_address_is_taken_as_it_is(value: str) -> None:
    assert GenerateSettings.read({"OPENAI_BASE_URL": value}).openai_base_url == value


def test_a_bad_address_with_a_password_is_not_shown() -> None:
    message = refusal(GenerateSettings, {"OPENAI_BASE_URL": "http://user:hunter2@a.example:port"})
    assert message == "OPENAI_BASE_URL can't be used: it takes a URL such as https://example.com/v1"


@given(st.one_of(st.text(), st.text().map("http://{}".format), st.from_regex(r"https?://[!-~]+", fullmatch=True)))
def test_whatever_is_taken_for_an_address_is_one_to_the_sdks_too(value: str) -> None:
    with contextlib.suppress(SettingError):
        taken = GenerateSettings.read({"OPENAI_BASE_URL": value}).openai_base_url
        assert taken is None or httpx2.URL(taken).host


@pytest.mark.parametrize(("value", "wanted"), [("true", True), ("span_only", True), ("EVENT_ONLY", False)])
def test_content_is_captured_by_any_of_the_words_for_it(value: str, *, wanted: bool) -> None:
    name = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    assert GenerateSettings.read({name: value}).capture_content is wanted


def test_the_providers_get_what_the_environment_says_of_them() -> None:
    environ = {name: f"http://{name}" for name in VENDORS} | {"REJOIN_STALL_TIMEOUT_S": "7"}
    told = dataclasses.asdict(GenerateSettings.read(environ).providers)
    assert told == {name.lower(): environ[name] for name in VENDORS} | {"stall_timeout_s": 7.0}


def test_settings_can_not_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ConsumeSettings().port = 1  # type: ignore[misc]
