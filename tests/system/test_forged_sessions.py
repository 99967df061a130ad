"""No session id smuggles a key, a glob, a slot or a command into Redis, by whatever route it comes."""

from typing import Any

import httpx2
import pytest

from shared import keys
from tests import redis_users
from tests.processes import Services
from tests.viewing import Refused, Viewer

pytestmark = pytest.mark.anyio

VICTIM = "the-victims-session"
FORGED = [
    "*", "????????????", "[a-z]*******", f"{VICTIM}*", f"{{{VICTIM}}}", f"}}:{VICTIM}", f"{VICTIM}}}:meta",
    f"{VICTIM}:meta", f"x{{llm:stream:{VICTIM}}}:meta", "../../running", "llm:running", "llm:quota:{x}:starts",
    f"{VICTIM}\n", f"{VICTIM}\r\nFLUSHALL", f"{VICTIM}\r\n*1\r\n$8\r\nFLUSHALL\r\n", f"{VICTIM}\0", f"{VICTIM} DEL",
    "\uff54he-victims-session", "x" * 65, "x" * 7, "",
]  # fmt: skip


async def test_none_of_them_gets_anywhere(house: Services, own_redis: str, own_client: Any) -> None:
    await own_client.hset(keys.meta(VICTIM), "status", "running")
    before = sorted(await own_client.keys("*"))
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        for forged in FORGED:
            for path in ("generate-stream", "stop-stream", "delete-stream"):
                body = {"sessionId": forged, "prompt": "hello"} if path == "generate-stream" else {"sessionId": forged}
                response = await client.post(f"{house.generate.url}/api/{path}", json=body)
                assert response.status_code == 400, (path, forged)
            with pytest.raises(Refused) as refused:
                await Viewer(house.consume.url, forged).connect()
            assert refused.value.response.status_code == 400, forged
            url = httpx2.URL(house.consume.url).copy_with(raw_path=b"/api/sessions/" + quoted(forged))
            assert (await client.get(url)).status_code in (400, 404), forged
    assert sorted(await own_client.keys("*")) == before
    assert await own_client.hgetall(keys.meta(VICTIM)) == {"status": "running"}
    await own_client.delete(keys.meta(VICTIM))
    assert redis_users.refusals(own_redis) == []


def quoted(text: str) -> bytes:
    """Every byte escaped, so that it comes as it is."""
    return b"".join(b"%%%02X" % byte for byte in text.encode())
