"""OpenAI's Responses as the official client for Node meets them."""

import json
from pathlib import Path

import pytest

from deploy import node
from tests.consume_stream.outside_writer import OutsideWriter
from tests.dialects.recipes import said
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def test_begun_left_taken_up_cancelled_and_deleted(
    front: str, upstream: Upstream, writer: OutsideWriter, session: str, node_clients: Path
) -> None:
    upstream.prompts[session] = Script(text=("One ", "wörld\u2028", "🌊", "."), thinking=("Hm",))
    upstream.prompts[f"{session} for ever"] = Script(text=("Half", "never"), stall_after=1)
    await writer.begin()
    await writer.say("Void", kind="reasoning")
    await writer.say("Void")
    await writer.take_over()
    await writer.say("Good ", "words.")
    await writer.end()
    command = [str(node.node()), "responses.mjs", front, session, f"resp_{session}_1"]
    told = json.loads(await said(command, node_clients))
    numbers = told.pop("numbers")
    assert numbers == list(range(len(numbers)))
    assert told == {
        "resumed": True,
        "text": "One wörld\u2028🌊.",
        "deltas": "One wörld\u2028🌊.",
        "previous": True,
        "replayed": "Good words.",
        "kept": {"order": "7 wörld"},
        "items": [["user", session]],
        "cancelled": ["cancelled", "response.incomplete", "cancelled"],
        "gone": [404, "response_not_found"],
    }
