"""The verdict on one story, when the dust has settled: the log against the vendor, viewers against the log. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from shared.events import event, is_started, is_terminal
from shared.view import Answer, View
from tests.chaos.finding import Finding, difference
from tests.chaos.plan import Story, Turn
from tests.chaos.watcher import Watcher

Entries = Sequence[tuple[str, dict[str, str]]]


def folded(entries: Entries) -> View:
    """What the whole log says."""
    view = View()
    for entry_id, fields in entries:
        view.apply(entry_id, event(fields))
    return view


def digest(text: str) -> str:
    """What an end says of the text of its answer."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_log(story: Story, entries: Entries, *, losses_possible: bool, lease_ms: float) -> Iterator[Finding]:
    """What is wrong with a log by itself, and against what its vendor sent. No lease is judged that is 0 ms long."""
    yield from _ids(story.session, entries)
    yield from _leases(story.session, entries, lease_ms)
    view = folded(entries)
    if list(view.answers) != list(range(1, len(story.turns) + 1)):
        yield Finding("lost", story.session, f"the log has the generations {list(view.answers)}")
        return
    for generation, turn in enumerate(story.turns, 1):
        mine = [(at, fields) for at, fields in entries if fields["generation"] == str(generation)]
        yield from _end(story.session, mine)
        yield from _answer(story.session, turn, view.answers[generation], mine)
        why = _unexplained(story, turn, view.answers[generation], losses_possible=losses_possible)
        if why:
            yield Finding("wrong", story.session, f"generation {generation} {why}")


def of_viewer(session: str, watcher: Watcher, log: View, *, may_reset: bool) -> Iterator[Finding]:
    """What is wrong with what a viewer holds."""
    yield from (Finding(kind, session, text) for kind, text in watcher.faults)
    if watcher.watch.manner == "vanishing":
        return
    if watcher.resets and not may_reset:
        yield Finding("wrong", session, f"{watcher} had to begin anew, though its position stood in the log")
    if watcher.gone:
        yield Finding("lost", session, f"{watcher} was told that the session is gone")
    for generation, answer in log.answers.items():
        held = watcher.view.answers.get(generation, Answer(generation))
        for what in ("text", "reasoning"):
            if getattr(held, what) != getattr(answer, what):
                where = f"{watcher}, {what} of generation {generation}"
                yield difference(session, where, getattr(answer, what), getattr(held, what))
        if (held.status, held.attempt) != (answer.status, answer.attempt):
            said = f"{held.status} in attempt {held.attempt}, not {answer.status} in attempt {answer.attempt}"
            yield Finding("wrong", session, f"{watcher} holds generation {generation} as {said}")


def of_deleted(session: str, watchers: Sequence[Watcher], entries: Entries, meta: dict[str, str]) -> Iterator[Finding]:
    """What is wrong with a session that somebody has deleted, and with what its viewers were told."""
    for watcher in watchers:
        yield from (Finding(kind, session, text) for kind, text in watcher.faults)
    if entries or meta.get("status") != "deleted":
        yield Finding("left over", session, f"deleted, but there are {len(entries)} entries and {meta}")


def outcome(answer: Answer) -> str:
    """How an answer ended, with the code of a failure."""
    return f"{answer.status} {answer.end['code']}" if answer.status == "failed" else answer.status


def takeovers(entries: Entries) -> int:
    """How many later attempts a log has."""
    return sum(is_started(fields) and fields["attempt"] != "1" for _, fields in entries)


def _ids(session: str, entries: Entries) -> Iterator[Finding]:
    positions = [tuple(map(int, entry_id.split("-"))) for entry_id, _ in entries]
    for ms, attempt in groupby(positions, key=lambda position: position[0]):
        seqs = [seq for _, seq in attempt]
        if seqs != list(range(len(seqs))):
            yield Finding("lost", session, f"the ids of attempt {ms} have holes: {seqs}")


def _leases(session: str, entries: Entries, lease_ms: float) -> Iterator[Finding]:
    """Each entry renewed the lease when it came, not before its words did: for so long nobody may take over.

    This holds however slow the machine is.
    """
    for (last_id, last), (next_id, fields) in pairwise(entries):
        began_ms, next_ms = (int(entry_id.partition("-")[0]) for entry_id in (last_id, next_id))
        if next_ms == began_ms or fields["generation"] != last["generation"]:
            continue
        silent_ms = next_ms - began_ms - int(last.get("ms", 0))
        if silent_ms < lease_ms:
            yield Finding("wrong", session, f"{next_id} took over {silent_ms} ms after {last_id}, from a living writer")


def _end(session: str, mine: Entries) -> Iterator[Finding]:
    ends = [at for at, fields in mine if is_terminal(fields)]
    if len(ends) != 1 or ends[0] != mine[-1][0]:
        yield Finding("doubled" if len(ends) > 1 else "lost", session, f"terminal entries {ends}, last {mine[-1][0]}")


def _answer(session: str, turn: Turn, answer: Answer, mine: Entries) -> Iterator[Finding]:
    expected = {"text": turn.text, "reasoning": turn.thinking}
    for what, sent in expected.items():
        got: str = getattr(answer, what)
        if answer.status == "completed":
            if got != sent:
                yield difference(session, f"the log's {what} of {turn.prompt}", sent, got)
        elif not sent.startswith(got):
            yield difference(session, f"the log's partial {what} of {turn.prompt}", sent[: len(got)], got)
    end: dict[str, Any] = answer.end
    if end.get("digest") != digest(answer.text):
        yield Finding("wrong", session, f"the digest of {turn.prompt} is of another text")
    last = max((number for number, (_, fields) in enumerate(mine) if is_started(fields)), default=0)
    chunks = sum(fields["type"] == "chunk" for _, fields in mine[last:])
    if end.get("chunks") != chunks:
        yield Finding("wrong", session, f"{turn.prompt} says {end.get('chunks')} chunks and has {chunks}")


def _unexplained(story: Story, turn: Turn, answer: Answer, *, losses_possible: bool) -> str:
    match answer.status:
        case "stopped" if not story.stops_at_s:
            return "was stopped by nobody"
        case "failed" if answer.end["code"] == "producer_lost":
            return "" if losses_possible else "lost its producer twice, but nothing could have cost it two"
        case "failed" if not turn.breaks:
            return f"failed as {answer.end['code']}, but its vendor did not break"
    return ""
