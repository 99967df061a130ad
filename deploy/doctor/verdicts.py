"""Verdicts on the chain of proxies: what was seen becomes findings. Pure."""

from collections.abc import Iterator
from typing import Any

from deploy.doctor import mends
from deploy.doctor.facts import Answer, Chain, Heard
from shared.findings import Finding, from_json
from shared.redis_verdicts import clock

_LATE_MS = 1000.0
_CLUMPED = 0.5
_DATE_STEP_MS = 1000.0
_LOOPBACK = ("localhost", "127.", "[::1]")


def findings(chain: Chain) -> list[Finding]:
    """All that can be said, in the order of the way from the reader to Redis."""
    found = [_consume_route(chain), _generate_route(chain)]
    if all(answer.status == 0 for answer in (chain.consume_route, chain.generate_route)):
        return found[:1]
    found.append(_protocol(chain))
    if chain.consume.status == 200:
        found += [_upstream(chain.consume), *_stream(chain), _idle(chain), *_clocks(chain)]
    else:
        seen = "buffering, compression, idle cut-off and clocks: the doctor of consume-stream does not answer"
        found.append(Finding("the stream", "unchecked", seen))
    return [*found, *_reports(chain), _asked(chain)]


def exit_code(found: list[Finding]) -> int:
    """2 with a problem, 1 with a warning, else 0."""
    states = {finding.state for finding in found}
    return 2 if "problem" in states else 1 if "warning" in states else 0


def _consume_route(chain: Chain) -> Finding:
    answer = chain.consume_route
    if answer.status == 0:
        return Finding("reach", "problem", f"{chain.url} is out of reach: {answer.cause}")
    if answer.code != "invalid_session_id":
        seen = f"/api/consume-stream does not reach consume-stream: {_said(answer)}"
        return Finding("route to consume-stream", "problem", seen, mends.SPLIT_CONSUME)
    return Finding("route to consume-stream", "ok", "/api/consume-stream reaches it")


def _generate_route(chain: Chain) -> Finding:
    if "providers" not in (chain.generate_route.body or {}):
        seen = f"/api/models does not reach generate-stream: {_said(chain.generate_route)}"
        return Finding("route to generate-stream", "problem", seen, mends.SPLIT_GENERATE)
    return Finding("route to generate-stream", "ok", "/api/models reaches it")


def _protocol(chain: Chain) -> Finding:
    if chain.alpn == "h2":
        return Finding("protocol", "ok", "HTTP/2: any number of tabs on one connection")
    six = "a browser opens six connections to it at most, the seventh conversation waits for ever"
    if chain.alpn is not None:
        return Finding("protocol", "warning", f"HTTP/1.1 only: {six}", mends.HTTP_2)
    if chain.url.partition("://")[2].startswith(_LOOPBACK):
        seen = "HTTP/2: browsers speak it over TLS alone, and this is a plain address of this machine"
        return Finding("protocol", "unchecked", seen)
    return Finding("protocol", "warning", f"no TLS, and so HTTP/1.1 only: {six}", mends.TLS)


def _upstream(report: Answer) -> Finding:
    version = (report.body or {}).get("httpVersion")
    if version == "1.0":
        seen = "the proxy asks by HTTP/1.0, where the end of a connection is the end of an answer"
        return Finding("proxy to consume-stream", "warning", seen, mends.HTTP_1_1_UPSTREAM)
    return Finding("proxy to consume-stream", "ok", f"consume-stream is asked by HTTP/{version}")


def _stream(chain: Chain) -> Iterator[Finding]:
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


def _idle(chain: Chain) -> Finding:
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


def _clocks(chain: Chain) -> Iterator[Finding]:
    for name, answer in (("consume-stream", chain.consume), ("generate-stream", chain.generate)):
        now_ms = (answer.body or {}).get("nowMs")
        middle_ms, half_ms = (answer.asked_ms + answer.answered_ms) / 2, (answer.answered_ms - answer.asked_ms) / 2
        if isinstance(now_ms, float | int):
            yield clock(f"clock of {name}", "this machine's", now_ms - answer.answered_ms, 2 * half_ms)
    if (date_ms := chain.consume.date_ms) is not None:
        # It is the whole second that has begun.
        ahead_ms = date_ms + _DATE_STEP_MS / 2 - middle_ms
        yield clock("clock of the proxy (Date)", "this machine's", ahead_ms, half_ms + _DATE_STEP_MS / 2)


def _reports(chain: Chain) -> list[Finding]:
    """What the services say of Redis; what both say alike once."""
    by_finding: dict[Finding, list[str]] = {}
    found = []
    for name, answer in (("consume-stream", chain.consume), ("generate-stream", chain.generate)):
        if answer.status != 200:
            found.append(_no_report(name, answer))
        for told in _told(answer.body or {}):
            by_finding.setdefault(told, []).append(name)
    for told, by in by_finding.items():
        found.append(told if len(by) > 1 else told._replace(check=f"{told.check} ({by[0]})"))
    return found


def _told(report: dict[str, Any]) -> list[Finding]:
    return [from_json(told) for told in report.get("findings", [])]


def _no_report(name: str, answer: Answer) -> Finding:
    if answer.code == "not_found":
        return Finding(f"doctor of {name}", "problem", "it is off, or the path leads elsewhere (404)", mends.DOCTOR_ON)
    split = mends.SPLIT_CONSUME if name == "consume-stream" else mends.SPLIT_GENERATE
    return Finding(f"doctor of {name}", "problem", f"it gave no report: {_said(answer)}", split)


def _asked(chain: Chain) -> Finding:
    asked, name = chain.asked, "an answer"
    if isinstance(asked, str):
        return Finding(name, "unchecked", asked)
    if asked.status != "completed":
        return Finding(name, "problem", f"it did not come through: {asked.status}")
    first = f"{asked.first_word_ms:.0f} ms" if asked.first_word_ms is not None else "no word"
    seen = f"the demo's came through: {asked.chunks} frames, the first after {first}"
    return Finding(
        name, "ok" if asked.is_exact else "problem", seen if asked.is_exact else f"{seen}; words are missing"
    )


def _said(answer: Answer) -> str:
    return answer.code or answer.cause or f"status {answer.status}, not of Rejoin"
