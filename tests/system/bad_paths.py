"""What consume-stream does not show, and what nobody answers."""

from collections.abc import Iterator

from tests.system.bad_request import BAD_SESSIONS, CONSUME, GOOD, INVALID_SESSION, SESSIONS, Bad, get


def views() -> Iterator[Bad]:
    """What consume-stream does not show."""
    yield get(CONSUME, INVALID_SESSION)
    for bad in BAD_SESSIONS:
        yield get(CONSUME, INVALID_SESSION, {"sessionId": bad})
    invalid_point = (400, "invalid_resume_point")
    for point in _BAD_POINTS:
        yield get(CONSUME, invalid_point, {"sessionId": GOOD, "lastEventId": point})
        yield get(SESSIONS + GOOD, invalid_point, {"before": point})
        if point.isascii() and point.isprintable() and point == point.strip():
            yield get(CONSUME, invalid_point, {"sessionId": GOOD, "lastEventId": "1-1"}, Last_Event_ID=point)
    yield get(SESSIONS + GOOD, invalid_point, {"before": ""})
    for follow in ("", "Answer", "all", "answer,session"):
        yield get(CONSUME, (400, "invalid_follow"), {"sessionId": GOOD, "follow": follow})
    for ping in ("", "Event", "none", "comment,event"):
        yield get(CONSUME, (400, "invalid_ping"), {"sessionId": GOOD, "ping": ping})
    for limit in (
        "",
        "0",
        "51",
        "-1",
        "+5",
        "1.5",
        "x",
        "٣",
        "²",
        "9" * 5000,
        "0" * 8 + "51",
        "0" * 8 + "1" + "9" * 5000,
    ):
        yield get(SESSIONS + GOOD, (400, "invalid_limit"), {"limit": limit})
    for number in ("", "-1", "x", "9" * 5000, "0" * 10 + "9" * 5000):
        yield get(f"/api/chat/{GOOD}/messages", (400, "invalid_limit"), {"limit": number})
        yield get(f"/api/chat/{GOOD}/stream", (400, "invalid_generation"), {"generation": number})
    for bad in ("short", "x" * 65, "{braces}", "glob****", "nul%00nul1", "new%0Aline1", "%C3%BCnic%C3%B6de", "%FF" * 9):
        yield get(SESSIONS + bad, INVALID_SESSION)
    for path in (CONSUME, SESSIONS + GOOD):
        yield get(path, (404, "session_not_found"), {"sessionId": GOOD})


_BAD_POINTS = [
    "x", "1", "-", "1-", "-1", "1-2-3", "1--2", "-1-2", "1-x", "0x1-1", "00", "1_0-1", "$", ">", "*", "1.5-1", "1,1",
    "9" * 21 + "-1", "18446744073709551616-0", "0-18446744073709551616", " 1-1", "1-1\n", "١-١", "1-1\0", "null",
]  # fmt: skip


def methods_and_paths(routes: dict[str, str], foreign: tuple[str, ...]) -> Iterator[Bad]:
    """Methods that these routes don't take, and paths that are nobody's here."""
    for path, allowed in routes.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            if method not in allowed:
                yield Bad(method, path, (405, "method_not_allowed"), None, ())
    nowhere = [
        "/",
        "/api",
        "/api/",
        "/api/nothing",
        "/favicon.ico",
        "/API/models",
        "/%00",
        "/%ff%fe",
        "//",
        "/a" * 4000,
    ]
    for path in (*nowhere, *foreign, *(f"{path}/" for path in routes)):
        for method in ("GET", "POST"):
            yield Bad(method, path, (404, "not_found"), b"{}" if method == "POST" else None, ())
