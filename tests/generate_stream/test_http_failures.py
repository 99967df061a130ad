"""Every failure of a provider becomes a terminal entry: a stable code, a text safe to show, whether to try again."""

import asyncio
import hashlib
from dataclasses import dataclass

import nanoid
import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller

pytestmark = pytest.mark.anyio

WORDS = ("Hel", "lo, ", "wörld")


@dataclass(frozen=True)
class Failure:
    """What the vendor does, and what becomes of the answer."""

    script: Script
    code: str
    retryable: bool
    text: str


FAILURES = {
    "401": Failure(Script(status=401), "provider_auth", False, ""),
    "403": Failure(Script(status=403), "provider_auth", False, ""),
    "400": Failure(Script(status=400), "provider_refused", False, ""),
    "404": Failure(Script(status=404), "provider_refused", False, ""),
    "429": Failure(Script(status=429), "provider_rate_limited", True, ""),
    "500": Failure(Script(status=500), "provider_error", True, ""),
    "529": Failure(Script(status=529), "provider_overloaded", True, ""),
    "cut at once": Failure(Script(text=WORDS, cut_at=1), "provider_cut", True, ""),
    "a clean end without a finish": Failure(Script(text=WORDS, finish=""), "provider_cut", True, "Hello, wörld"),
    "an error in the stream": Failure(
        Script(text=WORDS, error="overloaded_error", error_after=2), "provider_overloaded", True, "Hello, "
    ),
    "a rate limit in the stream": Failure(
        Script(text=WORDS, error="rate_limit_error", error_after=0), "provider_rate_limited", True, ""
    ),
    "no JSON": Failure(
        Script(text=WORDS, inject="event: content_block_delta\ndata: {oh\n\n", inject_after=2),
        "provider_error", True, "Hello, ",
    ),
}  # fmt: skip


async def fails(upstream: Upstream, caller: Caller, provider: str, name: str, failure: Failure) -> None:
    """Ask in a session of its own, and look at the end."""
    one = Caller(caller.service, caller.redis, str(nanoid.generate()))
    prompt = f"{one.session} {name}"
    upstream.prompts[prompt] = failure.script
    await one.start(prompt=prompt, provider=provider)
    end = await one.ended()
    seen = (end["status"], end.get("code"), end.get("retryable"), await one.text())
    assert seen == ("failed", failure.code, str(failure.retryable).lower(), failure.text), name
    assert end["digest"] == hashlib.sha256(failure.text.encode()).hexdigest()
    assert end["error"]
    assert "sk-" not in end["error"]
    assert prompt not in end["error"]
    assert "finishReason" not in end


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_failure_has_its_code_and_keeps_what_was_said(
    upstream: Upstream, caller: Caller, provider: str
) -> None:
    await asyncio.gather(*(fails(upstream, caller, provider, name, failure) for name, failure in FAILURES.items()))


async def test_a_silent_vendor_is_given_up(upstream: Upstream, tight: Caller) -> None:
    await asyncio.gather(
        *(
            fails(upstream, tight, provider, f"{provider} {after}", Failure(script, "provider_timeout", True, text))
            for provider in ("openai", "anthropic")
            for after, text in ((-1, ""), (2, "Hello, "))
            for script in [Script(text=WORDS, stall_after=after)]
        )
    )


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_an_answer_that_was_cut_is_kept_as_far_as_it_came(
    upstream: Upstream, caller: Caller, session: str, provider: str
) -> None:
    upstream.prompts[session] = Script(text=tuple(f"word {number} " for number in range(50)), cut_at=3000)
    await caller.start(prompt=session, provider=provider)
    end = await caller.ended()
    text = await caller.text()
    assert (end["status"], end["code"], end["retryable"]) == ("failed", "provider_cut", "true")
    assert text.startswith("word 0 word 1 ")
    assert "".join(upstream.prompts[session].text).startswith(text)
    assert end["digest"] == hashlib.sha256(text.encode()).hexdigest()


async def test_what_passes_by_itself_is_tried_again_before_the_first_word(
    upstream: Upstream, caller: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(status=529, times=2)
    await caller.start(prompt=session, provider="anthropic")
    assert (await caller.ended())["status"] == "completed"
    assert sum(request.prompt == session for request in upstream.requests) == 3


async def test_after_a_failure_the_session_goes_on(upstream: Upstream, caller: Caller, session: str) -> None:
    upstream.prompts[session] = Script(status=401)
    await caller.start(prompt=session)
    assert (await caller.ended(1))["status"] == "failed"
    assert await caller.start(prompt="Hello?") == 2
    assert (await caller.ended(2))["status"] == "completed"
