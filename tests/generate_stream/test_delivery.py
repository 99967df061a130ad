"""Delivery, against a log that loses its tail and its replies whenever it likes."""

from hypothesis import given
from hypothesis import strategies as st

from services.generate_stream.attempt import Fields
from services.generate_stream.delivery import BATCH_MAX_BYTES, BATCH_MAX_ENTRIES, Batch, Delivery
from services.generate_stream.draft import ENTRY_MAX_BYTES, Draft
from services.generate_stream.log import Appended, Fenced, Gap

STARTED = {"type": "metadata", "status": "started"}

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
moments = st.lists(
    st.one_of(
        st.tuples(st.just("say"), words),
        st.tuples(st.sampled_from(["send", "arrive", "hear", "break"]), st.just("")),
        st.tuples(st.just("lose"), st.integers(0, 5)),
    ),
    max_size=80,
)


class ForgetfulLog:
    """The append script's rule, in a list."""

    def __init__(self) -> None:
        self.entries: list[Fields] = [STARTED]

    def append(self, first: int, entries: list[Fields]) -> Appended | Gap:
        if first > len(self.entries):
            return Gap(len(self.entries) - 1)
        self.entries += entries[len(self.entries) - first :]
        return Appended(len(self.entries) - 1, stop=False)


class Wire:
    """Appends on their way to the log, and replies on their way back, each in order."""

    def __init__(self, delivery: Delivery, log: ForgetfulLog) -> None:
        self._delivery = delivery
        self._log = log
        self._sent: list[Batch] = []
        self._replies: list[tuple[Batch, Appended | Gap]] = []

    def send(self) -> None:
        self._sent.append(self._delivery.batch())

    def arrive(self) -> None:
        if self._sent:
            batch = self._sent.pop(0)
            self._replies.append((batch, self._log.append(batch.first, batch.entries)))

    def hear(self) -> None:
        if self._replies:
            batch, reply = self._replies.pop(0)
            self._delivery.replied(batch, reply)
            if isinstance(reply, Gap):
                # As the pipeline does: what left behind it comes to pass or not, and nobody listens.
                while self._sent:
                    self.arrive()
                self._replies = []

    def break_(self) -> None:
        self._sent, self._replies = [], []
        self._delivery.rewind()


@given(moments)
def test_whatever_is_lost_on_the_way_the_log_has_all_in_the_end(story: list[tuple[str, object]]) -> None:
    draft, log = Draft(1, STARTED, 1_000_000), ForgetfulLog()
    delivery = Delivery(draft)
    wire = Wire(delivery, log)
    steps = {"send": wire.send, "arrive": wire.arrive, "hear": wire.hear, "break": wire.break_}
    for what, value in story:
        if what == "say":
            draft.add("chunk", str(value), 1)
        elif what == "lose":
            del log.entries[len(log.entries) - min(int(str(value)), len(log.entries)) :]
        else:
            steps[what]()
    draft.end("completed", 2)
    wire.break_()
    for _ in range(3):
        wire.send()
        wire.arrive()
        wire.hear()
    assert log.entries == draft.entries
    assert not delivery.behind
    assert delivery.held_back == 0


def test_a_batch_is_bounded_in_entries_and_in_bytes() -> None:
    draft = Draft(1, STARTED, 100 * ENTRY_MAX_BYTES)
    for number in range(2 * BATCH_MAX_ENTRIES):
        draft.add("chunk" if number % 2 else "reasoning", "x", 1)
    delivery = Delivery(draft)
    batch = delivery.batch()
    assert len(batch.entries) == BATCH_MAX_ENTRIES
    assert not batch.whole
    draft = Draft(1, STARTED, 100 * ENTRY_MAX_BYTES)
    draft.add("chunk", "x" * 60 * ENTRY_MAX_BYTES, 1)
    batch = Delivery(draft).batch()
    assert 0 < sum(len(entry["content"]) for entry in batch.entries) <= BATCH_MAX_BYTES
    assert not batch.whole


def test_what_is_held_back_is_what_no_whole_batch_has_brought() -> None:
    draft, log = Draft(1, STARTED, 1_000_000), ForgetfulLog()
    delivery = Delivery(draft)
    draft.add("chunk", "wörd", 1)
    assert delivery.held_back == 5
    batch = delivery.batch()
    draft.add("chunk", "more", 1)
    delivery.replied(batch, log.append(batch.first, batch.entries))
    assert delivery.held_back == 4
    delivery.replied(delivery.batch(), Fenced())
    assert delivery.held_back == 4
