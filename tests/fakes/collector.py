"""A collector of OpenTelemetry spans: OTLP over HTTP, as slow or as broken as a test wants it."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.fakes.listening import listening
from tests.processes import until


@dataclass(frozen=True)
class Span:
    """One span as it came, ids in hex."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    events: dict[str, dict[str, Any]]
    links: list[tuple[str, str]]
    failed: bool
    status: str


@dataclass
class Collector:
    """What has come, and how what comes is answered."""

    spans: list[Span] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""
    stalls: bool = False
    """Takes what comes, and never answers."""

    def of(self, session: str) -> list[Span]:
        """The spans that say that they are of this session, in the order of their beginnings."""
        mine = [span for span in self.spans if span.attributes.get("gen_ai.conversation.id") == session]
        return sorted(mine, key=lambda span: span.began_ns)

    async def has(self, session: str, *names: str, seconds: float = 10.0) -> list[Span]:
        """Wait until each of these names has come for a session; returns the first of each, in that order."""

        async def there() -> list[Span] | None:
            found = {span.name: span for span in reversed(self.of(session))}
            return [found[name] for name in names] if found.keys() >= set(names) else None

        spans: list[Span] = await until(there, seconds)
        return spans

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(headers["content-length"]))
                self.headers.append({":path": head[0].split()[1], **headers})
                if self.stalls:
                    await asyncio.Event().wait()
                plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
                self.bodies.append(plain)
                self.spans += _read(plain)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on 127.0.0.1."""
    collector = Collector()
    async with listening(collector.answer) as port:
        collector.url = f"http://127.0.0.1:{port}"
        yield collector


def _read(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _span(str(_fields(each.resource.attributes).get("service.name")), sent)
        for each in request.resource_spans
        for scope in each.scope_spans
        for sent in scope.spans
    ]


def _span(service: str, sent: Sent) -> Span:
    return Span(
        service=service,
        name=sent.name,
        kind=Sent.SpanKind.Name(sent.kind).removeprefix("SPAN_KIND_"),
        trace=sent.trace_id.hex(),
        id=sent.span_id.hex(),
        parent=sent.parent_span_id.hex(),
        began_ns=sent.start_time_unix_nano,
        ended_ns=sent.end_time_unix_nano,
        attributes=_fields(sent.attributes),
        events={event.name: _fields(event.attributes) for event in sent.events},
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in sent.links],
        failed=sent.status.code == Status.STATUS_CODE_ERROR,
        status=sent.status.message,
    )


def _fields(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs if isinstance(pair, KeyValue)}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, str(kind))
