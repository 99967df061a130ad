"""The command line in a pipe: words and nothing else, exit codes, and whoever leaves comes back to the very word."""

import json
from pathlib import Path

import pytest

from tests.client.running import Ended, Running, environment
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.ports import free_port
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

WORDS = tuple(f"wörd {number} 🌊\u2028\n" for number in range(60))
SENT = "".join(WORDS)
ALL = 10 * len(WORDS)
"""Enough, even if an answer is begun anew, as it may be on a machine that has no time."""


@pytest.fixture
def home(origin: str, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has asked nothing yet."""
    return environment(origin, tmp_path)


async def run(home: dict[str, str], *arguments: str, piped: str | None = None) -> Ended:
    """Run it in a pipe, to its end."""
    return await (await Running(home, *arguments, piped=piped).pipe()).ended()


async def test_the_answer_is_all_that_is_printed(home: dict[str, str], upstream: Upstream, session: str) -> None:
    upstream.prompts[f"{session} what?\n\nlines\nof a file"] = Script(text=WORDS)
    asked = await run(home, "ask", "--provider", "openai", session, "what?", piped="lines\nof a file\n")
    assert asked == (0, SENT, "")
    listed = await run(home, "sessions", "--json")
    [known] = [json.loads(line) for line in listed.out.splitlines()]
    assert (known["status"], known["prompt"]) == ("completed", f"{session} what?\n\nlines\nof a file")
    again = await run(home, "follow", known["sessionId"])
    assert (again.code, again.out) == (0, "")
    assert "Nothing new" in again.err
    assert (await run(home, "follow", "--again", known["sessionId"])).out == SENT


async def test_who_leaves_by_ctrl_c_comes_back_to_the_very_word(
    home: dict[str, str], upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    parts: list[str] = []
    asking = await Running(home, "ask", "--session", session, "--provider", "openai", session).pipe()
    for leaves_after in (7, 20, 41):
        gate.let_out(leaves_after - sum(part.count("🌊") for part in parts))
        await asking.shows(WORDS[leaves_after - 1].strip())
        asking.interrupt()
        asking.interrupt()
        left = await asking.ended()
        assert left.code == 130
        assert f"rejoin follow {session}" in left.err
        assert f"rejoin stop {session}" in left.err
        assert "Traceback" not in left.err
        parts.append(left.out)
        asking = await Running(home, "follow", session).pipe()
    gate.let_out(ALL)
    parts.append((await asking.ended()).out)
    assert "".join(parts) == SENT


async def test_a_session_that_is_unknown_here_shows_its_newest_answer(
    home: dict[str, str], services: Services, upstream: Upstream, session: str
) -> None:
    for prompt, words in ((f"{session} 1", ("old",)), (f"{session} 2", ("new ", "words\n"))):
        upstream.prompts[prompt] = Script(text=words)
        await run(
            home | {"XDG_STATE_HOME": "/nonexistent"}, "ask", "--session", session, "--provider", "openai", prompt
        )
    assert await run(home, "follow", session) == (0, "new words\n", "")


async def test_an_answer_that_is_stopped_or_fails_says_so_by_its_exit_code(
    home: dict[str, str], upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    asking = await Running(home, "ask", "--session", session, "--provider", "openai", session).pipe()
    gate.let_out(3)
    await asking.shows(WORDS[2].strip())
    assert await run(home, "stop", session) == (0, "", "Stopped.\n")
    assert await asking.ended() == (3, "".join(WORDS[:3]), "Stopped.\n")
    assert await run(home, "stop", "--json", session) == (0, f'{{"sessionId":"{session}","stopped":false}}\n', "")

    upstream.prompts[f"{session} 2"] = Script(text=("some", "more"), error="server_error", error_after=1)
    failed = await run(home, "ask", "--session", session, "--provider", "openai", f"{session} 2")
    assert (failed.code, failed.out) == (1, "some\n")
    assert failed.err.startswith("Failed, ")


async def test_programs_get_one_object_a_line(home: dict[str, str], upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("\x1b[31mred", "\u2028"))
    asked = await run(home, "--json", "ask", "--session", session, "--provider", "openai", session)
    lines = [json.loads(line) for line in asked.out.split("\n")[:-1]]
    assert lines[0] == {"type": "asked", "sessionId": session, "generation": 1}
    assert [line.get("status") for line in lines if line["type"] == "metadata"] == ["started", "completed"]
    assert "".join(line["content"] for line in lines if line["type"] == "chunk") == "\x1b[31mred\u2028"
    assert asked.out.isascii()
    refused = await run(home, "stop", "--json", "no-such-session")
    assert refused.code == 4
    assert json.loads(refused.out)["code"] == "session_not_found"


async def test_who_reads_only_the_head_is_told_nothing(home: dict[str, str], upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    asking = await Running(home, "ask", "--session", session, "--provider", "openai", session).pipe()
    gate.let_out(1)
    await asking.shows(WORDS[0].strip())
    asking.hang_up()
    gate.let_out(ALL)
    ended = await asking.ended()
    assert (ended.code, ended.err) == (141, "")


async def test_who_has_closed_the_outputs_has_asked_all_the_same(
    home: dict[str, str], upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS)
    asking = Running(home, "ask", "--session", session, "--provider", "openai", session)
    asking.through = ("sh", "-c", 'exec "$@" >&- 2>&-', "sh")
    assert await (await asking.pipe()).ended() == (0, "", "")
    assert (await run(home, "follow", "--again", session)).out == SENT


async def test_a_server_that_is_out_of_reach_is_named(home: dict[str, str], session: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    ended = await run(home | {"REJOIN_URL": nobody}, "stop", session)
    assert (ended.code, ended.out) == (4, "")
    assert f"Looked for at {nobody};" in ended.err


async def test_a_wrong_command_line_is_told_so(home: dict[str, str]) -> None:
    for wrong in (("ask",), ("follow", "../../etc/passwd"), ("ask", "--url", "localhost:8000", "?")):
        ended = await run(home, *wrong)
        assert ended.code == 2, ended
        assert "Traceback" not in ended.err
