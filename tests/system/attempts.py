"""Which producers an answer has had, by its log and its meta."""

from typing import Any

from shared import keys


async def attempts(client: Any, session: str) -> list[str]:
    """The attempts that the log knows of."""
    return [fields["attempt"] for _, fields in await client.xrange(keys.log(session)) if "attempt" in fields]


async def never_claimed(client: Any, session: str) -> None:
    """The writer that began it has ended it."""
    meta = await client.hgetall(keys.meta(session))
    assert (meta["attempt"], meta.get("losses")) == ("1", None)
    assert await attempts(client, session) == ["1"]
