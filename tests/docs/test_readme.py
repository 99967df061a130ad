"""What README says is so: its settings are the code's, its commands are run."""

import asyncio
import re
from pathlib import Path

import pytest

from deploy.leash import Leash
from tests.docs import alerts_table
from tests.docs.settings_table import README, written
from tests.processes import Services

pytestmark = pytest.mark.usefixtures("page")

_BLOCK = re.compile(r"<!-- run by tests/docs/test_readme\.py -->\n```sh\n(.*?)```", re.DOTALL)


def test_the_settings_table_is_the_one_that_the_code_makes() -> None:
    page = README.read_text("utf-8")
    assert written(page) == page, "run: make docs"
    assert "REJOIN_LEASE_S" in page


def test_the_table_of_alerts_is_made_from_their_rules() -> None:
    page = README.read_text("utf-8")
    assert alerts_table.written(page) == page, "run: make docs"
    assert "`RejoinRedisAway`, critical" in page


@pytest.mark.anyio
@pytest.mark.any_redis
async def test_the_curl_session_does_what_the_page_says(
    redis_url: str, leash: Leash, session: str, tmp_path: Path
) -> None:
    blocks = _BLOCK.findall(README.read_text("utf-8"))
    assert len(blocks) == 2
    async with Services(redis_url, leash) as services, services.origin() as origin:
        script = "".join(blocks).replace("http://127.0.0.1:8000", origin).replace("my-first-session", session)
        code, said = await run(script, tmp_path)
    assert code == 0, said
    assert f'{{"sessionId":"{session}","generation":1,"streamUrl":"/api/consume-stream?sessionId={session}"}}' in said
    assert '"status":"started"' in said
    assert '"status":"completed"' in said
    after = said[said.index('"status":"completed"') :]
    assert re.search(r'\n204\n\{"sessionId":"[^"]+","generation":2,.*"generation":2\}204\n$', after, re.DOTALL), after


async def run(script: str, directory: Path) -> tuple[int | None, str]:
    """Run a script as its reader would; returns its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script, stdout=asyncio.subprocess.PIPE, cwd=directory
    )
    async with asyncio.timeout(30):
        said, _ = await process.communicate()
    return process.returncode, said.decode()
