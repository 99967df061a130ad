"""Spans by OpenTelemetry's SDK, sent in batches by OTLP over HTTP.

The SDK reads the OTEL_* variables itself: endpoint, headers, service name, sampler, limits. Its global provider is left
alone, and no span is made current by its own means: other libraries would make spans of what has one here already, and
send the trace's id to the vendors.
"""

import asyncio
import contextlib
import logging
import threading

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared import logs, tracing
from shared.settings import SettingError
from shared.tracing import NO_ATTRIBUTES, Attributes, Kind

_log = logging.getLogger(__name__)

_KINDS: dict[Kind, SpanKind] = {
    "server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL,
}  # fmt: skip
_W3C = TraceContextTextMapPropagator()

FLUSH_S = 3.0
"""How long the end of a process may wait for a collector."""


class Otlp:
    """Sends spans from a thread of the SDK's: nobody waits for a collector, and past 2,048 spans the oldest go."""

    def __init__(self, service: str) -> None:
        """Raises SettingError where a variable holds what the SDK can't use."""
        logging.getLogger("opentelemetry.util.re").addFilter(_without_the_value)
        try:
            self._provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except ValueError as error:
            raise SettingError(f"an OTEL_ variable can't be used: {error}") from None
        self._tracer = self._provider.get_tracer("rejoin")

    def span(self, name: str, kind: Kind, attributes: Attributes, traceparent: str, tracestate: str) -> tracing.Span:
        """Begin a span."""
        # Never None: that would be whatever another library has made current.
        context = _place(traceparent, tracestate)
        return _Span(self._tracer.start_span(name, context, _KINDS[kind], dict(attributes)))

    async def close(self) -> None:
        """Send what is left; what a collector does not take in time is lost."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(over.set)

        # Not in the loop's executor: its end would wait for the thread.
        threading.Thread(target=flush, daemon=True).start()
        try:
            async with asyncio.timeout(FLUSH_S):
                await over.wait()
        except TimeoutError:
            logs.warning(_log, "the last traces were not taken in time")


class _Span(tracing.Span):
    def __init__(self, span: trace.Span) -> None:
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        self.recording = span.is_recording()
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def event(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        self._span.add_event(name, dict(attributes))

    def link(self, traceparent: str) -> None:
        other = trace.get_current_span(_place(traceparent)).get_span_context()
        if other.is_valid:
            self._span.add_link(other)

    def end(self, *, error: str = "", text: str = "") -> None:
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(StatusCode.ERROR, text or None)
        self._span.end()


def _place(traceparent: str, tracestate: str = "") -> Context:
    """Where a span is; nowhere, if this is no place."""
    return _W3C.extract({"traceparent": traceparent, "tracestate": tracestate}, Context())


def _without_the_value(record: logging.LogRecord) -> bool:
    """A header that the SDK can't read is most likely a key."""
    record.args = ("(not shown)",) if record.args else ()
    return True


def _resource(service: str) -> Resource:
    """What the environment says of this process, and by default its name."""
    named = Resource.create()
    if not str(named.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return named
    return named.merge(Resource({SERVICE_NAME: service, SERVICE_NAMESPACE: "rejoin"}))
