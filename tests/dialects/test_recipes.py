"""The recipes: each text of the page is run against real processes, and does what is said of it."""

import re
from pathlib import Path

import pytest

from tests.dialects.recipes import SESSION, recipe, recipes, run
from tests.docs.texts import ROOT
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

WORDS = "Hello, wörld 🌊!"
"""What the model says to whatever it is asked."""

PRINTS = {
    "openai-completions": r"This is the demo.*\nchatcmpl-\S+-1 \d+\nstop\n$",
    "openai-tools": r"tools have answered.*`weather` says: Sun in Rome\.",
    "openai-structured": r"^4\n$",
    "langchain": r"^stop\n.*This is the demo.*`weather` says: Sun in Rome\.",
    "llm": r"This is the demo.*This is the demo.*> And what else\?",
    "curl": rf'"generation":1.*data: .*"status":"completed".*\n{WORDS}$',
    "eventsource": "^Hello, wörld 🌊!\n$",
    "websocket": "^Hello, wörld 🌊!\n$",
    "websocket-python": "^Hello, wörld 🌊!$",
    "polls": r'"status":"started".*"status":"completed".*"over":true}\n$',
}
"""What each prints. Where it names the session, there is an answer in it already, unless it begins one."""

ELSEWHERE = {
    "nginx": "tests/dialects/test_recipe_nginx.py",
    "openai-responses": "tests/dialects/test_responses.py",
    "usechat": "tests/web/test_chat.py",
}
"""Those that need more than to be run, and the test that runs their text."""

BEGIN = {"curl", "openai-completions"}
"""Those that begin the answer of the session that they name."""


def test_every_text_of_the_page_is_run() -> None:
    assert sorted(each.name for each in recipes()) == sorted([*PRINTS, *ELSEWHERE])


def test_one_that_is_run_elsewhere_is_run_there() -> None:
    assert [name for name, path in ELSEWHERE.items() if f'recipe("{name}")' not in (ROOT / path).read_text()] == []


@pytest.mark.parametrize("name", PRINTS)
async def test_a_recipe_does_what_it_says(
    services: Services, front: str, node_clients: Path, session: str, tmp_path: Path, name: str
) -> None:
    each = recipe(name)
    if SESSION in each.text and name not in BEGIN:
        await services.start(sessionId=session, prompt="What survives a refresh?")
    said = await run(each, front, session, tmp_path, node_clients)
    assert re.search(PRINTS[name], said, re.DOTALL), said
