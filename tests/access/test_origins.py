"""Origins: whose pages may have a browser change something, whatever the spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from shared.access.origins import Origin, Origins
from tests.shared.strategies import bounded

ORIGINS = Origins(("https://friend.example", "http://127.0.0.1:5173"))
OWN, OTHER = True, False

CASES: list[tuple[dict[str, str], bool]] = [
    # No page at all: programs say neither.
    ({}, OWN),
    # Older browsers: the Origin alone.
    ({"origin": "http://chat.example", "host": "chat.example"}, OWN),
    ({"origin": "http://chat.example", "host": "chat.example:80"}, OWN),
    ({"origin": "https://chat.example", "host": "chat.example:443"}, OWN),
    ({"origin": "https://chat.example", "host": "chat.example"}, OWN),
    ({"origin": "https://chat.example:8443", "host": "chat.example:8443"}, OWN),
    ({"origin": "HTTPS://Chat.Example", "host": "chat.EXAMPLE"}, OWN),
    ({"origin": "http://[::1]:8000", "host": "[::1]:8000"}, OWN),
    ({"origin": "http://[2001:DB8::1]", "host": "[2001:db8::1]:80"}, OWN),
    ({"origin": "https://chat.example", "host": "chat.example:80"}, OTHER),
    ({"origin": "http://chat.example", "host": "chat.example:443"}, OTHER),
    ({"origin": "http://chat.example:8000", "host": "chat.example"}, OTHER),
    ({"origin": "http://chat.example", "host": "chat.example:8000"}, OTHER),
    ({"origin": "http://evil.example", "host": "chat.example"}, OTHER),
    ({"origin": "http://chat.example.evil.example", "host": "chat.example"}, OTHER),
    ({"origin": "http://evilchat.example", "host": "chat.example"}, OTHER),
    ({"origin": "http://sub.chat.example", "host": "chat.example"}, OTHER),
    ({"origin": "http://chat.example@evil.example", "host": "evil.example"}, OTHER),
    ({"origin": "http://evil.example/chat.example", "host": "chat.example"}, OTHER),
    ({"origin": "http://chat.example/", "host": "chat.example"}, OTHER),
    ({"origin": "http://chat.example http://evil.example", "host": "chat.example"}, OTHER),
    ({"origin": "null", "host": "chat.example"}, OTHER),
    ({"origin": "null", "host": "null"}, OTHER),
    ({"origin": "", "host": "chat.example"}, OTHER),
    ({"origin": "", "host": ""}, OTHER),
    ({"origin": "http://", "host": ""}, OTHER),
    ({"origin": "file://", "host": "chat.example"}, OTHER),
    ({"origin": "ftp://chat.example", "host": "chat.example"}, OTHER),
    ({"origin": "chat.example", "host": "chat.example"}, OTHER),
    ({"origin": "http://chat.example"}, OTHER),
    ({"origin": "http://::1", "host": "::1"}, OTHER),
    ({"origin": "http://chat.example:99999999", "host": "chat.example"}, OTHER),
    # Whom the settings name.
    ({"origin": "https://friend.example", "host": "chat.example"}, OWN),
    ({"origin": "https://friend.example", "host": "chat.example", "sec-fetch-site": "cross-site"}, OWN),
    ({"origin": "http://127.0.0.1:5173", "host": "127.0.0.1:8000", "sec-fetch-site": "same-site"}, OWN),
    ({"origin": "http://friend.example", "host": "chat.example"}, OTHER),
    ({"origin": "https://friend.example:444", "host": "chat.example"}, OTHER),
    ({"origin": "https://sub.friend.example", "host": "chat.example"}, OTHER),
    # Today's browsers: how the page stands to us, too.
    ({"origin": "https://chat.example", "host": "chat.example", "sec-fetch-site": "same-origin"}, OWN),
    ({"origin": "http://chat.example", "host": "chat.example", "sec-fetch-site": "cross-site"}, OTHER),
    ({"origin": "http://chat.example", "host": "chat.example", "sec-fetch-site": "same-site"}, OTHER),
    ({"origin": "http://evil.example", "host": "chat.example", "sec-fetch-site": "same-origin"}, OTHER),
    ({"host": "chat.example", "sec-fetch-site": "same-origin"}, OWN),
    ({"host": "chat.example", "sec-fetch-site": "none"}, OWN),
    ({"host": "chat.example", "sec-fetch-site": "Same-Origin"}, OWN),
    ({"host": "chat.example", "sec-fetch-site": "same-site"}, OTHER),
    ({"host": "chat.example", "sec-fetch-site": "cross-site"}, OTHER),
    ({"host": "chat.example", "sec-fetch-site": "whatever comes next"}, OTHER),
]


@pytest.mark.parametrize(("headers", "wanted"), CASES)
def test_whose_page_may_change_something(headers: dict[str, str], *, wanted: bool) -> None:
    assert ORIGINS.allows(Headers(headers)) is wanted


@pytest.mark.parametrize("first", ["http://chat.example", "http://evil.example"])
def test_two_origins_are_none(first: str) -> None:
    raw = [(b"host", b"chat.example"), (b"origin", first.encode()), (b"origin", b"http://chat.example")]
    assert not ORIGINS.allows(Headers(raw=raw))


HOSTS = st.from_regex(r"[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){0,3}|\[[0-9a-f:]{2,20}\]", fullmatch=True)
PORTS = st.none() | st.integers(1, 65_535)


@bounded
@given(st.sampled_from(["http", "https"]), HOSTS, PORTS, HOSTS, PORTS)
def test_a_page_is_ours_if_and_only_if_its_host_and_port_are(
    scheme: str, host: str, port: int | None, asked: str, asked_port: int | None
) -> None:
    default = {"http": 80, "https": 443}[scheme]
    headers = {"origin": f"{scheme}://{_with(host, port)}", "host": _with(asked, asked_port)}
    same = (host, port or default) == (asked, asked_port or default)
    assert Origins().allows(Headers(headers)) is same
    assert Origins().allows(Headers({**headers, "host": _with(host.upper(), port or default)}))


@bounded
@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_whatever_comes_is_an_origin_or_is_none(origin: str, host: str) -> None:
    raw = [(b"host", host.encode("latin-1")), (b"origin", origin.encode("latin-1"))]
    assert not Origins().allows(Headers(raw=raw)) or Origin.read(origin)


def _with(host: str, port: int | None) -> str:
    return f"{host}:{port}" if port else host
