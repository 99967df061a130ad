"""The command line on a terminal: what a model writes commands nothing; colours and a spinner are there alone."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoin.command.cleaner import Cleaner, line
from tests.client.running import Running, environment
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.shared.strategies import bounded

HOSTILE = "a\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x9b1Ac\r\n\x1bc\x08\x7fd\tü 🌊\u2028"


@bounded
@given(st.text(st.sampled_from("a;[]0m\x1b\x9b\x07\\\r\n\t🌊\u0085") | st.characters(), max_size=40), st.data())
def test_nothing_that_commands_a_terminal_is_left_wherever_it_is_cut(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    cleaner = Cleaner()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    shown = "".join(cleaner.clean(piece) for piece in pieces)
    assert shown == Cleaner().clean(text)
    assert not [each for each in shown if (each < " " and each not in "\n\t") or "\x7f" <= each <= "\x9f"]


def test_only_what_makes_a_sequence_one_is_taken_away() -> None:
    assert Cleaner().clean(HOSTILE) == "ared 0;title c\ncd\tü 🌊\u2028"
    assert Cleaner().clean("\x1b[" + "1" * 100) == "1" * 37
    assert line("two\n\x1b[1mlines\r ") == "two lines"
    assert line("read \u202ebackwards\u202c \u2067or not\u2069") == "read backwards or not"


@pytest.mark.anyio
@pytest.mark.any_redis
async def test_a_terminal_shows_a_spinner_and_colours_and_no_command_of_the_model(
    origin: str, upstream: Upstream, session: str, tmp_path: Path
) -> None:
    upstream.prompts[session] = Script(text=(HOSTILE, "end"), gate=(gate := Gate()))
    home = environment(origin, tmp_path)
    asking = await Running(home, "ask", "--session", session, "--provider", "openai", session).terminal()
    await asking.shows("⠋ ")
    gate.let_out(1)
    await asking.shows("d\tü 🌊")
    assert "\x1b[31m" not in asking.out
    assert "\x1b]" not in asking.out
    asking.interrupt()
    left = await asking.ended()
    assert left.code == 130
    for told in (
        "The answer goes on without you.",
        f"Come back: rejoin follow {session}",
        f"Stop it: rejoin stop {session}",
    ):
        assert f"\x1b[2m{told}\x1b[0m\r\n" in left.out
    assert "\r\x1b[K" in left.out

    dumb = home | {"TERM": "dumb"}
    following = await Running(dumb, "follow", session).terminal()
    gate.let_out(2)
    ended = await following.ended()
    assert (ended.code, ended.out) == (0, "end\r\n")


@pytest.mark.anyio
@pytest.mark.any_redis
async def test_no_color_is_respected(origin: str, upstream: Upstream, session: str, tmp_path: Path) -> None:
    upstream.prompts[session] = Script(text=("some", "more"), error="server_error", error_after=1)
    asked = "ask", "--session", session, "--provider", "openai", session
    plain = await (await Running(environment(origin, tmp_path, NO_COLOR="1"), *asked).terminal()).ended()
    assert (plain.code, "\x1b[31m" in plain.out) == (1, False)
    coloured = await (await Running(environment(origin, tmp_path), *asked).terminal()).ended()
    assert (coloured.code, "\x1b[31mFailed, " in coloured.out) == (1, True)


@pytest.mark.anyio
@pytest.mark.any_redis
async def test_who_began_a_session_is_told_how_to_go_on_with_it(
    origin: str, upstream: Upstream, session: str, tmp_path: Path
) -> None:
    upstream.prompts[session] = Script(text=("Words.",))
    home = environment(origin, tmp_path, NO_COLOR="1")
    ended = await (await Running(home, "ask", "--provider", "openai", session).terminal()).ended()
    told = re.search(r"Words\.\r\nGo on with it: rejoin ask --session (\w{8,64}) …\r\n$", ended.out)
    assert told, ended.out
    upstream.prompts["more"] = Script(text=("More.",))
    asked = "ask", "--session", told[1], "--provider", "openai", "more"
    again = await (await Running(home, *asked).terminal()).ended()
    assert again.out.endswith("More.\r\n")


@pytest.mark.anyio
@pytest.mark.any_redis
async def test_who_stays_where_nothing_is_written_leaves_no_answer_behind(
    origin: str, upstream: Upstream, session: str, tmp_path: Path
) -> None:
    upstream.prompts[session] = Script(text=("Words.",))
    home = environment(origin, tmp_path)
    await (await Running(home, "ask", "--session", session, "--provider", "openai", session).pipe()).ended()
    staying = await Running(home, "follow", "--stay", session).terminal()
    await staying.shows("waiting")
    staying.interrupt()
    left = await staying.ended()
    assert left.code == 130
    assert "goes on without you" not in left.out
