"""The doctor's page: the browser's half of the examination, and what the services see, for everybody to read."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.doctor import mends
from deploy.leash import Leash
from deploy.page import DIST
from tests.deploy import nginx
from tests.deploy.broken_proxy import BrokenProxy
from tests.deploy.nginx import Server
from tests.processes import Services
from tests.web import axe
from tests.web.test_screens import DEVICES, FAULTS, FINGER_PX, TARGET_PX

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.usefixtures("page")]

EXAMINED_MS = 60_000
"""A deadline and no claim."""

PYTHONS = [mends.DOCTOR_ON, mends.BUFFERING, mends.COMPRESSION, mends.HTTP_2, mends.idle(1.0)]
OF_PYTHON = {(mend.where, mend.line) for part in PYTHONS for mend in part}
OWN = ("on the host whose clock is wrong", "or")
"""Said of clocks, by shared/redis_verdicts.py."""


@pytest.fixture(scope="module")
async def services(redis_url: str, leash: Leash, anyio_backend: str) -> AsyncIterator[Services]:
    """Both services, and the doctor on."""
    async with Services(redis_url, leash, REJOIN_DOCTOR="on", REJOIN_PING_S="1") as running:
        yield running


@pytest.fixture(scope="module")
async def doctored(services: Services) -> AsyncIterator[str]:
    """An origin where the doctor is on."""
    async with services.origin(REJOIN_DOCTOR="on") as url:
        yield url


async def examined(page: Page, url: str) -> dict[str, str]:
    """Open it and wait until it has done; what it found, by check."""
    await page.goto(f"{url}/doctor")
    await expect(page.get_by_role("button", name="Examine again")).to_be_enabled(timeout=EXAMINED_MS)
    return dict(
        await page.eval_on_selector_all(".finding", "(all) => all.map((e) => [e.dataset.check, e.dataset.state])")
    )


async def test_a_healthy_chain_is_said_to_be_so(browser: Browser, doctored: str) -> None:
    page = await browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    found = await examined(page, doctored)
    assert await page.get_by_role("status").text_content() == "Nothing is wrong."
    browsers = {"buffering", "compression", "EventSource", "idle cut-off", "clock of consume-stream"}
    assert {name: found[name] for name in browsers} == dict.fromkeys(browsers, "ok")
    assert found["protocol"] == "unchecked"
    assert found["eviction"] == "ok"
    # Each service is a user of its own in Redis, and tells of its own rights.
    assert [found[name] for name in found if name.startswith("rights in Redis")] == ["ok", "ok"]
    assert errors == []
    await page.get_by_role("button", name="Examine again").click()
    await expect(page.get_by_role("status")).to_contain_text("Listening")
    await page.close()


@pytest.mark.parametrize("device", ["desk", "small phone"])
async def test_a_broken_chain_is_named_with_what_mends_it(browser: Browser, doctored: str, device: str) -> None:
    await asyncio.to_thread(axe.install)
    context = await browser.new_context(**DEVICES[device])
    page = await context.new_page()
    async with BrokenProxy(int(doctored.rpartition(":")[2]), holds=True, gzips=True) as proxy:
        found = await examined(page, proxy.url)
    # First, because they are looked for.
    assert list(found)[:2] == ["buffering", "compression"]
    assert [name for name, state in found.items() if state == "problem"] == ["buffering", "compression"]
    assert await page.get_by_role("status").text_content() == "Found: 2 problems, 0 warnings."
    await expect(page.get_by_text("proxy_buffering off;")).to_be_visible()
    await expect(page.get_by_text("gzip off;")).to_be_visible()
    if folder := os.environ.get("SCREENS"):
        await page.screenshot(path=Path(folder) / f"doctor-{device}.png", full_page=True)
    assert await page.evaluate(FAULTS, [TARGET_PX, FINGER_PX, ["Examine again"]]) == []
    assert await axe.grave_violations(page) == []
    await context.close()


async def test_a_stream_that_is_cut_when_quiet_is_named(browser: Browser, doctored: str) -> None:
    page = await browser.new_page()
    async with BrokenProxy(int(doctored.rpartition(":")[2]), idle_s=0.8) as proxy:
        found = await examined(page, proxy.url)
        assert [name for name, state in found.items() if state == "problem"] == ["idle cut-off"]
        await expect(page.get_by_text("REJOIN_PING_S=0.5")).to_be_visible()
    await page.close()


async def test_without_the_services_consent_it_says_what_turns_it_on(browser: Browser, doctored: str) -> None:
    page = await browser.new_page()

    async def as_if_off(route: object) -> None:
        await route.fulfill(status=404, json={"error": {"code": "not_found", "message": ""}})  # type: ignore[attr-defined]

    await page.route("**/api/**", as_if_off)
    found = await examined(page, doctored)
    assert found == {"doctor of consume-stream": "problem", "doctor of generate-stream": "problem"}
    assert await page.get_by_text("REJOIN_DOCTOR=on").count() == 2
    await page.close()


async def test_its_lines_are_those_of_the_command(browser: Browser, doctored: str) -> None:
    page = await browser.new_page()
    await page.goto(f"{doctored}/doctor/")
    told = await page.evaluate("import('/doctor/mends.js').then((all) => Object.values(all).flat())")
    lines = {(each["where"], each["line"]) for each in told if each["where"] not in OWN}
    assert len(lines) > 5
    assert lines <= OF_PYTHON
    await page.close()


async def test_behind_a_real_nginx_with_tls_it_sees_http_2(
    browser: Browser, services: Services, leash: Leash, tmp_path: Path
) -> None:
    nginx.needed("nginx", "openssl")
    files = f"root {DIST}; location = /doctor {{ default_type text/html; alias {DIST}/doctor/index.html; }}"
    types = "types { text/html html; text/css css; text/javascript js; image/svg+xml svg; }"
    server = Server(f"{nginx.certificate(tmp_path)} {files} {types}", "proxy_http_version 1.1;", "ssl http2")
    context = await browser.new_context(ignore_https_errors=True)
    page = await context.new_page()
    with nginx.running(tmp_path, leash, services.generate.url, services.consume.url, [server]) as [port]:
        found = await examined(page, f"https://localhost:{port}")
        assert set(found.values()) == {"ok"}, found
        await expect(page.get_by_text("h2: any number of tabs")).to_be_visible()
    await context.close()
