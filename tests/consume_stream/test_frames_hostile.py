"""Whatever a model says is text: from its deltas to what a parser dispatches, nothing of it becomes anything else."""

import json

from hypothesis import given
from hypothesis import strategies as st

from services.consume_stream import frames
from services.generate_stream.draft import Draft
from shared.text import whole
from shared.view import View
from tests.fakes.hostile import FORGERIES, SAID
from tests.shared.strategies import bounded

_KINDS = st.sampled_from(["chunk", "chunk", "reasoning"])
_STARTED = {"type": "metadata", "status": "started", "generation": "1", "attempt": "1"}


def written(said: list[tuple[str, str]], finish: str, error: str) -> list[tuple[bytes, list[bytes]]]:
    """The log of one answer as Redis gives it."""
    draft = Draft(1, _STARTED, 10**7)
    for kind, text in said:
        draft.add(kind, text, 5)
    draft.end("failed", 9, finish_reason=finish, code="provider_error", error=error, retryable="true")
    return [
        (f"7-{seq}".encode(), [part.encode() for pair in entry.items() for part in pair])
        for seq, entry in enumerate(draft.entries)
    ]


@bounded
@given(SAID, _KINDS, st.sampled_from(FORGERIES), st.sampled_from(FORGERIES))
def test_nothing_that_a_model_says_is_more_than_text(said: list[str], kind: str, finish: str, error: str) -> None:
    # What comes from a vendor as a word of its own is made whole at the edge, as its deltas are in the draft.
    log = written([(kind, text) for text in said], whole(finish), whole(error))
    stream = frames.encode(frames.joined(log))
    view = View()
    *shown, rest = stream.decode().split("\n\n")
    assert rest == ""
    for frame in shown:
        position, data = frame.split("\n")
        # By the widest notion of a line end there is, these are two lines.
        assert frame.splitlines() == [position, data]
        assert position.removeprefix("id: ").encode() in [at for at, _ in log]
        view.apply(position.removeprefix("id: "), json.loads(data.removeprefix("data: ")))
    [answer] = view.answers.values()
    text = answer.text if kind == "chunk" else answer.reasoning
    assert text == whole("".join(said))
    assert answer.status == "failed"
    assert (answer.end["error"], answer.end["code"]) == (whole(error), "provider_error")
    assert [frame.count('"type":"metadata"') for frame in (shown[0], shown[-1])] == [1, 1]
