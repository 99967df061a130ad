"""The sessions that this machine has met, and how they stand."""

import time
from typing import Any

from rejoin.client import Client
from rejoin.command.memory import Memory, Remembered
from rejoin.command.screen import Screen
from rejoin.errors import NotFound, Unauthorized

_PROMPT_CHARACTERS = 60
_STYLES = {"running": "green", "failed": "red", "stopped": "yellow", "gone": "dim", "unauthorized": "red"}


def show(client: Client, memory: Memory, screen: Screen) -> None:
    """List them, the newest first."""
    width = max((len(each.session) for each in memory.all()), default=0)
    for met in memory.all():
        now = _now(client, met)
        if screen.as_json:
            screen.record(now)
            continue
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(met.touched_at))
        prompt, status = str(now["prompt"]), str(now["status"])
        prompt = prompt if len(prompt) <= _PROMPT_CHARACTERS else prompt[: _PROMPT_CHARACTERS - 1] + "…"
        screen.row(
            (met.session.ljust(width), "bold"), (f"{status:9}", _STYLES.get(status, "")), (at, "dim"), (prompt, "")
        )


def forget(sessions: list[str], memory: Memory, screen: Screen) -> None:
    """Forget these, or all; the server keeps them."""
    forgotten = [each for each in sessions or [met.session for met in memory.all()] if memory.forget(each)]
    if screen.as_json:
        screen.record({"forgotten": forgotten})
    else:
        screen.say(f"Forgotten: {', '.join(forgotten) or 'none'}.")


def _now(client: Client, met: Remembered) -> dict[str, Any]:
    """How one stands, by the server's word."""
    known = {"sessionId": met.session, "touchedAt": met.touched_at, "position": met.position}
    try:
        newest = client.session(met.session, limit=1)["generations"]
    except NotFound:
        return {**known, "status": "gone", "generation": None, "prompt": ""}
    except Unauthorized:
        return {**known, "status": "unauthorized", "generation": None, "prompt": ""}
    if not newest:
        return {**known, "status": "gone", "generation": None, "prompt": ""}
    told = newest[0]
    return {**known, "status": told["status"], "generation": told["generation"], "prompt": told["prompt"]}
