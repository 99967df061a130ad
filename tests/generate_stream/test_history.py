"""What the model is told of the earlier turns: whole ones only, the newest that fit, and a system's words always."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.generate_stream.history import Base, Onward, before, newest
from services.generate_stream.providers import Message
from shared.events import Entry
from shared.position import Position
from tests.shared.strategies import bounded

UNLIMITED = 10**6


class Turn(NamedTuple):
    """One generation as it stands in the log."""

    prompt: str
    text: str
    status: str = "completed"
    replaces: int | None = None


def written(turns: Sequence[Turn]) -> list[Entry]:
    """The log of these generations, 1, 2, 3 … as their writers left it."""
    return [entry for number, turn in enumerate(turns, 1) for entry in generation(number, turn)]


def generation(number: int, turn: Turn) -> list[Entry]:
    """All entries of one generation."""
    started = {"type": "metadata", "status": "started", "attempt": "1", "prompt": turn.prompt}
    if turn.replaces:
        started["replaces"] = str(turn.replaces)
    said = [{"type": "reasoning", "content": "hm"}, *({"type": "chunk", "content": letter} for letter in turn.text)]
    end = [] if turn.status == "running" else [{"type": "metadata", "status": turn.status}]
    fields = [each | {"generation": str(number)} for each in (started, *said, *end)]
    return [Entry(Position(number, seq), each) for seq, each in enumerate(fields)]


async def backwards(log: Sequence[Entry]) -> AsyncIterator[Entry]:
    for entry in reversed(log):
        yield entry


def told(
    log: Sequence[Entry],
    base: Base | None = None,
    replaces: int | None = None,
    limit: int = UNLIMITED,
    after: int | None = None,
) -> list[str]:
    """What the model hears, each message as its role's first letter and its words."""
    messages = asyncio.run(before(backwards(log), base, Onward(replaces, after), limit))
    return [f"{message.role[0]}: {message.content}" for message in messages]


def base(number: int, *messages: str) -> Base:
    """The conversation that generation `number` brought along, written as `told` shows it."""
    roles: dict[str, Any] = {"s": "system", "u": "user", "a": "assistant"}
    return Base(number, [Message(roles[said[0]], said[3:]) for said in messages])


A, B, C = Turn("q1", "a1"), Turn("q2", "a2"), Turn("q3", "a3")
FIRST, SECOND, THIRD = ["u: q1", "a: a1"], ["u: q2", "a: a2"], ["u: q3", "a: a3"]


@pytest.mark.parametrize(
    ("turns", "wanted"),
    [
        pytest.param([], [], id="nothing yet"),
        pytest.param([A, B, C], FIRST + SECOND + THIRD, id="completed ones, oldest first"),
        pytest.param(
            [A, Turn("q2", "hal", "stopped")], [*FIRST, "u: q2", "a: hal"], id="stopped with its partial text"
        ),
        pytest.param([A, Turn("q2", "", "stopped"), C], FIRST + THIRD, id="stopped before the first word"),
        pytest.param([A, Turn("q2", "", "completed"), C], FIRST + THIRD, id="completed without a word"),
        pytest.param([A, Turn("q2", "hal", "failed"), C], FIRST + THIRD, id="failed, its question too"),
        pytest.param([A, Turn("q2", "hal", "running")], FIRST, id="without an end"),
        pytest.param([A, B, C._replace(replaces=2)], FIRST + THIRD, id="replaced, its question too"),
        pytest.param([A, B, C._replace(replaces=1)], SECOND + THIRD, id="replaced long after"),
        pytest.param([A, B._replace(replaces=1), C._replace(replaces=2)], THIRD, id="replaced, and that one as well"),
        pytest.param([A, B, Turn("q3", "", "failed", replaces=2)], FIRST, id="replaced by one that failed"),
    ],
)
def test_which_turns_count(turns: list[Turn], wanted: list[str]) -> None:
    assert told(written(turns)) == wanted


def test_what_the_new_turn_replaces_does_not_count() -> None:
    assert told(written([A, B, C]), replaces=3) == FIRST + SECOND
    assert told(written([A, B, C]), replaces=1) == SECOND + THIRD


def test_only_the_last_attempt_counts() -> None:
    lost = generation(1, Turn("q1", "lost", "running"))
    again = [Entry(Position(2, entry.id.seq), entry.fields) for entry in generation(1, A)]
    again[0].fields["attempt"] = "2"
    assert told([*lost, *again]) == FIRST


def test_turns_of_a_writer_that_names_the_generation_once_count_too() -> None:
    log = written([A, B])
    for entry in log:
        if entry.fields.get("status") != "started":
            del entry.fields["generation"]
    assert told(log) == FIRST + SECOND


def test_turns_of_a_writer_that_names_no_generation_count_too() -> None:
    log = written([A, B, C])
    for entry in log:
        del entry.fields["generation"]
    assert told(log) == FIRST + SECOND + THIRD


BROUGHT = ("s: be brief", "u: b1", "a: c1", "u: q2")


@pytest.mark.parametrize(
    ("turns", "replaces", "wanted"),
    [
        pytest.param([A, B, C], None, [*BROUGHT, "a: a2", *THIRD], id="nothing before it counts"),
        pytest.param(
            [A, Turn("q2", "", "failed"), C], None, [*BROUGHT[:3], *THIRD], id="failed: its last question is out"
        ),
        pytest.param([A, B, C._replace(replaces=2)], None, [*BROUGHT[:3], *THIRD], id="replaced: so it is"),
        pytest.param([A, B], 2, [*BROUGHT[:3]], id="replaced by the new turn"),
    ],
)
def test_the_newest_conversation_that_was_brought_along_is_where_it_begins(
    turns: list[Turn], replaces: int | None, wanted: list[str]
) -> None:
    assert told(written(turns), base(2, *BROUGHT), replaces) == wanted


def test_brought_messages_of_one_speaker_stay_one_turn() -> None:
    brought = base(1, "u: one", "u: two", "a: three", "a: four", "u: q1")
    log = written([A])
    assert told(log, brought) == ["u: one", "u: two", "a: three", "a: four", *FIRST]
    assert told(log, brought, limit=len("q1" + "a1" + "onetwothreefour") - 1) == FIRST


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [(12, FIRST + SECOND + THIRD), (11, SECOND + THIRD), (8, SECOND + THIRD), (7, THIRD), (4, THIRD), (3, []), (0, [])],
)
def test_the_oldest_whole_turns_go_first(limit: int, wanted: list[str]) -> None:
    assert told(written([A, B, C]), limit=limit) == wanted


def test_bytes_are_counted_not_characters() -> None:
    assert told(written([Turn("é", "🌊")]), limit=6) == ["u: é", "a: 🌊"]
    assert told(written([Turn("é", "🌊")]), limit=5) == []


@pytest.mark.parametrize("later", range(6))
def test_a_systems_words_stay_however_long_ago_they_were_said(later: int) -> None:
    turns = [Turn("q1", "a1"), *[Turn("long question", "long answer")] * later]
    size = len("be brief") + len("long question" + "long answer")
    said = told(written(turns), base(1, "s: be brief", "u: q1"), limit=size)
    assert said == ["s: be brief", *(["u: long question", "a: long answer"] if later else FIRST)]


def test_reading_ends_where_nothing_more_can_count() -> None:
    read = []

    async def watched() -> AsyncIterator[Entry]:
        async for entry in backwards(written([A] * 50)):
            read.append(entry)
            yield entry

    asyncio.run(before(watched(), None, Onward(), 8))
    assert len(read) < 5 * len(generation(1, A))


def as_they_can_be(turns: list[Turn]) -> list[Turn]:
    """A generation can only replace an earlier one."""
    numbered = enumerate(turns, 1)
    return [turn if (turn.replaces or 0) < number else turn._replace(replaces=None) for number, turn in numbered]


TURNS = st.lists(
    st.builds(
        Turn,
        st.sampled_from(["q", "qq", "é"]),
        st.sampled_from(["", "a", "🌊"]),
        st.sampled_from(["completed", "stopped", "failed", "running"]),
        st.sampled_from([None, None, None, 1, 2, 3]),
    ),
    max_size=8,
).map(as_they_can_be)


def is_told(turns: Sequence[Turn], number: int, replaces: int | None) -> bool:
    """Whether generation `number` counts, said plainly."""
    turn = turns[number - 1]
    replaced = {later.replaces for later in turns[number:]} | {replaces}
    return bool(turn.text) and turn.status in ("completed", "stopped") and number not in replaced


@bounded
@given(TURNS, st.sampled_from([None, 1, 3]), st.integers(0, 40))
def test_the_newest_whole_turns_that_fit_are_told_and_no_others(
    turns: list[Turn], replaces: int | None, limit: int
) -> None:
    wanted: list[str] = []
    left = limit
    for number in range(len(turns), 0, -1):
        if is_told(turns, number, replaces):
            prompt, text = turns[number - 1][:2]
            left -= len((prompt + text).encode())
            if left < 0:
                break
            wanted = [f"u: {prompt}", f"a: {text}", *wanted]
    assert told(written(turns), None, replaces, limit) == wanted


MESSAGES = st.builds(
    Message, st.sampled_from(["system", "user", "assistant"]), st.sampled_from(["", "a", "éé", "🌊" * 3])
)


@bounded
@given(st.lists(st.lists(MESSAGES, max_size=4), max_size=6), st.integers(0, 40))
def test_what_is_kept_fits_and_is_the_end_of_what_was_said(turns: list[list[Message]], limit: int) -> None:
    kept = newest(turns, limit)
    system = [message for turn in turns for message in turn if message.role == "system"]
    said = [[message for message in turn if message.role != "system"] for turn in turns]
    assert kept[: len(system)] == system
    tails = [[message for turn in said[at:] for message in turn] for at in range(len(said) + 1)]
    assert kept[len(system) :] in tails
    size = sum(len(message.content.encode()) for message in kept)
    assert size <= limit or kept == system


class Step(NamedTuple):
    """One generation of a conversation with tools: what it was asked with, what it said, which calls it made."""

    asked: str | tuple[str, ...]
    text: str
    calls: tuple[str, ...] = ()
    status: str = "completed"
    after: int | None = None
    replaces: int | None = None


def steps(*made: Step) -> list[Entry]:
    """The log of these generations. Results are named after their calls."""
    log = []
    for number, step in enumerate(made, 1):
        prompt = step.asked if isinstance(step.asked, str) else ""
        started, *more = generation(number, Turn(prompt, step.text, step.status, step.replaces))
        if not isinstance(step.asked, str):
            results = [{"callId": call, "content": f"r-{call}"} for call in step.asked]
            started.fields.update(toolResults=json.dumps(results), continues="1")
        if step.after is not None:
            started.fields["after"] = str(step.after)
        calls = [
            Entry(Position(number, 50 + at), {"type": "tool", "generation": str(number), "callId": call, "name": "f",
                                              "arguments": "{}"})
            for at, call in enumerate(step.calls)
        ]  # fmt: skip
        end = [more.pop()._replace(id=Position(number, 99))] if step.status != "running" else []
        log += [started, *more, *calls, *end]
    return log


def told_of(log: list[Entry], new: Onward | None = None, limit: int = UNLIMITED, from_base: Base | None = None) -> str:
    """What the model hears: roles and words, an assistant's calls behind them."""
    messages = asyncio.run(before(backwards(log), from_base, new or Onward(), limit))
    said = [(message.role[0], message.content, [call.call_id for call in message.tool_calls]) for message in messages]
    return " ".join(f"{role}:{content}{'+' * bool(calls)}{'+'.join(calls)}" for role, content, calls in said)


def results(*call_ids: str, after: int | None = None) -> Onward:
    """What the new turn gives back."""
    return Onward(None, after, [Message("tool", f"r-{call}", call_id=call) for call in call_ids])


Q, R, S = Step("q1", "w1", ("a", "b")), Step(("a", "b"), "w2", ("c",)), Step(("c",), "w3")
LOOP = "u:q1 a:w1+a+b t:r-a t:r-b a:w2+c t:r-c a:w3"


@pytest.mark.parametrize(
    ("made", "new", "wanted"),
    [
        pytest.param([Q, R, S], Onward(), LOOP, id="a whole loop"),
        pytest.param([Q, R, S, Step("q2", "w4")], Onward(), f"{LOOP} u:q2 a:w4", id="and a turn after it"),
        pytest.param([Q], results("a", "b"), "u:q1 a:w1+a+b t:r-a t:r-b", id="results that are new"),
        pytest.param([Q, R], results("c"), "u:q1 a:w1+a+b t:r-a t:r-b a:w2+c t:r-c", id="results of the second step"),
        pytest.param([Q, Step("q2", "w2")], results("a", "b", after=1), "u:q1 a:w1+a+b t:r-a t:r-b", id="after"),
        pytest.param([Q], Onward(), "u:q1 a:w1", id="calls that nobody answered"),
        pytest.param([Q, R], Onward(), "u:q1 a:w1+a+b t:r-a t:r-b a:w2", id="calls of the second step"),
        pytest.param([Q._replace(text="")], Onward(), "", id="nothing but calls that nobody answered"),
        pytest.param([Q, R._replace(status="failed")], Onward(), "u:q1 a:w1", id="what went on failed"),
        pytest.param([Q, R._replace(text="", calls=())], Onward(), "u:q1 a:w1", id="what went on said nothing"),
        pytest.param([Q, R._replace(status="stopped", calls=())], Onward(), "u:q1 a:w1+a+b t:r-a t:r-b a:w2",
                     id="what went on was stopped"),
        pytest.param([Q, S._replace(asked=("a",))], Onward(), "u:q1 a:w1", id="a foreign writer's: too few"),
        pytest.param([Q, S._replace(asked=("a", "b", "c"))], Onward(), "u:q1 a:w1", id="a foreign writer's: too many"),
        pytest.param([Q, R, S], Onward(replaces=1), "", id="its beginning is replaced"),
        pytest.param([Q, R, S], Onward(replaces=2), "u:q1 a:w1", id="its middle is replaced"),
        pytest.param([Q, R, S._replace(after=2, replaces=3), S._replace(after=2, replaces=3)], Onward(), LOOP,
                     id="its end is told again"),
        pytest.param([Q, Step("q2", "w2"), Step("q3", "w3", after=1)], Onward(), "u:q1 a:w1 u:q3 a:w3", id="branches"),
        pytest.param([Q, Step("q2", "w2"), Step("q3", "w3", after=0)], Onward(), "u:q3 a:w3", id="a new beginning"),
        pytest.param([Q, Step("q2", "w2"), Step("q3", "w3")], Onward(after=2), "u:q1 a:w1 u:q2 a:w2", id="from two"),
        pytest.param([Q, Step("q2", "w2", replaces=1), Step("q3", "w3", after=1)], Onward(), "u:q1 a:w1 u:q3 a:w3",
                     id="replaced on another branch"),
        pytest.param([Q, Step("q2", "w2"), Step("q3", "", status="failed", after=1)], Onward(), "u:q1 a:w1",
                     id="after what failed comes what that went on from"),
    ],
)  # fmt: skip
def test_calls_and_results_are_told_in_the_turn_that_they_belong_to(made: list[Step], new: Onward, wanted: str) -> None:
    assert told_of(steps(*made), new) == wanted


@pytest.mark.parametrize(
    ("spare", "new", "wanted"),
    [
        (0, Onward(), LOOP + " u:q2 a:w4"), (-1, Onward(), "u:q2 a:w4"),
    ],
)  # fmt: skip
def test_a_turn_with_tools_is_cut_whole(spare: int, new: Onward, wanted: str) -> None:
    whole = asyncio.run(before(backwards(steps(Q, R, S, Step("q2", "w4"))), None, new, UNLIMITED))
    limit = sum(message.size for message in whole) + spare
    assert told_of(steps(Q, R, S, Step("q2", "w4")), new, limit) == wanted


def test_results_whose_calls_do_not_fit_are_not_told_alone() -> None:
    assert told_of(steps(Step("q0", "w0"), Q), results("a", "b"), 9) == ""


@pytest.mark.parametrize(
    ("after", "wanted"), [(None, "s:x u:b u:q3 a:w3"), (2, "s:x u:b a:w2"), (1, "u:q1 a:w1"), (0, "")]
)
def test_a_conversation_that_another_branch_brought_along_does_not_count(after: int | None, wanted: str) -> None:
    made = [Step("q1", "w1"), Step("b", "w2"), Step("q3", "w3", replaces=2)]
    told = told_of(steps(*made), Onward(after=after), from_base=base(2, "s: x", "u: b"))
    assert told == wanted.replace(" u:b u:q3", " u:q3")
