"""OpenAI's Responses as the official client for Python meets them: begun, cut, taken up, gone on from, undone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from deploy.leash import Leash
from shared import keys
from tests.consume_stream.outside_writer import OutsideWriter
from tests.dialects.recipes import recipe, run
from tests.fakes.issuer import SECRET, SETTINGS, by_secret
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.proxy import Proxy

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

WORDS = Script(text=("One ", "wörld\u2028", "🌊", "."), thinking=("Hm", " …"))
CALL = ("call_7", "weather", ('{"city":', '"Bern"}'))
TOOLS: list[Any] = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]


@pytest.fixture
async def client(front: str) -> AsyncIterator[AsyncOpenAI]:
    """The client, as its users make it."""
    async with AsyncOpenAI(base_url=f"{front}/v1", api_key="none", max_retries=0) as made:
        yield made


async def listen(stream: Any) -> list[Any]:
    """All events of a stream."""
    return [event.to_dict() async for event in stream]


def asked(upstream: Upstream) -> list[dict[str, Any]]:
    """What the model was told last."""
    return [{"role": each["role"], "content": each.get("content")} for each in upstream.requests[-1].body["messages"]]


@pytest.mark.parametrize("model", ["gpt-5", "claude-sonnet-4-5"], ids=["openai", "anthropic"])
async def test_who_comes_back_at_any_event_has_every_event_once(
    client: AsyncOpenAI, upstream: Upstream, session: str, model: str
) -> None:
    upstream.prompts[session] = WORDS
    whole = await listen(await client.responses.create(model=model, input=session, stream=True, background=True))
    assert [event["sequence_number"] for event in whole] == list(range(len(whole)))
    response = whole[-1]["response"]
    assert response["status"] == "completed"
    for number in range(-1, len(whole) + 1, 3):
        more: Any = {"starting_after": number} if number >= 0 else {}
        stream = await client.responses.retrieve(response["id"], stream=True, **more)
        assert await listen(stream) == whole[number + 1 :]
    again = await client.responses.retrieve(response["id"])
    assert (again.to_dict(), again.output_text) == (response, "One wörld\u2028🌊.")


async def test_a_stream_that_is_cut_while_it_runs_goes_on_where_it_was(
    client: AsyncOpenAI, front: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=tuple(f"{number} " for number in range(30)), delay_s=0.01)
    events: list[Any] = []
    cuts = 0
    async with Proxy(front.replace("http", "redis")) as proxy:
        far = client.with_options(base_url=f"{proxy.url.replace('redis', 'http')}/v1")
        proxy.cut_after_bytes(2500, "replies")
        stream: Any = await far.responses.create(model="gpt-5", input=session, stream=True, background=True)
        while not events or events[-1]["type"] != "response.completed":
            try:
                async for event in stream:
                    events.append(event.to_dict())
            except openai.APIConnectionError:
                cuts += 1
                proxy.cut_after_bytes(2500 + 700 * cuts, "replies")
            which, last = events[0]["response"]["id"], events[-1]["sequence_number"]
            stream = await far.responses.retrieve(which, stream=True, starting_after=last)
        await stream.close()
    assert cuts > 2
    assert events == await listen(await client.responses.retrieve(which, stream=True))


def _at_once(front: str, prompt: str) -> tuple[list[Any], Any, Any]:
    with OpenAI(base_url=f"{front}/v1", api_key="none") as client:
        with client.responses.stream(model="gpt-5", input=prompt) as stream:
            events = [event.type for event in stream]
            final = stream.get_final_response()
        raw = client.responses.with_raw_response.retrieve(final.id)
        polled: Any = client.responses.create(model="gpt-5", input=prompt, background=True)
        assert polled.status in ("queued", "in_progress")
        for _ in range(2000):
            if polled.status == "completed":
                break
            polled = client.responses.retrieve(polled.id)
        return events, (final, raw.parse()), polled


async def test_the_helpers_of_the_client_that_waits(front: str, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = WORDS
    events, (final, raw), polled = await asyncio.to_thread(_at_once, front, session)
    assert (events[0], events[-1]) == ("response.created", "response.completed")
    assert final.output_text == raw.output_text == polled.output_text == "One wörld\u2028🌊."
    assert [item.type for item in final.output] == ["reasoning", "message"]
    assert final.usage.input_tokens == WORDS.input_tokens


async def test_a_cancel_ends_it_for_all_who_watch(client: AsyncOpenAI, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("Half", "never"), stall_after=1)
    stream = await client.responses.create(model="gpt-5", input=session, stream=True)
    events: list[Any] = [(await anext(stream)).to_dict()]
    which = events[0]["response"]["id"]
    while events[-1]["type"] != "response.output_text.delta":
        events.append((await anext(stream)).to_dict())
    other = asyncio.create_task(listen(await client.responses.retrieve(which, stream=True)))
    cancelled = await client.responses.cancel(which)
    events += await listen(stream)
    assert await other == events
    assert (events[-1]["type"], events[-1]["response"]) == ("response.incomplete", cancelled.to_dict())
    assert (cancelled.status, cancelled.output_text) == ("cancelled", "Half")
    assert await client.responses.cancel(which) == cancelled


async def test_a_failure_is_told_by_object_and_event(client: AsyncOpenAI, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("Half",), finish="")
    whole = await client.responses.create(model="gpt-5", input=session)
    assert (whole.status, whole.output_text) == ("failed", "Half")
    assert whole.error
    assert whole.error.code == "server_error"
    events = await listen(await client.responses.retrieve(whole.id, stream=True))
    assert (events[-1]["type"], events[-1]["response"]["error"]) == ("response.failed", whole.error.to_dict())


async def test_a_conversation_goes_on_forks_and_forgets(client: AsyncOpenAI, upstream: Upstream, session: str) -> None:
    for number in range(1, 5):
        upstream.prompts[f"{session} {number}"] = Script(text=(f"Answer {number}.",))

    async def ask(number: int, **more: Any) -> Any:
        return await client.responses.create(model="gpt-5", input=f"{session} {number}", **more)

    def turns(*numbers: int) -> list[dict[str, Any]]:
        said = [
            [
                {"role": "user", "content": f"{session} {number}"},
                {"role": "assistant", "content": f"Answer {number}."},
            ]
            for number in numbers
        ]
        return [each for turn in said for each in turn][:-1]

    first = await ask(1, instructions="Be brief.")
    assert asked(upstream) == [{"role": "system", "content": "Be brief."}, *turns(1)]
    second = await ask(2, previous_response_id=first.id)
    assert asked(upstream) == turns(1, 2)
    fork = await ask(3, previous_response_id=first.id)
    assert asked(upstream) == turns(1, 3)
    assert (first.previous_response_id, fork.previous_response_id) == (None, first.id)
    assert (await client.responses.retrieve(fork.id)).previous_response_id == first.id

    await client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.delete(first.id)
    with pytest.raises(openai.BadRequestError) as refused:
        await ask(4, previous_response_id=first.id)
    assert (refused.value.code, refused.value.param) == ("previous_response_not_found", "previous_response_id")
    await ask(4, previous_response_id=second.id)
    assert asked(upstream) == turns(2, 4)


async def test_the_loop_of_tools(client: AsyncOpenAI, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("Let me see.",), calls=(CALL,))
    async with client.responses.stream(model="gpt-5", input=session, tools=TOOLS) as stream:
        told = [event.type async for event in stream]
        first = await stream.get_final_response()
    assert "response.function_call_arguments.done" in told
    call: Any = first.output[-1]
    assert (call.call_id, call.name, call.arguments) == ("call_7", "weather", '{"city":"Bern"}')

    upstream.prompts[f"{session} sun"] = Script(text=("It is sunny.",))
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": f"{session} sun"}
    last = await client.responses.create(model="gpt-5", input=[output], previous_response_id=first.id, tools=TOOLS)
    assert last.output_text == "It is sunny."
    sent = upstream.requests[-1].body["messages"]
    assert [each["role"] for each in sent] == ["user", "assistant", "tool"]
    # And as a client does it that keeps the conversation itself.
    mine: list[Any] = [{"role": "user", "content": session}, *[item.to_dict() for item in first.output], output]
    await client.responses.create(model="gpt-5", input=mine, tools=TOOLS)
    assert upstream.requests[-1].body["messages"] == sent


async def test_a_takeover_in_the_middle(client: AsyncOpenAI, writer: OutsideWriter, session: str) -> None:
    await writer.begin()
    await writer.say("Void")
    await writer.take_over()
    await writer.say("Good ", "words.")
    await writer.end()
    which = f"resp_{session}_1"
    async with client.responses.stream(response_id=which) as stream:
        final = await stream.get_final_response()
    assert final.output_text == "Good words."
    assert final.output_text == (await client.responses.retrieve(which)).output_text


async def test_the_recipe_prints_every_word_once_though_it_is_cut(
    front: str, upstream: Upstream, session: str, tmp_path: Path, node_clients: Path
) -> None:
    words = [f"{number} " for number in range(30)]
    upstream.prompts["What survives a refresh?"] = Script(text=tuple(words), delay_s=0.01)
    upstream.prompts["And a restart?"] = Script(text=("That too.",))
    async with Proxy(front.replace("http", "redis")) as proxy:
        proxy.cut_after_bytes(5000, "replies")
        origin = proxy.url.partition("/0")[0].replace("redis", "http")
        said = await run(recipe("openai-responses"), origin, session, tmp_path, node_clients)
        assert proxy.connections > 1
    del upstream.prompts["What survives a refresh?"]
    assert said == "".join(words) + "That too.\n"


async def test_what_is_erased_is_gone(client: AsyncOpenAI, redis_client: Any, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("Half", "never"), stall_after=1)
    first = await client.responses.create(model="gpt-5", input=session, background=True)
    log, meta = (of(first.id.split("_", 1)[1].rpartition("_")[0]) for of in (keys.log, keys.meta))
    await client.responses.delete(first.id)  # stopped before
    assert await redis_client.exists(log) == 0
    assert (await redis_client.hgetall(meta))["status"] == "deleted"


@pytest.mark.parametrize("which", ["resp_nothing", "resp_no-such-session_1"])
async def test_what_is_not_there_is_not_found(client: AsyncOpenAI, which: str) -> None:
    for ask in (client.responses.retrieve, client.responses.cancel, client.responses.delete):
        with pytest.raises(openai.NotFoundError) as refused:
            await ask(which)
        assert refused.value.type == "not_found_error"


async def test_what_no_provider_takes_is_refused(client: AsyncOpenAI, session: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="gpt-5", input=session, max_output_tokens=-1)
    assert refused.value.param == "max_output_tokens"


async def test_whose_response_it_is(redis_url: str, leash: Leash, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = WORDS
    settings = SETTINGS | {"REJOIN_JWT_SECRET": SECRET}
    async with Services(redis_url, leash, vendors=upstream.url, **settings) as guarded, guarded.origin() as url:
        owner = AsyncOpenAI(base_url=f"{url}/v1", api_key=by_secret(sub=session), max_retries=0)
        events = await listen(await owner.responses.create(model="gpt-5", input=session, stream=True))
        which = events[-1]["response"]["id"]
        stranger = owner.with_options(api_key=by_secret(sub="somebody else"))
        for ask in (stranger.responses.retrieve, stranger.responses.cancel, stranger.responses.delete):
            with pytest.raises(openai.NotFoundError):
                await ask(which)
        with pytest.raises(openai.BadRequestError):
            await stranger.responses.create(model="gpt-5", input=session, previous_response_id=which)
        with pytest.raises(openai.AuthenticationError):
            await owner.with_options(api_key="nobody").responses.retrieve(which)
        assert (await owner.responses.retrieve(which)).output_text == "One wörld\u2028🌊."
        await owner.responses.delete(which)
        await owner.close()
