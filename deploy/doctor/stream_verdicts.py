"""Verdicts on the stream as it came through the chain of proxies. Pure."""

from collections.abc import Iterator

from deploy.doctor import mends
from deploy.doctor.facts import Answer, Chain, Heard
from shared.findings import Finding

_LATE_MS = 1000.0
_CLUMPED = 0.5
_LOOPBACK = ("localhost", "127.", "[::1]")


def protocol(chain: Chain) -> Finding:
    """What browsers speak with it."""
    if chain.alpn == "h2":
        return Finding("protocol", "ok", "HTTP/2: any number of tabs on one connection")
    six = "a browser opens six connections to it at most, the seventh conversation waits for ever"
    if chain.alpn is not None:
        return Finding("protocol", "warning", f"HTTP/1.1 only: {six}", mends.HTTP_2)
    if chain.url.partition("://")[2].startswith(_LOOPBACK):
        seen = "HTTP/2: browsers speak it over TLS alone, and this is a plain address of this machine"
        return Finding("protocol", "unchecked", seen)
    return Finding("protocol", "warning", f"no TLS, and so HTTP/1.1 only: {six}", mends.TLS)


def upstream(report: Answer) -> Finding:
    """What the proxy speaks with consume-stream."""
    version = (report.body or {}).get("httpVersion")
    if version == "1.0":
        seen = "the proxy asks by HTTP/1.0, where the end of a connection is the end of an answer"
        return Finding("proxy to consume-stream", "warning", seen, mends.HTTP_1_1_UPSTREAM)
    return Finding("proxy to consume-stream", "ok", f"consume-stream is asked by HTTP/{version}")


def passage(chain: Chain) -> Iterator[Finding]:
    """Whether words pass as they are written."""
    if chain.live is not None:
        yield _buffering(chain.live)
    if chain.as_browsers is None:
        return
    if chain.as_browsers.encoding:
        seen = f"the stream is compressed ({chain.as_browsers.encoding}): words wait in the compressor"
        yield Finding("compression", "problem", seen, mends.COMPRESSION)
    elif chain.as_browsers.status == 200:
        yield Finding("compression", "ok", "none, though it was offered")


def _buffering(heard: Heard) -> Finding:
    count = len(heard.beacons)
    if heard.status == 429:
        return Finding("buffering", "unchecked", "others examine it at this moment; try again")
    if heard.status not in (0, 200) or (heard.media_type and heard.media_type != "text/event-stream"):
        seen = f"the stream of beacons came as {heard.status} {heard.media_type}"
        return Finding("buffering", "problem", seen, mends.SPLIT_CONSUME)
    if count < 2:
        seen = f"{count} beacons came within {heard.lasted_s:.1f} s: {heard.cause or 'something holds them back'}"
        return Finding("buffering", "problem", seen, mends.BUFFERING)
    late_ms, clumped = lateness_ms(heard), clumps(heard)
    seen = f"of {count} beacons {clumped} came together with the one before; the latest was {late_ms:.0f} ms late"
    if clumped >= _CLUMPED * (count - 1):
        return Finding("buffering", "problem", seen, mends.BUFFERING)
    return Finding("buffering", "warning" if late_ms > _LATE_MS else "ok", seen)


def lateness_ms(heard: Heard) -> float:
    """By how much longer the slowest beacon was on its way than the quickest: no clock has to be right for that."""
    took = [beacon.here_ms - beacon.sent_ms for beacon in heard.beacons]
    return max(took) - min(took)


def clumps(heard: Heard) -> int:
    """How many came together with the one before, though they were not sent together."""
    pairs = zip(heard.beacons, heard.beacons[1:], strict=False)
    return sum(after.here_ms - one.here_ms < (after.sent_ms - one.sent_ms) / 4 for one, after in pairs)


def idle(chain: Chain) -> Finding:
    """Whether a quiet stream stands until its next sign of life."""
    heard, ping_s = chain.quiet, float((chain.consume.body or {}).get("pingS", 0))
    name = "idle cut-off"
    if heard is None:
        seen = f"it takes {chain.quiet_wanted_s:g} s, a sign of life comes every {ping_s:g} s: give more --seconds"
        return Finding(name, "unchecked", seen)
    if heard.is_whole:
        return Finding(name, "ok", f"a stream stood for {heard.lasted_s:.1f} s with a sign of life every {ping_s:g} s")
    if heard.status != 200:
        return Finding(name, "unchecked", f"the stream of beacons came as {heard.status}: {heard.cause}")
    if heard.silent_s < ping_s / 2 and heard.lasted_s > ping_s:
        seen = f"a stream was cut after {heard.lasted_s:.1f} s, {heard.silent_s:.1f} s after the last byte"
    else:
        seen = f"a stream is cut after {heard.silent_s:.1f} s of silence; a sign of life comes every {ping_s:g} s"
    return Finding(name, "problem", seen, mends.idle(heard.silent_s))
