"""The fold by the cases that every client shares: `frames`, each an id and an event, and what they come to.

`cursor` is the id to come back with, empty for none; an answer whose `end` is null still runs.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from shared.position import NONE
from shared.view import Answer, View

CASES = sorted(Path(__file__).parent.glob("*.json"))


def shown(view: View) -> dict[str, Any]:
    """What a view holds, as the cases write it."""
    cursor = "" if view.position == NONE else str(view.position)
    return {"cursor": cursor, "answers": [_shown(answer) for answer in view.answers.values()]}


def _shown(answer: Answer) -> dict[str, Any]:
    fields = dataclasses.asdict(answer)
    fields["startedAt"] = fields.pop("started_at")
    fields["thinkingMs"] = fields.pop("thinking_ms")
    tools = {"after": fields.pop("after"), "continues": fields.pop("continues")}
    tools |= {"toolCalls": fields.pop("tool_calls"), "toolResults": fields.pop("tool_results")}
    tools |= {"metadata": fields.pop("metadata")}
    # Hardly any answer has these: the cases tell them only where there are some.
    told = {name: value for name, value in tools.items() if value not in (None, [], {})}
    return fields | told | {"end": answer.end or None}


def test_there_are_cases() -> None:
    assert len(CASES) > 5


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_frames_fold_to_these_answers(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    view = View()
    for event_id, event in case["frames"]:
        view.apply(event_id, event)
    assert shown(view) == {"cursor": case["cursor"], "answers": case["answers"]}
