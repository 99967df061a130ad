"""Reads: the paths of others' dialects that belong to consume-stream, among paths that don't. Pure.

Not every proxy can tell them apart, some by the method alone. Where they reach generate-stream, it sends them on to the
same path below one prefix, which every proxy gives to consume-stream.
"""

PREFIX = "/api/consume-stream"
PATHS = (
    "/api/chat/{session}/stream",
    "/api/chat/{session}/messages",
    "/v1/responses/{response}",
    "/v1/responses/{response}/input_items",
    "/v1/chat/completions/{completion}",
)
_BELOW = (f"{PREFIX}/api/", f"{PREFIX}/v1/")


def without_prefix(path: str) -> str:
    """The path that a request means."""
    return path.removeprefix(PREFIX) if path.startswith(_BELOW) else path
