"""What the property tests draw from: texts with everything that has ever split a stream, and logs of any writer."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from shared.events import Entry
from shared.position import Position

bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Enough examples to find what these tests look for, and no clock: a slow machine fails nothing."""

_NASTY = st.sampled_from('\0\r\n\t\x0b\x0c\x1c\x1d\x1e\x7f\u0085\u2028\u2029\ufeff\ufffd"\\: {}é🌊')
TEXTS = st.text(st.one_of(_NASTY, st.characters(codec="utf-8")), max_size=12)
GENERATIONS = st.sampled_from(["1", "2", "3"])


def _fields(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(required, optional=optional)


_STARTED = _fields(
    {"type": st.just("metadata"), "status": st.just("started"), "prompt": TEXTS},
    {"generation": GENERATIONS, "attempt": st.sampled_from(["1", "2", "x"]), "replaces": GENERATIONS},
)
_WORDS = _fields(
    {"type": st.sampled_from(["chunk", "reasoning"])},
    {"content": TEXTS, "generation": GENERATIONS, "ms": st.sampled_from(["1", "2"])},
)
_PLAIN_WORDS = _fields(
    {"type": st.sampled_from(["chunk", "reasoning"]), "content": TEXTS, "generation": st.just("1")}, {}
)
_ENDED = _fields(
    {"type": st.just("metadata"), "status": st.sampled_from(["completed", "stopped", "failed"])},
    {"generation": GENERATIONS, "usage": st.sampled_from(['{"a": 1}', "NaN", "x"]), "retryable": TEXTS},
)
_FOREIGN = st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3)
_LABELLED_WORDS = st.builds(lambda words, more: words | more, _WORDS, _FOREIGN)

ANY_FIELDS = st.one_of(_PLAIN_WORDS, _WORDS, _STARTED, _ENDED, _LABELLED_WORDS, _FOREIGN)
"""One entry of any writer, in any order: ours, a foreign one's that leaves out what it likes, an unknown type."""


@st.composite
def logs(draw: st.DrawFn, max_size: int = 20) -> list[Entry]:
    """A log: entries whose ids grow, and nothing else is promised."""
    entries = []
    ms, seq = 1_767_225_600_000, 0
    for fields in draw(st.lists(ANY_FIELDS, max_size=max_size)):
        step = draw(st.sampled_from([0, 0, 0, 1, 7]))
        ms, seq = ms + step, 0 if step else seq + draw(st.integers(1, 9))
        entries.append(Entry(Position(ms, seq), fields))
    return entries
