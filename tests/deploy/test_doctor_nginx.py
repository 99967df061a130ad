"""The doctor in front of a real nginx: each fault is named, and the line that it says mends it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.doctor import mends
from deploy.leash import Leash
from shared.findings import Finding, Mend
from tests.deploy import nginx
from tests.deploy.examined import examined, lines, not_well
from tests.deploy.nginx import Server
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

HTTP_1_1 = "".join(mend.line for mend in mends.HTTP_1_1_UPSTREAM)
FAULTS = {
    "compression": ("gzip on; gzip_types text/event-stream;", mends.COMPRESSION[0]),
    "idle cut-off": ("proxy_read_timeout 500ms;", mends.idle(0.5)[0]),
}
"""By check: what breaks a server, and the line for its location that mends it."""


@pytest.fixture(scope="module")
async def services(redis_url: str, leash: Leash, anyio_backend: str) -> AsyncIterator[Services]:
    nginx.needed("nginx")
    async with Services(redis_url, leash, REJOIN_DOCTOR="on", REJOIN_PING_S="1") as running:
        yield running


@pytest.fixture(scope="module")
def ports(
    services: Services, leash: Leash, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[int, int]]]:
    """For each fault a server that has it, and one that was mended."""
    servers = []
    for fault, mend in FAULTS.values():
        servers += [Server(fault, HTTP_1_1), Server(fault, HTTP_1_1 + mend.line)]
    where = tmp_path_factory.mktemp("nginx")
    with nginx.running(where, leash, services.generate.url, services.consume.url, servers) as ports:
        yield dict(zip(FAULTS, zip(ports[::2], ports[1::2], strict=True), strict=True))


@pytest.mark.parametrize("check", FAULTS)
async def test_a_fault_is_named_and_its_line_mends_it(ports: dict[str, tuple[int, int]], check: str) -> None:
    broken, mended = await asyncio.gather(*(examined(f"http://127.0.0.1:{port}") for port in ports[check]))
    assert not_well(broken) == {check: "problem"}
    mend: Mend = FAULTS[check][1]
    assert mend in broken[check].mends
    assert not_well(mended) == {}


async def test_an_nginx_before_another_one_holds_back_and_either_line_mends_it(
    services: Services, leash: Leash, tmp_path_factory: pytest.TempPathFactory
) -> None:
    off, pass_on = (mend.line for mend in mends.BUFFERING[:2])
    generate = services.generate.url
    inner = [Server("", HTTP_1_1), Server("", HTTP_1_1 + pass_on)]
    with nginx.running(tmp_path_factory.mktemp("inner"), leash, generate, services.consume.url, inner) as ports:
        plain, passing = (f"http://127.0.0.1:{port}" for port in ports)
        outer = [Server(consume=plain), Server("", off, consume=plain), Server(consume=passing)]
        with nginx.running(tmp_path_factory.mktemp("outer"), leash, generate, plain, outer) as ports:
            broken, *mended = [await examined(f"http://127.0.0.1:{port}") for port in ports]
    assert not_well(broken) == {"buffering": "problem"}
    assert lines(broken["buffering"])[:2] == [off, pass_on]
    assert [not_well(each) for each in mended] == [{}, {}]


async def test_http_1_0_to_the_service_is_named_and_its_lines_mend_it(
    services: Services, leash: Leash, tmp_path_factory: pytest.TempPathFactory
) -> None:
    where = tmp_path_factory.mktemp("nginx")
    with nginx.running(where, leash, services.generate.url, services.consume.url, [Server()]) as [port]:
        found = await examined(f"http://127.0.0.1:{port}")
    assert not_well(found) == {"proxy to consume-stream": "warning"}
    assert "".join(lines(found["proxy to consume-stream"])) == HTTP_1_1


async def test_http_2_is_seen_and_its_absence_named(
    services: Services, leash: Leash, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nginx.needed("openssl")
    where = tmp_path_factory.mktemp("nginx")
    secure = nginx.certificate(where)
    servers = [Server(secure, HTTP_1_1, "ssl http2"), Server(secure, HTTP_1_1, "ssl")]
    with nginx.running(where, leash, services.generate.url, services.consume.url, servers) as ports:
        urls = [f"https://localhost:{port}" for port in ports]
        new, old = await asyncio.gather(*(examined(url, insecure=True) for url in urls))
        distrusted = await examined(urls[0])
    assert not_well(new) == {}
    assert new["protocol"].state == "ok"
    assert not_well(old) == {"protocol": "warning"}
    assert "listen 443 ssl http2;" in lines(old["protocol"])
    assert "http2 on;" in lines(old["protocol"])
    out_of_reach: Finding = distrusted["reach"]
    assert "certificate verify failed" in out_of_reach.seen
