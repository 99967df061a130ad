"""A browser's own WebSocket: an answer read whole, cut and resumed; and no page from elsewhere may listen."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from shared.view import View
from tests.fakes.listening import listening
from tests.processes import Services, until
from tests.viewing import Viewer
from tests.web.reader import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

_FOLLOW = """([url, most]) => new Promise((done) => {
    const socket = new WebSocket(url), told = [];
    socket.onmessage = (message) => told.push(message.data) === most && socket.close();
    socket.onclose = (end) => done([told, end.code]);
})"""


async def followed(page: Page, url: str, session: str, after: str = "0", most: int = 0) -> tuple[list[Any], int]:
    """What a page is told until the close, or until so many messages, and the code of the close."""
    address = f"ws{url.removeprefix('http')}/api/consume-stream?sessionId={session}&lastEventId={after}"
    told, code = await page.evaluate(_FOLLOW, [address, most])
    return [json.loads(message) for message in told], code


async def test_a_page_reads_an_answer_in_pieces_as_one(reader: Reader, house: Services, session: str) -> None:
    await house.start(sessionId=session, prompt="Hello", provider="demo")
    page, url = (await reader.open()).page, reader.origin
    first, _ = await followed(page, url, session, most=1)
    assert len(first) == 1
    rest, code = await followed(page, url, session, first[-1]["id"])
    assert code == 1000
    assert await followed(page, url, session, rest[-1]["id"]) == ([], 1000)
    view, viewer = View(), Viewer(house.consume.url, session)
    for message in (*first, *rest):
        view.apply(message["id"], message["data"])
    await viewer.connect()
    assert view.answers == viewer.view.answers != {}


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\nHello")
    writer.close()


async def test_a_page_from_elsewhere_hears_nothing(
    browser: Browser, origin: str, house: Services, session: str
) -> None:
    await house.start(sessionId=session, prompt="Hello", provider="demo")
    context = await browser.new_context()
    try:
        page = await context.new_page()
        async with listening(_hello) as port:
            await page.goto(f"http://127.0.0.1:{port}/")
        before = len(house.consume.log)
        assert await followed(page, origin, session) == ([], 1006)

        async def was_refused() -> bool:
            return "origin_not_allowed" in house.consume.log[before:]

        await until(was_refused, 10)
    finally:
        await context.close()
