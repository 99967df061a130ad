"""Whom a request comes from: nobody writes himself another address, and a quota is for whoever owns the address."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.address import client_address, network, subject

INSIDE = (network("10.0.0.0/8"), network("127.0.0.1"), network("fd00::/8"))
ADDRESSES = st.ip_addresses().map(str)
TRUSTED = st.one_of(
    st.ip_addresses(v=4, network="10.0.0.0/8"), st.ip_addresses(v=6, network="fd00::/8"), st.just("127.0.0.1")
).map(str)
STRANGERS = ADDRESSES.filter(lambda text: not any(plain(text) in each for each in INSIDE))
GARBAGE = st.sampled_from(
    ["", "unknown", "_hidden", "a.b.c.d", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4%a", "1.2.3.4:", "1.2.3.4:x",
     "01.2.3.4", "١.2.3.4", "1.2.3.4 5", "[1.2.3.4]x", "::g", "[::1", "::1]"]
)  # fmt: skip


def plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address, of IPv4 where it is one in IPv6's clothes."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


@st.composite
def spelled(draw: st.DrawFn, addresses: st.SearchStrategy[str]) -> tuple[str, str]:
    """An address, and one of the ways in which proxies write it."""
    address = draw(addresses)
    port = draw(st.sampled_from(["", ":1", ":65535"]))
    blank = draw(st.sampled_from(["", " ", "\t"]))
    if ":" in address:
        return address, blank + (f"[{address}]{port}" if port or draw(st.booleans()) else address) + blank
    mapped = draw(st.sampled_from(["", "::ffff:"]))
    return address, blank + (f"[{mapped}{address}]{port}" if mapped and port else f"{mapped}{address}{port}") + blank


def scope(peer: str, *lines: str) -> dict[str, Any]:
    headers = [(b"host", b"rejoin"), *((b"x-forwarded-for", line.encode("latin-1", "replace")) for line in lines)]
    return {"client": (peer, 1234), "headers": headers}


def lines_of(hops: list[str], cuts: list[bool]) -> list[str]:
    """The same hops in one header or in several."""
    lines = [hops[0]] if hops else []
    for hop, cut in zip(hops[1:], cuts, strict=False):
        if cut:
            lines.append(hop)
        else:
            lines[-1] += f",{hop}"
    return lines


@given(peer=STRANGERS, said=st.text(st.characters(max_codepoint=255)))
def test_who_is_no_proxy_is_believed_nothing(peer: str, said: str) -> None:
    assert client_address(scope(peer, said), INSIDE) == str(plain(peer))
    assert client_address(scope(peer, said), ()) == str(plain(peer))


@given(
    client=spelled(STRANGERS),
    hops=st.lists(spelled(TRUSTED), max_size=4),
    peer=TRUSTED,
    forged=st.lists(spelled(ADDRESSES).map(lambda pair: pair[1]) | GARBAGE, max_size=4),
    cuts=st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_the_client_is_the_last_who_is_no_proxy_whatever_stands_before(
    client: tuple[str, str], hops: list[tuple[str, str]], peer: str, forged: list[str], cuts: list[bool]
) -> None:
    said = [*forged, client[1], *(written for _, written in hops)]
    assert client_address(scope(peer, *lines_of(said, cuts)), INSIDE) == str(plain(client[0]))


@given(garbage=GARBAGE, hops=st.lists(spelled(TRUSTED), max_size=4), peer=TRUSTED, client=ADDRESSES)
def test_what_is_no_address_ends_the_walk_at_the_last_good_hop(
    garbage: str, hops: list[tuple[str, str]], peer: str, client: str
) -> None:
    said = ",".join([client, garbage, *(written for _, written in hops)])
    assert client_address(scope(peer, said), INSIDE) == str(plain(hops[0][0] if hops else peer))


@given(hops=st.lists(spelled(TRUSTED), min_size=1, max_size=4), peer=TRUSTED)
def test_where_all_are_proxies_it_is_the_first_of_them(hops: list[tuple[str, str]], peer: str) -> None:
    assert client_address(scope(peer, ",".join(written for _, written in hops)), INSIDE) == str(plain(hops[0][0]))
    assert client_address(scope(peer), INSIDE) == str(plain(peer))


def test_a_peer_without_an_address_has_none() -> None:
    assert client_address({"client": None, "headers": [(b"x-forwarded-for", b"192.0.2.1")]}, INSIDE) == ""
    assert subject("") == ""


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_a_quota_is_for_an_address_or_a_customers_network(address: str, wanted: str) -> None:
    assert subject(address) == wanted


@given(bits=st.integers(0, 2**64 - 1), customer=st.integers(2**61, 2**64 - 1))
def test_no_address_of_a_customers_network_has_a_quota_of_its_own(bits: int, customer: int) -> None:
    first = ipaddress.IPv6Address(customer << 64)
    assert subject(str(ipaddress.IPv6Address(int(first) | bits))) == subject(str(first)) == f"{first}/64"
