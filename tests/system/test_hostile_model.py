"""A model that forges entries, events, headers and errors: through both services its words stay words."""

import json
from typing import Any

import httpx2
import pytest

from shared import keys
from shared.text import whole
from tests.fakes.hostile import FORGERIES, SCRIPT
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.viewing import Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

TEXT, THINKING = whole("".join(SCRIPT.text)), whole("".join(SCRIPT.thinking))
MODEL = "</script>\u2028{data: mine}\"'%0d%0a"


async def ask(services: Services, prompt: str, session: str, provider: str) -> httpx2.Response:
    """Ask, and wait for the whole answer."""
    body = {"sessionId": session, "prompt": prompt, "provider": provider, "model": MODEL, "stream": False}
    async with httpx2.AsyncClient(timeout=60, verify=False) as client:
        return await client.post(f"{services.generate.url}/api/generate-stream", json=body)


def log_lines(services: Services) -> list[dict[str, Any]]:
    """What both have logged: each line one object, whatever it tells of."""
    both = (services.generate.log + services.consume.log).split("\n")
    return [json.loads(line) for line in both if line]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_models_forgeries_are_shown_as_its_words(
    services: Services, upstream: Upstream, redis_client: Any, session: str, provider: str
) -> None:
    prompt = f"{session}{''.join(FORGERIES[:12])}?"
    upstream.prompts[prompt] = SCRIPT
    answered = await ask(services, prompt, session, provider)
    assert answered.status_code == 200, answered.text
    assert answered.json()["text"] == TEXT
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    [answer] = viewer.view.answers.values()
    assert (answer.text, answer.prompt, answer.model) == (TEXT, prompt, MODEL)
    assert answer.reasoning in (THINKING, "")
    written = [at for at, _ in await redis_client.xrange(keys.log(session))]
    assert {frame.id for frame in viewer.frames} <= set(written)
    assert {frame.event["type"] for frame in viewer.frames} <= {"metadata", "chunk", "reasoning"}
    async with httpx2.AsyncClient(verify=False) as client:
        page = await client.get(f"{services.consume.url}/api/sessions/{session}")
    assert page.headers["content-type"] == "application/json"
    [shown] = page.json()["generations"]
    assert (shown["text"], shown["prompt"], shown["model"]) == (TEXT, prompt, MODEL)
    assert shown["status"] == "completed"
    assert "forged" not in json.dumps(log_lines(services))


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("forgery", FORGERIES[:6])
async def test_a_providers_error_is_told_in_our_words(
    services: Services, upstream: Upstream, session: str, forgery: str, status: int
) -> None:
    upstream.prompts[session] = Script(status=status, error=f"{forgery}forged")
    answered = await ask(services, session, session, "anthropic")
    assert answered.status_code == 502
    said = {"provider_refused": "The provider refused this request.", "provider_error": "The provider failed."}
    code = answered.json()["error"]["code"]
    assert answered.json()["error"]["message"] == said[code]
    assert not {"forged", "sk-secret"} & set(str(answered.headers).split())
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    [answer] = viewer.view.answers.values()
    assert (answer.status, answer.text, answer.end["error"]) == ("failed", "", said[code])
    told = json.dumps(log_lines(services))
    assert "forged" not in told
    assert "sk-secret" not in told
