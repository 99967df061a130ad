"""Asking: a question to the demo, its answer followed to its end, its session removed."""

import contextlib
import hashlib
import json
import time

import anyio
import httpx2

from deploy.doctor.facts import Answer, Asked

_PROMPT = "Does every word come through? (Asked by the doctor.)"


async def ask(client: httpx2.AsyncClient, models: Answer, within_s: float) -> Asked | str:
    """The answer as a viewer gets it; or why nobody was asked."""
    offered = (models.body or {}).get("providers", [])
    if "demo" not in [each.get("name") for each in offered]:
        return "no demo provider is configured here, and a real model costs money"
    session, asked_at = "", time.monotonic()
    try:
        with anyio.fail_after(within_s):
            body = {"prompt": _PROMPT, "provider": "demo"}
            started = await client.post("/api/generate-stream", json=body)
            if started.status_code != 202:
                return Asked(None, 0, f"/api/generate-stream answered {started.status_code}: {started.text[:200]}")
            session = started.json()["sessionId"]
            return await _follow(client, session, asked_at)
    except TimeoutError:
        return Asked(None, 0, f"no end within {within_s:g} s")
    except (httpx2.TransportError, ValueError, KeyError) as error:
        return Asked(None, 0, f"{error!r}")
    finally:
        if session:
            # Left behind, it goes by itself after REJOIN_TTL_S.
            with anyio.move_on_after(2, shield=True), contextlib.suppress(httpx2.TransportError):
                await client.post("/api/delete-stream", json={"sessionId": session})


async def _follow(client: httpx2.AsyncClient, session: str, asked_at: float) -> Asked:
    first_word_ms, chunks, digest = None, 0, hashlib.sha256()
    path = "/api/consume-stream"
    async with client.stream("GET", path, params={"sessionId": session}) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: "):
                continue
            event = json.loads(line[6:])
            if event["type"] == "chunk":
                first_word_ms = first_word_ms or (time.monotonic() - asked_at) * 1000
                chunks += 1
                digest.update(event["content"].encode())
            elif event.get("status") in ("completed", "stopped", "failed"):
                return Asked(first_word_ms, chunks, event["status"], event.get("digest") == digest.hexdigest())
    return Asked(first_word_ms, chunks, f"the stream came as {response.status_code} and ended without an end")
