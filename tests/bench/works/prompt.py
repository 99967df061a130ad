"""W5: from a prompt to the first chunk at its viewer, on a machine that does nothing else."""

from tests.bench.figures import OURS
from tests.bench.rig import Rig

_PROMPTS = 100


async def prompt(rig: Rig) -> None:
    """W5: one prompt after the other, through both services; the time that the provider takes itself is taken off."""
    upstream, prompts = await rig.generator("upstream").listening(), rig.generator("prompts")
    generate, consume = await rig.generate(upstream.url), await rig.server(OURS)
    # The first prompt of a process pays for what the SDK loads only then.
    cold = await prompts.ask("first_chunks", generate=generate.url, consume=consume.url, count=1, early=True)
    rig.found.remarks.append(f"{rig.work}: the first prompt of a process took {cold['p50']:.0f} ms")
    found: dict[bool, dict[str, list[float]]] = {early: {"p50": [], "p99": []} for early in (True, False)}
    for _ in range(rig.size.windows):
        for early in (True, False):
            rig.tell("the viewer is there" if early else "the viewer comes upon the 202")
            told = await prompts.ask(
                "first_chunks", generate=generate.url, consume=consume.url, count=rig.size.of(_PROMPTS), early=early
            )
            for name, ms in found[early].items():
                ms.append(told[name])
    rig.generator_cost("upstream", await upstream.ask("report"))
    rig.figure("p50", "ms", {OURS: found[True]["p50"]})
    rig.figure("p99", "ms", {OURS: found[True]["p99"]})
    rig.figure("p50, viewer comes upon the 202", "ms", {OURS: found[False]["p50"]})
    rig.figure("p99, viewer comes upon the 202", "ms", {OURS: found[False]["p99"]})
