"""The AI SDK's chat: an answer as its UI message stream v1, and a conversation as its messages."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.consume_stream import frames, joining, standing
from services.consume_stream.admission import Admission
from services.consume_stream.dialects import chat_messages
from services.consume_stream.dialects.chat_messages import Generation
from services.consume_stream.dialects.chat_parts import Part, Parts
from services.consume_stream.dialects.telling import Teller, form_of, generation_of
from shared import events, logs
from shared.events import Entry
from shared.http import ApiError, no_session
from shared.wires import Wires

_HEADER = {"x-vercel-ai-ui-message-stream": "v1"}
_DONE = b"data: [DONE]\n\n"
_MESSAGES_MAX = 200
_PATH_MAX = 10_000
"""Generations that one message may be looked for among."""


class Chat:
    """The fold: parts as Server-Sent Events. The last event of an entry has its position, so that one who was cut may
    go on from there; the AI SDK's own clients pass over it.

    `earlier` is the beginning of a message that this generation goes on with.
    """

    def __init__(self, session: str, generation: int, earlier: Sequence[Part] = ()) -> None:
        self.over = self.void = False
        self._parts = Parts(session, generation, onward=bool(earlier))
        self._earlier = list(earlier)

    def take(self, entries: list[Entry]) -> bytes:
        """The events of some more entries."""
        told = bytearray()
        for entry in frames.merge(entries):
            parts = self._parts.of(entry)
            data = [f"data: {frames.text_of(part)}\n\n".encode("utf-8", "replace") for part in self._whole(parts)]
            self.over, self.void = self._parts.over, self._parts.void
            if self.over and data:
                data.append(_DONE)
            if data:
                data[-1] = f"id: {entry.id}\n".encode() + data[-1]
            told += b"".join(data)
        return bytes(told)

    def _whole(self, parts: list[Part]) -> list[Part]:
        earlier, self._earlier = self._earlier if parts else [], [] if parts else self._earlier
        return earlier + parts


class Chats:
    """The routes."""

    def __init__(self, admission: Callable[[], Admission], teller: Callable[[], Teller]) -> None:
        self._admission = admission
        self._teller = teller

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/api/chat/{session}/stream", self._stream, methods=["GET"]),
            Route("/api/chat/{session}/messages", self._messages, methods=["GET"]),
        ]

    async def _stream(self, request: Request) -> Response:
        """One generation; without a number the newest, with all of its message, while it runs."""
        session = _session(request)
        generation = generation_of(request)
        after = joining.resume_point(request.headers.get("last-event-id", "0"))
        teller = self._teller()
        try:
            access, located = await teller.find(request, session, generation)
        except ApiError as error:
            if error.status != 404 or generation:
                raise
            # A chat that has not begun: to its client that is nothing to go on with, and no error.
            return Response(status_code=204)
        if located.over and generation is None:
            return Response(status_code=204)
        earlier: list[Part] = []
        if generation is None and located.answer.continues is not None:
            found = chat_messages.generations(self._wires, session, access)
            path = await chat_messages.path(found, _PATH_MAX, located.number)
            earlier = chat_messages.chain(session, _before(path))
        fold = Chat(session, located.number, earlier)
        # Who is cut comes back to this very answer, which may be over by then.
        where = f"/api/chat/{session}/stream?generation={located.number}"
        form = form_of({**_HEADER, "Content-Location": where}, frames.PING)
        return await teller.tell(request, session, (access, located), fold, form, after=after)

    async def _messages(self, request: Request) -> Response:
        session = _session(request)
        limit = joining.whole_number(request, "limit", 1, _MESSAGES_MAX) or _MESSAGES_MAX
        access = await self._admission().access(request, session)
        found = await chat_messages.path(chat_messages.generations(self._wires, session, access), limit)
        # After the reading: what was read may be another's, who has taken the place of a session that was deleted.
        if not found or not await standing.allowed(self._wires, session, access.right):
            raise no_session()
        return JSONResponse(chat_messages.messages(session, found))

    @property
    def _wires(self) -> Wires:
        return self._admission().reading.ways.bulk


def _before(found: list[Generation]) -> list[Generation]:
    """The generations of the newest one's message that come before it."""
    message = chat_messages.root(found[-1]) if found else 0
    earlier = [each for each in found[:-1] if chat_messages.root(each) == message]
    return earlier if earlier and all(events.is_terminal(each[-1].fields) for each in earlier) else []


def _session(request: Request) -> str:
    session = joining.session_id(request.path_params["session"])
    logs.note(session=session)
    return session
