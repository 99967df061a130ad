"""The AI SDK's chat, by its own clients of three major versions, against real processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.dialects.chats import VERSIONS, Chat, Chats, running, text
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

Opens = Callable[..., Awaitable[Chat]]


@pytest.fixture(scope="module", params=VERSIONS)
async def chats(request: pytest.FixtureRequest, node_clients: Path) -> AsyncIterator[Chats]:
    """A process of Node, for each version."""
    async with running(node_clients, request.param) as chats:
        yield chats


@pytest.fixture
def opens(chats: Chats, front: str, session: str) -> Opens:
    """Opens chats of the test's session, in tabs."""

    async def opened(tab: str = "one", **more: Any) -> Chat:
        name = f"{session} {tab}"
        given = {"id": session, "api": f"{front}/api/chat", "body": {"provider": "openai"}} | more
        await chats.do("open", name=name, **given)
        return Chat(chats, name)

    return opened


def asked(upstream: Upstream) -> Any:
    """What the model was told last."""
    return upstream.requests[-1].body["messages"]


async def stored(front: str, session: str) -> Any:
    """The conversation as the server has it."""
    async with httpx2.AsyncClient(verify=False) as client:
        response = await client.get(f"{front}/api/chat/{session}/messages")
    assert response.status_code == 200, response.text
    return response.json()


def plain(messages: Any) -> Any:
    """Without what each client names by itself: ids of questions, and of parts."""
    return [
        {
            "role": message["role"],
            "metadata": message.get("metadata"),
            "parts": [{name: value for name, value in part.items() if name != "id"} for part in message["parts"]],
        }
        | ({"id": message["id"]} if message["role"] == "assistant" else {})
        for message in messages
    ]


async def test_a_conversation_is_the_same_here_and_there(
    opens: Opens, front: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[f"{session} 1"] = Script(text=("One\u2028", "\x00 🌊."), thinking=("hm, ", "hm"))
    upstream.prompts[f"{session} 2"] = Script(text=("Two.",), finish="length")
    chat = await opens()
    await chat.send(f"{session} 1")
    await chat.send(f"{session} 2")
    shown = await chat.state()
    assert shown["status"] == "ready"
    assert [text(message) for message in shown["messages"]][1::2] == ["One\u2028\x00 🌊.", "Two."]
    assert shown["messages"][1]["id"] == f"{session}.1"
    assert [each.get("finishReason") for each in shown["finishes"]] == ["stop", "length"]
    assert plain(await stored(front, session)) == plain(shown["messages"])
    # What the model was told of the first turn came from the log.
    told = [said["content"] for said in asked(upstream)]
    assert told == [f"{session} 1", "One\u2028\x00 🌊.", f"{session} 2"]


async def test_a_tab_that_comes_later_sees_all_of_an_answer_that_runs(
    opens: Opens, front: str, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(2)
    upstream.prompts[session] = Script(text=("Hel", "lo", "!"), thinking=("hm",), gate=gate)
    one = await opens()
    await one.ask(session)
    await one.shows("Hel")
    other = await opens("other", messages=await stored(front, session))
    await other.begin("resumeStream")
    await other.shows("Hel")
    for _ in range(2):
        gate.release()
    for tab in (one, other):
        await tab.becomes("ready")
    assert plain(await one.messages()) == plain(await other.messages()) == plain(await stored(front, session))
    # Nothing runs now, and that is no error, as it is none in a chat that has not begun.
    await other.call("resumeStream")
    assert (await other.state())["status"] == "ready"
    assert len(await other.messages()) == 2


async def test_a_chat_that_has_not_begun_has_nothing_to_resume(opens: Opens) -> None:
    chat = await opens()
    await chat.call("resumeStream")
    state = await chat.state()
    assert (state["status"], state["messages"]) == ("ready", [])


async def test_a_stop_is_seen_in_every_tab(opens: Opens, front: str, upstream: Upstream, session: str) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("Hel", "lo"), gate=gate)
    one = await opens()
    await one.ask(session)
    await one.shows("Hel")
    other = await opens("other", messages=await stored(front, session))
    await other.begin("resumeStream")
    await other.shows("Hel")
    async with httpx2.AsyncClient(verify=False) as client:
        stop = await client.post(f"{front}/api/chat/{session}/stop")
    assert (stop.status_code, stop.json()) == (202, {"stopped": True, "generation": 1})
    for tab in (one, other):
        await tab.becomes("ready")
        assert plain(await tab.messages()) == plain(await stored(front, session))


async def test_a_failed_answer_is_an_error_and_may_be_asked_for_again(
    opens: Opens, front: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("Half",), finish="")
    chat = await opens()
    await chat.send(session)
    state = await chat.becomes("error")
    assert state["error"]
    assert text(state["messages"][-1]) == "Half"
    upstream.prompts[session] = Script(text=("Whole.",))
    await chat.call("regenerate")
    assert [text(message) for message in await chat.messages()] == [session, "Whole."]
    assert plain(await stored(front, session)) == plain(await chat.messages())


async def test_an_answer_is_written_anew(opens: Opens, front: str, upstream: Upstream, session: str) -> None:
    upstream.prompts[f"{session} 1"] = Script(text=("One.",))
    upstream.prompts[f"{session} 2"] = Script(text=("Two.",))
    chat = await opens()
    await chat.send(f"{session} 1")
    await chat.send(f"{session} 2")
    upstream.prompts[f"{session} 2"] = Script(text=("Zwei.",))
    await chat.call("regenerate")
    assert [text(message) for message in await chat.messages()][1::2] == ["One.", "Zwei."]
    assert [said["content"] for said in asked(upstream)] == [f"{session} 1", "One.", f"{session} 2"]
    assert plain(await stored(front, session)) == plain(await chat.messages())
    # An earlier one: what came after it is left behind.
    upstream.prompts[f"{session} 1"] = Script(text=("Eins.",))
    await chat.call("regenerate", {"messageId": f"{session}.1"})
    assert [text(message) for message in await chat.messages()] == [f"{session} 1", "Eins."]
    assert [said["content"] for said in asked(upstream)] == [f"{session} 1"]
    assert plain(await stored(front, session)) == plain(await chat.messages())


async def test_an_earlier_question_is_changed(opens: Opens, front: str, upstream: Upstream, session: str) -> None:
    for number in range(4):
        upstream.prompts[f"{session} {number}"] = Script(text=(f"Answer {number}.",))
    chat = await opens()
    for number in range(3):
        await chat.send(f"{session} {number}")
    question = (await chat.messages())[2]["id"]
    await chat.send(f"{session} 3", messageId=question)
    assert [text(message) for message in await chat.messages()][1::2] == ["Answer 0.", "Answer 3."]
    assert [said["content"] for said in asked(upstream)] == [
        f"{session} 0", "Answer 0.", f"{session} 3",
    ]  # fmt: skip
    assert plain(await stored(front, session)) == plain(await chat.messages())


async def test_what_a_transport_is_given_may_be_functions(opens: Opens, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("One.",))
    # By its key the second question is the first one again.
    given = {"headers": {"Idempotency-Key": session}, "body": {"provider": "openai", "system": "Be brief."}}
    for tab in ("one", "other"):
        chat = await opens(tab, functions=True, **given)
        await chat.send(session)
        assert await chat.words() == "One."
    told = [request.body["messages"] for request in upstream.requests if request.prompt == session]
    assert [[said["content"] for said in each] for each in told] == [["Be brief.", session]]


async def test_which_answer_is_resumed_may_be_said(opens: Opens, front: str, upstream: Upstream, session: str) -> None:
    chat = await opens()
    for words in ("One.", "Two."):
        upstream.prompts[session] = Script(text=(words,))
        await chat.send(session)
    first = await opens("other", reconnect={"api": f"{front}/api/chat/{session}/stream?generation=1"})
    await first.call("resumeStream")
    assert [text(message) for message in await first.messages()] == ["One."]


async def test_who_sends_the_last_message_alone_goes_on_from_the_log(
    opens: Opens, front: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("One.",))
    upstream.prompts["And then?"] = Script(text=("Two.",))
    chat = await opens(last=True)
    await chat.send(session)
    await chat.send("And then?")
    await chat.call("regenerate")
    assert [said["content"] for said in asked(upstream)] == [session, "One.", "And then?"]
    assert plain(await stored(front, session)) == plain(await chat.messages())


async def test_a_conversation_from_elsewhere_is_taken_along(opens: Opens, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("Here.",))
    elsewhere = [
        {"id": "q", "role": "user", "parts": [{"type": "text", "text": "Where?"}]},
        {"id": "a", "role": "assistant", "parts": [{"type": "step-start"}, {"type": "text", "text": "There."}]},
    ]
    chat = await opens(messages=elsewhere)
    await chat.send(session)
    assert [said["content"] for said in asked(upstream)] == ["Where?", "There.", session]
    assert [text(message) for message in await chat.messages()][1::2] == ["There.", "Here."]


CALLED = (("call_1", "weather", ('{"city": ', '"Bern"}')), ("call_2", "clock", ("{}",)))


async def test_tools_of_the_page_answer_in_the_same_message(
    opens: Opens, front: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("Let me see.",), thinking=("hm",), calls=CALLED)
    tools = [{"name": name, "parameters": {"type": "object"}} for name in ("weather", "clock")]
    chat = await opens(body={"provider": "openai", "tools": tools}, outputs={})
    await chat.send(session)
    assert [call["input"] for call in (await chat.state())["calls"]] == [{"city": "Bern"}, {}]
    gate = asyncio.Semaphore(1)
    why = f"It stands still: {session}."
    upstream.prompts[f'{{"errorText":"{why}"}}'] = Script(text=("It is ", "21° there."), gate=gate)
    await chat.call("addToolOutput", {"tool": "weather", "toolCallId": "call_1", "output": {"degrees": 21, "of": "1"}})
    broken = {"tool": "clock", "toolCallId": "call_2", "state": "output-error", "errorText": why}
    await chat.call("addToolOutput", broken)
    await chat.shows("Let me see.It is ")
    # A tab that comes in the midst of it sees the whole message, what tools gave back too.
    other = await opens("other", messages=await stored(front, session))
    await other.begin("resumeStream")
    await other.shows("Let me see.It is ")
    gate.release()
    for tab in (chat, other):
        await tab.shows("Let me see.It is 21° there.")
        await tab.becomes("ready")
    shown = await chat.messages()
    assert [message["role"] for message in shown] == ["user", "assistant"]
    assert plain(await other.messages()) == plain(await stored(front, session)) == plain(shown)
    assert asked(upstream)[-2:] == [
        {"role": "tool", "tool_call_id": "call_1", "content": '{"degrees":21,"of":"1"}'},
        {"role": "tool", "tool_call_id": "call_2", "content": f'{{"errorText":"{why}"}}'},
    ]
    # And it goes on from there.
    upstream.prompts["And then?"] = Script(text=("Rain.",))
    await chat.send("And then?")
    assert [said["role"] for said in asked(upstream)] == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert plain(await stored(front, session)) == plain(await chat.messages())


async def test_tabs_that_both_answer_a_call_alike_are_told_one_answer(
    opens: Opens, front: str, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    calls = (("call_1", "locate", ("{}",)),)
    upstream.prompts[session] = Script(text=("Let me ", "see."), calls=calls, gate=gate)
    upstream.prompts[f"Bern {session}"] = Script(text=("In Bern.",))
    given = {"outputs": {"locate": {"output": f"Bern {session}"}}}
    one = await opens(**given)
    await one.ask(session)
    await one.shows("Let me ")
    other = await opens("other", messages=await stored(front, session), **given)
    await other.begin("resumeStream")
    await other.shows("Let me ")
    gate.release()
    for tab in (one, other):
        await tab.shows("Let me see.In Bern.")
        state = await tab.becomes("ready")
        assert plain(state["messages"]) == plain(await stored(front, session))
    assert len([each for each in upstream.requests if each.prompt == f"Bern {session}"]) == 1
