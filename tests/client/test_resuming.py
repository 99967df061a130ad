"""However a stream is cut, refused and split, both clients give the same events, each once, and then its end."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoin import (
    AnswerFailed,
    AnswerGone,
    AnyEvent,
    AsyncClient,
    Client,
    Completed,
    Limits,
    OutOfReach,
    Reset,
    Started,
    Unauthorized,
    Words,
)  # fmt: skip
from shared.events import Entry
from tests.client.broken_server import BrokenServer, Turn, entry
from tests.shared.strategies import bounded

AT_ONCE = Limits(retry_max_s=0, give_up_s=5)
SESSION = "a-session-of-8"

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u2028\r\n\x85 🌊"), max_size=9)
turns = st.builds(Turn, st.sampled_from(["cut", "end", "503", "page"]), st.integers(0, 1500), st.integers(1, 60))


def log_of(pieces: Sequence[str], attempts: int = 1, generation: int = 1) -> list[Entry]:
    """A log whose answer was begun so often; entries of a kind that nobody knows are among them."""
    log, of = [], {"generation": str(generation)}
    for attempt in range(1, attempts + 1):
        ms, started = 10 * generation + attempt, {"type": "metadata", "status": "started", **of, "prompt": "?"}
        log.append(entry(f"{ms}-0", **started, attempt=str(attempt)))
        for seq, piece in enumerate(pieces, 1):
            kind = ("chunk", "reasoning", "novelty")[(seq - 1) % 7 % 3]
            log.append(entry(f"{ms}-{seq}", type=kind, **of, content=piece, ms=str(seq)))
    log.append(entry(f"{ms}-{len(pieces) + 1}", type="metadata", status="completed", **of))
    return log


def read(server: BrokenServer, **how: Any) -> list[AnyEvent]:
    """All that the client gives."""
    with Client(transport=server.transport(), limits=AT_ONCE) as client, client.follow(SESSION, **how) as following:
        return list(following)


def read_by_tasks(server: BrokenServer, **how: Any) -> list[AnyEvent]:
    """All that the client for asyncio gives."""

    async def reading() -> list[AnyEvent]:
        client = AsyncClient(transport=server.transport(), limits=AT_ONCE)
        async with client, client.follow(SESSION, **how) as following:
            return [event async for event in following]

    return asyncio.run(reading())


def text_of(events: Sequence[AnyEvent]) -> list[tuple[str, str]]:
    """What they say, whatever frames it came in."""
    said: list[tuple[str, str]] = []
    for event in events:
        kind, text = type(event).__name__, getattr(event, "text", "")
        if said and said[-1][0] == kind and isinstance(event, Words):
            said[-1] = kind, said[-1][1] + text
        else:
            said.append((kind, text))
    return said


@bounded
@given(st.lists(texts, max_size=12), st.integers(1, 2), st.lists(turns, max_size=6), st.integers(0, 3))
def test_every_event_comes_once_whatever_breaks(
    pieces: list[str], attempts: int, breaks: list[Turn], repeats: int
) -> None:
    log = log_of(pieces, attempts)
    whole = "".join(one.fields["content"] for one in log if one.fields["type"] == "chunk")
    for reading in (read, read_by_tasks):
        events = reading(server := BrokenServer(log, breaks, repeats=repeats))
        assert "".join(event.text for event in events if isinstance(event, Words)) == whole
        assert sum(isinstance(event, Started) for event in events) == attempts
        assert isinstance(events[-1], Completed)
        assert sum(isinstance(event, Completed) for event in events) == 1
        ids = [event.id for event in events if not isinstance(event, Reset)]
        assert ids == sorted(set(ids), key=lambda one: [int(part) for part in one.split("-")])
        assert len(server.asked) >= 1


@bounded
@given(st.lists(texts, min_size=1, max_size=12), st.data())
def test_whoever_saves_the_position_after_any_event_goes_on_with_the_next(pieces: list[str], data: Any) -> None:
    whole = read(BrokenServer(log := log_of(pieces), []))
    leaves_after = data.draw(st.integers(1, len(whole)))
    first: list[AnyEvent] = []
    with Client(transport=BrokenServer(log, []).transport()) as client, client.follow(SESSION) as following:
        for event in following:
            first.append(event)
            if len(first) == leaves_after:
                break
        saved = following.position
    assert text_of([*first, *read(BrokenServer(log, []), after=saved)]) == text_of(whole)


def test_only_the_newest_attempt_is_the_text() -> None:
    for reading in (Client, AsyncClient):
        following = reading(transport=BrokenServer(log_of(["a", "b"], 2), []).transport()).follow(SESSION)
        text = following.text()
        assert (text if isinstance(text, str) else asyncio.run(_awaited(text))) == "a"
    assert [event.voids for event in read(BrokenServer(log_of([], 2), [])) if isinstance(event, Started)] == [
        False,
        True,
    ]


def test_an_answer_that_failed_is_raised_with_its_words() -> None:
    log = log_of(["word"])
    end = {"type": "metadata", "status": "failed", "generation": "1", "code": "overloaded", "error": "Too much."}
    log[-1] = entry("11-9", **end, retryable="true")
    with pytest.raises(AnswerFailed, match="overloaded: Too much") as failed:
        Client(transport=BrokenServer(log, []).transport()).follow(SESSION).text()
    assert (failed.value.text, failed.value.retryable) == ("word", True)


def test_an_answer_that_the_log_has_lost_is_raised_and_one_that_is_written_again_is_read() -> None:
    log = log_of(["a"])
    with pytest.raises(AnswerGone, match="answer 2"):
        read(BrokenServer(log, []), generation=2)
    server = BrokenServer(log, [])
    client = Client(transport=server.transport(), limits=AT_ONCE, on_retry=lambda _: log.extend(log_of(["b"], 1, 2)))
    assert client.follow(SESSION, generation=2).text() == "b"


def test_nothing_new_for_too_long_is_an_error_and_tells_why() -> None:
    breaks = [Turn("cut", 20)] * 1000
    impatient = Limits(retry_max_s=0.01, give_up_s=0.1)
    with pytest.raises(OutOfReach, match="cut"):
        list(Client(transport=BrokenServer(log_of(["a"]), breaks).transport(), limits=impatient).follow(SESSION))


def test_a_token_that_is_over_is_renewed_in_place_where_there_is_another() -> None:
    server = BrokenServer(log_of(["a", "b"]), [], token="new")
    tokens = iter(["old"])
    with Client(token=lambda: next(tokens, "new"), transport=server.transport(), limits=AT_ONCE) as client:
        assert isinstance(list(client.follow(SESSION))[-1], Completed)
    with (
        Client(token="old", transport=server.transport(), limits=AT_ONCE) as client,
        pytest.raises(Unauthorized, match="token_expired"),
    ):
        client.follow(SESSION).text()


async def _awaited(text: Any) -> Any:
    return await text
