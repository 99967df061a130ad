"""Who × whose × route: every cell of who may do what, and that a refusal has changed nothing."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import nanoid
import pytest

from shared import keys
from tests.access.person import Person
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.socket_viewer import socket
from tests.fakes.issuer import by_secret
from tests.processes import Services
from tests.viewing import Refused

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

Told = tuple[int, str]
Ask = Callable[["Visitor", str], Awaitable[httpx2.Response]]

GONE = (404, "session_not_found")
POSTS = {"stop-stream", "delete-stream", "share-stream", "unshare-stream"}


@dataclass
class Visitor:
    """One who asks, and the link that they bring."""

    person: Person
    share: str = ""

    @property
    def by_link(self) -> dict[str, str]:
        return {"share": self.share} if self.share else {}


def _post(path: str, **body: Any) -> Ask:
    async def ask(who: Visitor, session: str) -> httpx2.Response:
        return await who.person.post(path, sessionId=session, **body)

    return ask


def _get(path: str) -> Ask:
    async def ask(who: Visitor, session: str) -> httpx2.Response:
        of_path = path.endswith("/")
        query = {} if of_path else {"sessionId": session}
        return await who.person.get(path + (session if of_path else ""), **query, **who.by_link)

    return ask


async def _ask_for_completion(who: Visitor, session: str) -> httpx2.Response:
    # A session of its own, whatever there is.
    return await who.person.post("/v1/chat/completions", messages=[{"role": "user", "content": "Hi"}], stream=True)


async def _read_completion(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.get(f"/v1/chat/completions/chatcmpl-{session}-1", stream="true", **who.by_link)


async def _upgrade(who: Visitor, session: str) -> httpx2.Response:
    query = {"sessionId": session} | who.by_link
    try:
        async with socket(f"{who.person.consume_url}/api/consume-stream", query, who.person.headers):
            return httpx2.Response(101)
    except Refused as refused:
        return refused.response


async def _chat(who: Visitor, session: str) -> httpx2.Response:
    said = [{"id": "q", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}]
    return await who.person.post("chat", id=session, messages=said)


async def _stop_chat(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.post(f"chat/{session}/stop")


async def _follow_chat(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.get(f"chat/{session}/stream", generation="1", **who.by_link)


async def _messages(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.get(f"chat/{session}/messages", **who.by_link)


async def _ask_for_response(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.post("/v1/responses", input="Hi", previous_response_id=f"resp_{session}_1", stream=True)


async def _read_response(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.get(f"/v1/responses/resp_{session}_1", **who.by_link)


async def _read_input_items(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.get(f"/v1/responses/resp_{session}_1/input_items", **who.by_link)


async def _cancel_response(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.post(f"/v1/responses/resp_{session}_1/cancel")


async def _delete_response(who: Visitor, session: str) -> httpx2.Response:
    return await who.person.delete(f"/v1/responses/resp_{session}_1")


ROUTES: dict[str, tuple[Ask, int]] = {
    "POST generate-stream": (_post("generate-stream", prompt="Hello"), 202),
    "POST stop-stream": (_post("stop-stream"), 200),
    "POST delete-stream": (_post("delete-stream"), 204),
    "POST share-stream": (_post("share-stream"), 201),
    "GET share-stream": (_get("share-stream"), 200),
    "POST unshare-stream": (_post("unshare-stream"), 200),
    "GET consume-stream": (_get("consume-stream"), 200),
    "GET read-stream": (_get("read-stream"), 200),
    "GET consume-stream, upgraded": (_upgrade, 101),
    "GET sessions": (_get("sessions/"), 200),
    "GET models": (_get("models"), 200),
    "POST chat": (_chat, 303),
    "POST chat stop": (_stop_chat, 200),
    "GET chat stream": (_follow_chat, 200),
    "GET chat messages": (_messages, 200),
    "POST completions": (_ask_for_completion, 303),
    "GET completions": (_read_completion, 200),
    "POST responses": (_ask_for_response, 303),
    "GET responses": (_read_response, 200),
    "GET responses input_items": (_read_input_items, 200),
    "POST responses cancel": (_cancel_response, 200),
    "DELETE responses": (_delete_response, 200),
}
"""Each with what its owner is told."""
READS = (
    "GET consume-stream", "GET read-stream", "GET consume-stream, upgraded", "GET sessions",
    "GET chat stream", "GET chat messages", "GET completions", "GET responses",
    "GET responses input_items",
)  # fmt: skip
NO_RESPONSE = (404, "response_not_found")
ABSENT = dict.fromkeys(
    ("GET responses", "GET responses input_items", "POST responses cancel", "DELETE responses"), NO_RESPONSE
)
ABSENT |= {"POST responses": (400, "previous_response_not_found")}
"""Those that have a word of their own for what is not there."""

REFUSED: dict[str, Told] = {
    "nobody": (401, "token_missing"),
    "a forger": (401, "token_invalid"),
    "one whose token is over": (401, "token_expired"),
    "one whose token is for others": (401, "token_invalid"),
}
GRANTED: Told = (200, "")
LINKS: dict[str, Told] = {
    "one with a link": GRANTED,
    "one with a link to one answer": GRANTED,
    "one with a link that was revoked": GONE,
    "one with a link to another session": (401, "share_invalid"),
    "one with a link of another's making": (401, "share_invalid"),
}
"""And what they are told of the session that is shared."""
OWNERS = ("the owner", "the owner by cookie")
WHO = [*REFUSED, *LINKS, *OWNERS, "a stranger"]
WHOSE = ("the owner's", "no one's", "a deleted one", "one that is not there")


def expected(who: str, whose: str, route: str) -> Told:
    """One cell."""
    if who in REFUSED:
        return REFUSED[who]
    if who in LINKS:
        if route not in READS:
            return REFUSED["nobody"]
        told, granted = LINKS[who], ROUTES[route][1]
        # A link is to the session whose id is in it.
        told = (granted, "") if told == GRANTED else ABSENT.get(route, GONE) if told == GONE else told
        return told if whose == "the owner's" else (401, "share_invalid")
    granted = ROUTES[route][1]
    if route in ("GET models", "POST completions") or (who in OWNERS and whose == "the owner's"):
        return granted, ""
    if route in ("POST generate-stream", "POST chat"):
        return (granted, "") if whose in ("a deleted one", "one that is not there") else GONE
    return (204, "") if route == "POST delete-stream" else ABSENT.get(route, GONE)


@pytest.fixture(scope="module")
async def owner(guarded: Services) -> Person:
    """Whose session it is."""
    return Person.named(guarded)


@pytest.fixture(scope="module")
async def shared_session(owner: Person) -> str:
    """The session that all those see who must not change it."""
    session = str(nanoid.generate())
    await owner.answered(session)
    return session


@pytest.fixture(scope="module")
async def visitors(guarded: Services, owner: Person, shared_session: str) -> dict[str, Visitor]:
    """Everybody."""
    anybody = Person(guarded)
    other = str(nanoid.generate())
    await owner.answered(other)
    revoked = await owner.link(shared_session)
    await owner.post("unshare-stream", sessionId=shared_session, shareId=revoked["shareId"])
    of_stranger = Person.named(guarded)
    theirs = str(nanoid.generate())
    await of_stranger.answered(theirs)
    return {
        "nobody": Visitor(anybody),
        "a forger": Visitor(Person(guarded, by_secret("another secret of thirty-two bytes or more"))),
        "one whose token is over": Visitor(Person(guarded, by_secret(exp=int(time.time()) - 60))),
        "one whose token is for others": Visitor(Person(guarded, by_secret(aud="others"))),
        "one with a link": Visitor(anybody, (await owner.link(shared_session))["token"]),
        "one with a link to one answer": Visitor(anybody, (await owner.link(shared_session, 1))["token"]),
        "one with a link that was revoked": Visitor(anybody, revoked["token"]),
        "one with a link to another session": Visitor(anybody, (await owner.link(other))["token"]),
        "one with a link of another's making": Visitor(anybody, (await of_stranger.link(theirs))["token"]),
        "the owner": Visitor(owner),
        "the owner by cookie": Visitor(Person(guarded, owner.token, by_cookie=True)),
        "a stranger": Visitor(Person.named(guarded)),
    }


async def _session(whose: str, owner: Person, redis_client: Any) -> str:
    """A session to ask for."""
    session = str(nanoid.generate())
    if whose == "no one's":
        await OutsideWriter(redis_client, session).answer("Hello")
    elif whose != "one that is not there":
        await owner.answered(session)
    if whose == "a deleted one":
        await owner.post("delete-stream", sessionId=session)
    return session


@pytest.fixture(scope="module")
async def spared(owner: Person, redis_client: Any, shared_session: str) -> dict[str, str]:
    """A session of each kind, for those who must not change it."""
    others = {whose: await _session(whose, owner, redis_client) for whose in WHOSE[1:]}
    return {WHOSE[0]: shared_session} | others


async def _held(redis_client: Any, session: str) -> Any:
    meta = await redis_client.hgetall(keys.meta(session))
    # A writer beats for a while after the end.
    return meta | {"leaseUntilMs": ""}, await redis_client.xrange(keys.log(session))


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("whose", WHOSE)
async def test_every_cell(
    visitors: dict[str, Visitor], owner: Person, redis_client: Any, spared: dict[str, str], who: str, whose: str
) -> None:
    told, wanted = {}, {}
    for route, (ask, _) in ROUTES.items():
        # What an owner does to a session, it does to one of its own.
        changes = who in OWNERS and route.startswith(("POST", "DELETE"))
        may_begin = who == "a stranger" and whose != "the owner's" and route.startswith("POST")
        session = await _session(whose, owner, redis_client) if changes or may_begin else spared[whose]
        before = await _held(redis_client, session)
        response = await ask(visitors[who], session)
        code = response.json()["error"]["code"] if response.status_code >= 400 else ""
        told[route], wanted[route] = (response.status_code, code), expected(who, whose, route)
        assert owner.token not in response.text
        if not (route.startswith("POST") and response.status_code < 400) or (route, code) == ("POST delete-stream", ""):
            after = await _held(redis_client, session)
            assert after == before or changes, route
    assert told == wanted


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("generate-stream", {"POST"}),
        ("stop-stream", {"POST"}),
        ("delete-stream", {"POST"}),
        ("share-stream", {"GET", "HEAD", "POST"}),
        ("unshare-stream", {"POST"}),
        ("models", {"GET", "HEAD"}),
        ("login", {"GET", "HEAD", "POST"}),
        ("logout", {"POST"}),
        ("consume-stream?sessionId=abcdefgh", {"GET", "HEAD"}),
        ("read-stream?sessionId=abcdefgh", {"GET", "HEAD"}),
        ("sessions/abcdefgh", {"GET", "HEAD"}),
    ],
)
async def test_every_method_that_a_route_does_not_take_is_refused_whoever_asks(
    guarded: Services, path: str, takes: set[str], method: str
) -> None:
    service = guarded.consume if path.startswith(("consume-stream", "read-stream", "sessions/")) else guarded.generate
    async with httpx2.AsyncClient(verify=False, trust_env=False) as client:
        response = await client.request(method, f"{service.url}/api/{path}")
    assert (response.status_code == 405) == (method not in takes)
    if response.status_code != 405:
        assert response.status_code in ((200, 204) if path in ("login", "logout") and method != "POST" else (401, 204))
