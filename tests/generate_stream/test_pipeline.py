"""The pipeline, on a wire that delivers when the story says so, or breaks, to a log that loses its tail."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import RedisError

from services.generate_stream import pipeline as module
from services.generate_stream.attempt import Attempt, Fields
from services.generate_stream.draft import Draft
from services.generate_stream.log import Appended, Gap, Log
from services.generate_stream.pipeline import Pipeline
from shared.wire import RedisAway

STARTED = {"type": "metadata", "status": "started"}
ATTEMPT = Attempt("a-session", 1, 1, 1, "token", STARTED, {})
TURNS = 6
"""Of the event loop, until all that can happen has happened."""

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
moments = st.lists(
    st.one_of(
        st.tuples(st.just("say"), words),
        st.tuples(st.sampled_from(["arrive", "hear", "snap", "wake", "end"]), st.just("")),
        st.tuples(st.just("lose"), st.integers(1, 4)),
    ),
    max_size=60,
)


@dataclass
class OnItsWay:
    """An append that has left."""

    first: int
    entries: Sequence[Fields]
    then: str
    heard: "asyncio.Future[Appended | Gap]"
    reply: Appended | Gap | None = None


@dataclass
class Wire:
    """Redis, as an attempt's writer sees it: the append script's rule, in a list."""

    breaks: int = 0
    log: list[Fields] = field(default_factory=lambda: [STARTED])
    ends: list[str] = field(default_factory=list)
    """How the attempt was ended, each time that it was."""
    out: deque[OnItsWay] = field(default_factory=deque)
    most: int = 0

    def epoch(self, session: str) -> tuple[str, int]:
        return "", self.breaks

    async def append(
        self, attempt: Attempt, first: int, entries: Sequence[Fields], then: str, *, insist: bool
    ) -> Appended | Gap:
        on_its_way = OnItsWay(first, entries, then, asyncio.get_running_loop().create_future())
        self.out.append(on_its_way)
        self.most = max(self.most, len(self.out))
        return await on_its_way.heard

    def arrive(self) -> None:
        append = next((each for each in self.out if each.reply is None), None)
        if append is None:
            return
        if append.first > len(self.log):
            append.reply = Gap(len(self.log) - 1)
            return
        self.log += append.entries[len(self.log) - append.first :]
        append.reply = Appended(len(self.log) - 1, stop=False)
        if append.then:
            self.ends.append(append.then)
            assert self.log[-1]["status"] == append.then, "ended, and its end is not there"

    def hear(self) -> None:
        if self.out and self.out[0].reply is not None:
            append = self.out.popleft()
            assert append.reply
            append.heard.set_result(append.reply)

    def snap(self) -> None:
        self.breaks += 1
        while self.out:
            self.out.popleft().heard.set_exception(RedisAway("snapped"))

    def lose(self, entries: int) -> None:
        del self.log[max(1, len(self.log) - entries) :]


@given(moments)
def test_whatever_arrives_breaks_or_is_lost_the_log_has_all_once_and_its_end(story: list[tuple[str, Any]]) -> None:
    asyncio.run(told(story))


def test_words_leave_ahead_of_a_reply_that_is_long_in_coming_and_nothing_behind_an_end() -> None:
    story = [("say", "a"), ("say", "b"), ("say", "c"), ("end", ""), ("wake", ""), ("wake", "")]
    wire = asyncio.run(told(story))
    assert wire.most == 4
    assert wire.ends == ["completed"]


async def told(story: list[tuple[str, Any]]) -> Wire:
    """Play a story, mend the wire, and wait for the end. Each word leaves at once, whatever is still out."""
    draft, wire = Draft(1, STARTED, 1_000_000), Wire()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_NEAR_S", 0.0)
        patch.setattr(module, "_LATE_S", 60.0)
        pipeline = Pipeline(ATTEMPT, draft, cast(Log, wire), 6.0)
        writing = asyncio.create_task(write(pipeline))
        for what, value in story:
            if what == "say":
                draft.add("chunk", value, 1)
            elif what == "lose":
                wire.lose(value)
            elif what == "end":
                draft.end("completed", 2)
            elif what != "wake":
                getattr(wire, what)()
            if what in ("say", "wake", "end"):
                pipeline.wake()
            await turns()
        draft.end("completed", 2)
        pipeline.wake()
        for _ in range(3 * len(draft.entries) + 20):
            await turns()
            wire.arrive()
            wire.hear()
        assert writing.done(), "it waits for ever"
        await writing
    # What is lost after the end was heard is not the pipeline's to see.
    assert wire.log == draft.entries[: len(wire.log)]
    assert len(wire.log) == len(draft.entries) or any(what == "lose" for what, _ in story)
    return wire


async def write(pipeline: Pipeline) -> None:
    """As the writer does: until the end is in the log."""
    failed = False
    while True:
        if not failed:
            await pipeline.due()
        try:
            reply, then = await pipeline.next()
        except RedisError:
            failed = True
            continue
        failed = False
        if isinstance(reply, Appended) and then:
            return


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
