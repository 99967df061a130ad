"""The page's client: its types hold, its own tests pass, and it is a small module that needs nothing else."""

import gzip
import subprocess
from pathlib import Path

import pytest

from deploy import node, page
from deploy.page import DIST, WEB
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader

pytestmark = pytest.mark.any_redis

GZIP_MAX_BYTES = 4096
CONTRACT = Path(__file__).parents[1] / "contract"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """What the page is built with."""
    node.install(WEB)


def test_types_hold() -> None:
    node.npm(WEB, "run", "--silent", "check")


def test_what_vitest_is_asked_to_check_is_so(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        node.npm(WEB, "run", "--silent", "test", "--", "--reporter=verbose")
    except subprocess.CalledProcessError:
        pytest.fail(capfd.readouterr().out)
    told = capfd.readouterr().out
    cases = [path.name for path in CONTRACT.glob("*.json")]
    assert cases
    assert [name for name in cases if f"{name}: " not in told] == []


def test_the_client_alone_is_one_module_of_a_few_kilobytes() -> None:
    page.build()
    module = (DIST / "rejoin.js").read_bytes()
    assert b"import" not in module
    assert len(gzip.compress(module)) <= GZIP_MAX_BYTES


@pytest.mark.anyio
async def test_the_client_alone_follows_a_session_on_a_page_of_anybodys(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("All ", "of ", "it."))
    asking = await reader.open()
    await asking.ask(session)
    bare = await reader.context.new_page()
    await bare.route("**/bare.html", lambda route: route.fulfill(content_type="text/html", body="<title>bare</title>"))
    await bare.goto(f"{reader.origin}/bare.html")
    told = await bare.evaluate(
        """async (session) => {
          const { followSession, last } = await import('/rejoin.js')
          return new Promise((resolve) => {
            const following = followSession('/api/consume-stream', session, {
              view(view) {
                if (last(view)?.status !== 'completed') return
                following.close()
                resolve(last(view).text)
              },
              connection() {},
            })
          })
        }""",
        session,
    )
    assert told == "All of it."
