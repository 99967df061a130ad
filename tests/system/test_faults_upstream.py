"""The vendor breaks, stalls, or sends what no vendor should: every answer has its one end, and keeps what was said."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import nanoid
import pytest

from deploy.leash import Leash
from tests.fakes import script
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import Service, Services, vendor_settings
from tests.system.invariant import holds
from tests.system.own_process import GENERATE, process
from tests.system.story import PIECES, SENT
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

MEGABYTE = "🌊" * 2**18
"""Half of what an answer may have."""

CUT_AT_BYTE = 100_000
HALVES = ("a\ud83c", "\udf0a", "", "b\ud83c", "c\udf0a", "\ud83c")


@pytest.fixture(scope="module")
async def services(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """With the patience of the defaults: a vendor in a test starves when the machine does, and that is no stall."""
    async with Services(own_redis, leash, vendors=upstream.url) as running:
        yield running


@pytest.fixture(scope="module")
async def impatient(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Service]:
    """With little patience, for a vendor that stalls indeed."""
    settings = {"REDIS_URL": own_redis, "REJOIN_STALL_TIMEOUT_S": "6"}
    async with process(GENERATE, leash, **vendor_settings(upstream.url), **settings) as running:
        yield running


class Fate(NamedTuple):
    """What the vendor does; how the answer ends (its status, its code or finish reason); what is left of the words."""

    script: Script
    status: str
    why: str
    text: str = SENT


def odd(finish: Any, why: str) -> Fate:
    """An answer that ends with an odd word."""
    return Fate(script.script({"text": PIECES, "finish": finish}), "completed", why)


FATES = {
    "a stall": Fate(Script(PIECES, stall_after=700), "failed", "provider_timeout", "".join(PIECES[:700])),
    "a stall before the first byte": Fate(Script(stall_after=-1), "failed", "provider_timeout", ""),
    "a cut": Fate(Script(PIECES, cut_at=CUT_AT_BYTE, chunked=False), "failed", "provider_cut"),
    "a reset": Fate(Script(PIECES, cut_at=CUT_AT_BYTE, reset=True), "failed", "provider_cut"),
    "a clean end without a finish": Fate(Script(PIECES, finish=""), "failed", "provider_cut"),
    "an error in the middle": Fate(
        Script(PIECES, error="overloaded_error", error_after=700), "failed", "provider_overloaded",
        "".join(PIECES[:700]),
    ),
    "429": Fate(Script(status=429), "failed", "provider_rate_limited", ""),
    "529": Fate(Script(status=529), "failed", "provider_overloaded", ""),
    "bytes one by one": Fate(Script(PIECES[:50], split=1), "completed", "", "".join(PIECES[:50])),
    "halves of characters": Fate(Script(HALVES), "completed", "", "a🌊b\ufffdc\ufffd\ufffd"),
    "a megabyte in one event": Fate(Script((MEGABYTE,)), "completed", "", MEGABYTE),
    "more than an answer may have": Fate(Script((MEGABYTE,) * 3), "completed", "length_cap", MEGABYTE * 2),
    "no words": Fate(Script(()), "completed", "", ""),
    "empty deltas": Fate(Script(("", "a", "", "", "b", "")), "completed", "", "ab"),
    "an object for a finish": odd({"x": 1}, "unknown"),
    "a number for a finish": odd(5, "unknown"),
    "half a character for a finish": odd("\ud800", "\ufffd"),
}  # fmt: skip

USUAL = {"openai": "stop", "anthropic": "end_turn"}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_whatever_the_vendor_does_the_answer_has_one_end_and_every_viewer_reads_the_same(
    services: Services, impatient: Service, own_client: Any, upstream: Upstream, provider: str
) -> None:
    def asked(fate: Fate) -> Caller:
        stalls = fate.script.stall_after is not None
        return Caller(impatient if stalls else services.generate, own_client, nanoid.generate())

    await asyncio.gather(
        *(meets(services, asked(fate), upstream, provider, name, fate) for name, fate in FATES.items())
    )


# One vendor is enough for the number: what the other's SDK takes for each is twice as much, and does not grow.
@pytest.mark.parametrize(("provider", "number"), [("anthropic", 100_000), ("openai", 10_000)])
async def test_a_hundred_thousand_tiny_deltas_are_one_answer(
    services: Services, own_client: Any, upstream: Upstream, provider: str, number: int
) -> None:
    tiny = Fate(Script(("é",) * number), "completed", "", "é" * number)
    caller = Caller(services.generate, own_client, nanoid.generate())
    await meets(services, caller, upstream, provider, "tiny deltas", tiny)


async def meets(services: Services, caller: Caller, upstream: Upstream, provider: str, name: str, fate: Fate) -> None:
    """Ask, watch, and look at what is left."""
    prompt = f"{name} {caller.session}"
    upstream.prompts[prompt] = fate.script
    await caller.start(prompt=prompt, provider=provider)
    early, late = Viewer(services.consume.url, caller.session), Viewer(services.consume.url, caller.session)
    await watched(early)
    await watched(late)
    end = late.frames[-1].event
    assert (name, end.get("code", end.get("finishReason"))) == (name, fate.why or USUAL[provider])
    if fate.script.cut_at:
        assert fate.text.startswith(late.text)
        assert 0 < len(late.text) < len(fate.text)
    text = late.text if fate.script.cut_at else fate.text
    await holds(caller.redis, caller.session, [early, late], text, status=fate.status)


async def watched(viewer: Viewer) -> None:
    """See an answer to its end, which a busy machine may take its time for."""
    async with asyncio.timeout(120):
        async for _ in viewer.stream():
            pass
