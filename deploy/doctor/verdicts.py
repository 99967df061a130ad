"""Verdicts: what was seen of one address becomes findings, in the order of the way from the reader to Redis. Pure."""

from collections.abc import Iterator
from typing import Any

from deploy.doctor import mends
from deploy.doctor.facts import Answer, Chain
from deploy.doctor.stream_verdicts import idle, passage, protocol, upstream
from shared.findings import Finding, from_json
from shared.redis_verdicts import clock

_DATE_STEP_MS = 1000.0


def findings(chain: Chain) -> list[Finding]:
    """All that can be said."""
    found = [_consume_route(chain), _generate_route(chain)]
    if all(answer.status == 0 for answer in (chain.consume_route, chain.generate_route)):
        return found[:1]
    found.append(protocol(chain))
    if chain.consume.is_report:
        found += [upstream(chain.consume), *passage(chain), idle(chain), *_clocks(chain)]
    else:
        seen = "buffering, compression, idle cut-off and clocks: the doctor of consume-stream does not answer"
        found.append(Finding("the stream", "unchecked", seen))
    return [*found, *_reports(chain), _asked(chain)]


def exit_code(found: list[Finding]) -> int:
    """2 with a problem, 1 with a warning, else 0."""
    states = {finding.state for finding in found}
    return 2 if "problem" in states else 1 if "warning" in states else 0


_WHO_ASKS = ("token_missing", "token_invalid", "token_expired")


def _consume_route(chain: Chain) -> Finding:
    answer = chain.consume_route
    if answer.status == 0:
        return Finding("reach", "problem", f"{chain.url} is out of reach: {answer.cause}")
    if answer.code != "invalid_session_id":
        seen = f"/api/consume-stream does not reach consume-stream: {_said(answer)}"
        return Finding("route to consume-stream", "problem", seen, mends.SPLIT_CONSUME)
    return Finding("route to consume-stream", "ok", "/api/consume-stream reaches it")


def _generate_route(chain: Chain) -> Finding:
    if chain.generate_route.code in _WHO_ASKS:
        seen = f"generate-stream asks for a token (REJOIN_TOKEN): {_said(chain.generate_route)}"
        return Finding("route to generate-stream", "ok", seen)
    if "providers" not in (chain.generate_route.body or {}):
        seen = f"/api/models does not reach generate-stream: {_said(chain.generate_route)}"
        return Finding("route to generate-stream", "problem", seen, mends.SPLIT_GENERATE)
    return Finding("route to generate-stream", "ok", "/api/models reaches it")


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
        if not answer.is_report:
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
