"""The fake vendor as a process of its own, as the system tests use it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from services.generate_stream.providers.openai import OpenAI
from tests.fakes.heard import hear, request

pytestmark = pytest.mark.anyio


async def test_a_process_answers_by_its_script_file_and_dies_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    prompts = {"Think!": {"text": ["Done."], "thinking": ["Hm."]}, "Fail!": {"status": 401}}
    script.write_text(json.dumps({"default": {"text": ["By ", "default."]}, "prompts": prompts}))
    pipe = asyncio.subprocess.PIPE
    arguments = ("-m", "tests.fakes.upstream", "--script", str(script), "--until-stdin-ends")
    fake = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)
    assert fake.stdin
    assert fake.stdout
    url = json.loads(await fake.stdout.readline())["url"]
    provider = OpenAI("openai", ("m",), key=None, base_url=f"{url}/v1", stall_timeout_s=5)
    thought, failed, default = [await hear(provider, request(said)) for said in ("Think!", "Fail!", "Speak!")]
    await provider.close()
    fake.stdin.close()
    async with asyncio.timeout(5):
        assert await fake.wait() == 0
    assert (thought.text, thought.thinking, default.text) == ("Done.", "Hm.", "By default.")
    assert failed.error
    assert failed.error.code == "provider_auth"
