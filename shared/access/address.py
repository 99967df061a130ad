"""The address that a request comes from, as far as those who handed it on are believed."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOP = re.compile(r"\[(?P<bracketed>[^\]]*)\](?::\d{1,5})?|(?P<v4>[^:]*):\d{1,5}|(?P<bare>.*)")
_HOST_BITS = 64
"""Of an IPv6 address these are the customer's own to choose."""


def client_address(scope: Mapping[str, Any], trusted: Sequence[Network]) -> str:
    """Who asks: the peer; or, where a trusted proxy is the peer, whom it names, and so on from hop to hop.

    What is no address ends the walk, and so does a hop that is not trusted: what stands before it anybody may have
    written. Empty for a peer without an address.
    """
    peer = scope.get("client")
    address = _parsed(peer[0]) if peer else None
    if address is None:
        return ""
    said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    hops = said.decode("latin-1").split(",")
    while hops and any(address in network for network in trusted):
        before = _parsed(hops.pop())
        if before is None:
            break
        address = before
    return str(address)


def subject(address: str) -> str:
    """Whom a quota is for: an IPv4 address, or the /64 of an IPv6 address, whose owner may take any address in it."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed) >> _HOST_BITS << _HOST_BITS, 128 - _HOST_BITS)))
    return address


def network(text: str) -> Network:
    """An address or a network, of IPv4 in either spelling. Raises ValueError."""
    read = ipaddress.ip_network(text)
    if isinstance(read, ipaddress.IPv6Network) and (mapped := read.network_address.ipv4_mapped):
        return ipaddress.IPv4Network((mapped, max(read.prefixlen - 96, 0)))
    return read


def _parsed(hop: str) -> Address | None:
    match = _HOP.fullmatch(hop.strip(" \t"))
    if not match:
        return None
    try:
        address = ipaddress.ip_address(next(group for group in match.groups() if group is not None))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    # Without the zone, which means something on its own machine alone.
    return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
