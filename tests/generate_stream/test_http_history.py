"""What the model is told of the earlier turns, as the vendor's server hears it."""

from typing import Any

import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate

pytestmark = pytest.mark.anyio


class Talk:
    """One session's conversation. Its questions begin with the session, so that the fake's record is told apart."""

    def __init__(self, upstream: Upstream, caller: Caller) -> None:
        self._upstream = upstream
        self._caller = caller

    def question(self, name: str) -> dict[str, str]:
        """The message that a question is sent as."""
        return user(f"{self._caller.session} {name}")

    async def ask(self, name: str, script: Script | None = None, **body: Any) -> dict[str, Any]:
        """Ask, wait for the end, and return what the vendor was sent."""
        prompt = self.question(name)["content"]
        self._upstream.prompts[prompt] = script or Script(text=(f"answer {name}",))
        asked = {} if "messages" in body else {"prompt": prompt}
        await self._caller.ended(await self._caller.start(**asked, **body))
        return self.heard(prompt)

    async def ask_and_stop(self, name: str, pieces: int) -> None:
        """Ask, and stop after so many pieces of the answer."""
        prompt, gate = self.question(name)["content"], Gate()
        self._upstream.prompts[prompt] = Script(text=(f"part of {name}", " and more"), gate=gate)
        generation = await self._caller.start(prompt=prompt)
        await gate.reached_within(5)
        gate.let_out(pieces)
        await self._caller.has_text(f"part of {name}" if pieces else "", generation)
        await self._caller.stop()
        assert (await self._caller.ended(generation))["status"] == "stopped"

    def heard(self, prompt: str) -> dict[str, Any]:
        """The body of the newest request whose last user message this was."""
        return next(request.body for request in reversed(self._upstream.requests) if request.prompt == prompt)


@pytest.fixture
def talk(upstream: Upstream, caller: Caller) -> Talk:
    return Talk(upstream, caller)


async def test_completed_turns_go_along_whole_and_thinking_never(talk: Talk) -> None:
    thinking = Script(text=("answer ", "1"), thinking=("Secret ", "thought."))
    assert (await talk.ask("1", thinking))["messages"] == [talk.question("1")]
    heard = await talk.ask("2")
    assert heard["messages"] == [talk.question("1"), assistant("answer 1"), talk.question("2")]


async def test_stopped_turns_go_along_with_what_was_said_unless_nothing_was(talk: Talk) -> None:
    await talk.ask_and_stop("1", 1)
    await talk.ask_and_stop("2", 0)
    heard = await talk.ask("3")
    assert heard["messages"] == [talk.question("1"), assistant("part of 1"), talk.question("3")]


async def test_failed_turns_are_left_out_question_too(talk: Talk) -> None:
    await talk.ask("1", Script(status=401))
    await talk.ask("2", Script(text=("half an ", "answer"), finish=""))
    await talk.ask("3")
    assert (await talk.ask("4"))["messages"] == [talk.question("3"), assistant("answer 3"), talk.question("4")]


async def test_replaced_turns_are_left_out_also_later(talk: Talk) -> None:
    await talk.ask("1")
    await talk.ask("2")
    expected = [talk.question("1"), assistant("answer 1"), talk.question("3")]
    assert (await talk.ask("3", replaces=2))["messages"] == expected
    heard = await talk.ask("4")
    assert heard["messages"] == [*expected, assistant("answer 3"), talk.question("4")]


async def test_a_conversation_that_the_client_brings_is_what_counts_from_there_on(talk: Talk) -> None:
    await talk.ask("1")
    brought = [user("Hi."), assistant("Hello."), talk.question("2")]
    assert (await talk.ask("2", messages=brought))["messages"] == brought
    heard = await talk.ask("3")
    assert heard["messages"] == [*brought, assistant("answer 2"), talk.question("3")]


async def test_the_system_and_the_knobs_go_along_with_their_own_question_only(talk: Talk) -> None:
    heard = await talk.ask("1", system="Be brief.", temperature=0.5, maxTokens=9, model="some-model")
    assert heard["messages"] == [{"role": "system", "content": "Be brief."}, talk.question("1")]
    assert (heard["temperature"], heard["max_tokens"], heard["model"]) == (0.5, 9, "some-model")
    heard = await talk.ask("2")
    assert heard["messages"] == [talk.question("1"), assistant("answer 1"), talk.question("2")]
    assert not {"temperature", "max_tokens"} & heard.keys()


async def test_another_provider_is_told_of_the_same_turns(talk: Talk) -> None:
    await talk.ask("1", provider="openai")
    heard = await talk.ask("2", provider="anthropic", system="Be brief.")
    assert [text_of(message) for message in heard["messages"]] == [
        ("user", talk.question("1")["content"]),
        ("assistant", "answer 1"),
        ("user", talk.question("2")["content"]),
    ]
    assert "Be brief." in str(heard["system"])


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def text_of(message: dict[str, Any]) -> tuple[str, str]:
    """Anthropic takes a message's content as a text or as a list of blocks."""
    content = message["content"]
    return message["role"], content if isinstance(content, str) else "".join(block["text"] for block in content)
