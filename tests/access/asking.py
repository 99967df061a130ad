"""One request to a guarded process, and what it was told."""

from typing import Any

import httpx2

from tests.processes import Service

COOKIE = "__Host-rejoin"


async def ask(
    service: Service, path: str = "/api/models", method: str = "GET", *headers: tuple[str, str], **more: Any
) -> httpx2.Response:
    """Ask with exactly these headers, each as often as it is named."""
    async with httpx2.AsyncClient(base_url=service.url, verify=False, trust_env=False) as client:
        return await client.request(method, path, headers=list(headers), **more)


def bearer(token: str) -> tuple[str, str]:
    """The header that bears a token."""
    return ("Authorization", f"Bearer {token}")


def cookie(token: str) -> tuple[str, str]:
    """The cookie that has it."""
    return ("Cookie", f"theme=dark; {COOKIE}={token}")


def verdict(response: httpx2.Response) -> tuple[int, str]:
    """The status, and the code of an error."""
    return response.status_code, response.json()["error"]["code"] if response.status_code >= 400 else ""
