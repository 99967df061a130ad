"""`@copilotkit/aimock` as a child process: a fake of the vendors that others wrote, from the documentation."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from deploy import node

_HERE = Path(__file__).parent
_START_S = 20.0


@asynccontextmanager
async def running(fixtures: list[dict[str, Any]]) -> AsyncIterator[str]:
    """Serve `fixtures` (aimock's own format: `match` and `response`); the value is the base URL, without /v1.

    The child holds the other end of a pipe, so that it ends with this process, however that ends.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({"fixtures": fixtures}, file)
        file.flush()
        child = await _start(Path(file.name))
        try:
            yield await _url(child)
        finally:
            assert child.stdin is not None
            child.stdin.close()
            await child.wait()


async def _start(fixtures: Path) -> asyncio.subprocess.Process:
    await asyncio.to_thread(node.install, _HERE)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(node.node(), _HERE / "serve.js", fixtures, stdin=pipe, stdout=pipe)


async def _url(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    async with asyncio.timeout(_START_S):
        url = (await child.stdout.readline()).decode().strip()
    assert url.startswith("http"), f"aimock did not start: {url!r}"
    return url
