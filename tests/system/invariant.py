"""The invariant: what must be true of a session when the dust has settled, whatever broke meanwhile."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from shared import keys, position
from shared.events import event, is_started, is_terminal
from shared.position import NONE
from shared.view import Answer, View
from tests.processes import until
from tests.viewing import Viewer

SETTLED_S = 20.0

Entries = Sequence[tuple[str, dict[str, str]]]


async def holds(
    redis_client: Any,
    session: str,
    viewers: Iterable[Viewer],
    sent: str,
    *,
    status: str = "completed",
    reasoning: str = "",
) -> None:
    """Every viewer holds what the log holds, and that is what the upstream sent; each generation has its one end.

    `sent` and `reasoning` are of all generations together, `status` is the last one's. Nothing may be left in Redis
    but the log and its meta; that is awaited.
    """
    entries = await _ended(redis_client, session)
    log = _folded(entries)
    _dense(entries)
    for generation, answer in log.answers.items():
        _one_end(answer, [fields for _, fields in entries if fields["generation"] == str(generation)])
    assert _words(log) == (sent, reasoning)
    assert [*log.answers.values()][-1].status == status
    assert await redis_client.hget(keys.meta(session), "status") == status
    for viewer in viewers:
        _once(viewer)
        assert _words(viewer.view) == (sent, reasoning)
        assert viewer.view.answers == log.answers
    await _nothing_left(redis_client, session)


async def _ended(redis_client: Any, session: str) -> Entries:
    async def whole() -> Entries:
        entries: Entries = await redis_client.xrange(keys.log(session))
        return entries if entries and is_terminal(entries[-1][1]) else ()

    entries: Entries = await until(whole, SETTLED_S)
    return entries


def _folded(entries: Entries) -> View:
    view = View()
    for entry_id, fields in entries:
        view.apply(entry_id, event(fields))
    return view


def _dense(entries: Entries) -> None:
    """Each attempt has the seqs 0, 1, 2 … and begins with `started`, unless its first entry is the end."""
    for ms, attempt in groupby(entries, key=lambda entry: entry[0].partition("-")[0]):
        found = [*attempt]
        assert [entry_id for entry_id, _ in found] == [f"{ms}-{seq}" for seq in range(len(found))]
        assert [is_started(fields) for _, fields in found[1:]] == [False] * (len(found) - 1)
        assert is_started(found[0][1]) or len(found) == 1


def _one_end(answer: Answer, entries: Sequence[dict[str, str]]) -> None:
    ends = [number for number, fields in enumerate(entries) if is_terminal(fields)]
    assert ends == [len(entries) - 1], f"generation {answer.generation} has its ends at {ends} of {len(entries)}"
    assert answer.end["digest"] == hashlib.sha256(answer.text.encode()).hexdigest()
    begun = [number for number, fields in enumerate(entries) if is_started(fields)]
    assert [entries[number]["attempt"] for number in begun] == [str(number) for number in range(1, len(begun) + 1)]
    assert answer.end["chunks"] == sum(fields["type"] == "chunk" for fields in entries[begun[-1] :])


def _words(view: View) -> tuple[str, str]:
    answers = view.answers.values()
    return "".join(answer.text for answer in answers), "".join(answer.reasoning for answer in answers)


def _once(viewer: Viewer) -> None:
    """No frame came twice, nor before its time: a page that folds by ids would not notice."""
    passed = NONE
    for frame in viewer.frames:
        if frame.event["type"] == "reset":
            passed = NONE
        elif frame.id:
            at = position.parse(frame.id)
            assert at > passed, f"{frame.id} came after {passed}"
            passed = at


async def _nothing_left(redis_client: Any, session: str) -> None:
    async def no_groups() -> bool:
        return not await redis_client.xinfo_groups(keys.log(session))

    async def not_running() -> bool:
        return await redis_client.zscore(keys.RUNNING, session) is None

    await until(no_groups, SETTLED_S)
    await until(not_running, SETTLED_S)
