"""Structured output by the helpers of OpenAI's own package and of LangChain, whichever vendor is behind."""

from typing import Any

import httpx2
import openai
import pytest
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic import BaseModel, Field

from tests.dialects.completing import requests
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

GPT, CLAUDE = "gpt-6.1-terra", "claude-sonnet-5-5"
JSON = Script(text=('{"city": "Ro', 'me", "stars": ', "5}"))


class Rated(BaseModel):
    """How good a city is."""

    city: str
    stars: int = Field(ge=1, le=5)


ROME = Rated(city="Rome", stars=5)


def held(body: dict[str, Any]) -> dict[str, Any]:
    """The schema that a vendor was told to hold to."""
    if "output_config" in body:
        told = body["output_config"]["format"]
    else:
        told = body["response_format"]["json_schema"]
        assert (told["name"], told["strict"]) == ("Rated", True)
    assert "maximum" in str(told["schema"])
    schema: dict[str, Any] = told["schema"]
    return schema


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_completions(client: AsyncOpenAI, upstream: Upstream, prompt: str, model: str) -> None:
    upstream.prompts[prompt] = JSON
    asked: Any = {"model": model, "messages": [{"role": "user", "content": prompt}], "response_format": Rated}
    assert (await client.chat.completions.parse(**asked)).choices[0].message.parsed == ROME
    async with client.chat.completions.stream(**asked) as stream:
        assert (await stream.get_final_completion()).choices[0].message.parsed == ROME
    for body in requests(upstream, prompt):
        assert held(body)["additionalProperties"] is False


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_responses(client: AsyncOpenAI, upstream: Upstream, prompt: str, model: str) -> None:
    upstream.prompts[prompt] = JSON
    parsed = await client.responses.parse(model=model, input=prompt, text_format=Rated)
    assert parsed.output_parsed == ROME
    form = parsed.text and parsed.text.format
    assert form
    assert form.type == "json_schema"
    assert form.name == "Rated"
    async with client.responses.stream(model=model, input=prompt, text_format=Rated) as stream:
        assert (await stream.get_final_response()).output_parsed == ROME
    assert [held(body)["required"] for body in requests(upstream, prompt)] == [["city", "stars"]] * 2


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_langchain(front: str, upstream: Upstream, prompt: str, model: str) -> None:
    upstream.prompts[prompt] = JSON
    chat = ChatOpenAI(base_url=f"{front}/v1", api_key=lambda: "none", model=model)
    assert await chat.with_structured_output(Rated).ainvoke(prompt) == ROME
    assert held(requests(upstream, prompt)[0])


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_strict_tools_one_at_a_time(client: AsyncOpenAI, upstream: Upstream, prompt: str, model: str) -> None:
    upstream.prompts[prompt] = Script(text=(), calls=(("call_1", "Rated", JSON.text),))
    tool = openai.pydantic_function_tool(Rated)
    asked: Any = {"model": model, "messages": [{"role": "user", "content": prompt}], "parallel_tool_calls": False}
    told = await client.chat.completions.parse(**asked, tools=[tool])
    [call] = told.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == ROME
    flat: Any = {"type": "function", **tool["function"]}
    response = await client.responses.parse(model=model, input=prompt, tools=[flat], parallel_tool_calls=False)
    assert (response.parallel_tool_calls, [each.strict for each in response.tools]) == (False, [True])  # type: ignore[union-attr]
    for body in requests(upstream, prompt):
        one = body.get("parallel_tool_calls") is False or body["tool_choice"]["disable_parallel_tool_use"]
        assert one
        assert body["tools"][0].get("function", body["tools"][0])["strict"]


async def test_a_mode_that_a_vendor_has_not_is_refused_by_name_and_begins_nothing(
    client: AsyncOpenAI, front: str, upstream: Upstream, prompt: str
) -> None:
    mode: Any = {"type": "json_object"}
    for asking, param in (
        (client.chat.completions.create(
            model=CLAUDE, messages=[{"role": "user", "content": prompt}], response_format=mode
        ), "response_format"),
        (client.responses.create(model=CLAUDE, input=prompt, text={"format": mode}), "text.format"),
    ):  # fmt: skip
        with pytest.raises(openai.BadRequestError) as refused:
            await asking
        assert (refused.value.code, refused.value.param) == ("unsupported_parameter", param)
        assert refused.value.body["message"] == f"{param}: anthropic has no json_object, only json_schema."  # type: ignore[index]
    async with httpx2.AsyncClient(trust_env=False, verify=False) as plain:
        told = await plain.post(
            f"{front}/api/generate-stream", json={"prompt": prompt, "provider": "anthropic", "format": mode}
        )
    assert (told.status_code, told.json()["error"]["code"]) == (422, "unsupported_parameter")
    assert requests(upstream, prompt) == []
    await client.chat.completions.create(
        model=GPT, messages=[{"role": "user", "content": prompt}], response_format=mode
    )
    assert requests(upstream, prompt)[0]["response_format"] == mode
