"""The schemas of what viewers are shown: a frame's data, and a session as a page."""

from shared.openapi import GENERATION, POSITION, SESSION_ID, Schema, ref

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ENDS = ["completed", "stopped", "failed"]
_END: dict[str, Schema] = {
    "usage": {"description": "The provider's own counts of tokens, as it names them."},
    "finishReason": _TEXT, "chunks": _COUNT, "durationMs": _COUNT, "ttftMs": _COUNT,
    "digest": {"type": "string", "description": "SHA-256 of the text, hex."},
    "code": {"type": "string", "description": "failed: stable, for programs."},
    "error": {"type": "string", "description": "failed: for people."},
    "retryable": {"type": "boolean", "description": "failed: whether the same question may go through."},
}  # fmt: skip
_ABOUT: dict[str, Schema] = {
    "prompt": _TEXT, "provider": _TEXT, "model": _TEXT,
    "startedAt": {"type": "string", "description": "ISO 8601, UTC."},
}  # fmt: skip
_CALL: dict[str, Schema] = {
    "callId": _TEXT, "name": _TEXT,
    "arguments": {"type": "string", "description": "JSON, if the model wrote what it should."},
}  # fmt: skip
_METADATA: Schema = {
    "type": "object", "additionalProperties": _TEXT,
    "description": "What its client has attached to it. Whoever may read the answer may read this.",
}  # fmt: skip
_ASKED: dict[str, Schema] = {
    "maxTokens": _COUNT, "temperature": {"type": "number"}, "topP": {"type": "number"}, "metadata": _METADATA,
}  # fmt: skip
_ONWARD: dict[str, Schema] = {
    "replaces": {**GENERATION, "description": "Takes its place."},
    "after": {**_COUNT, "description": "Goes on from this generation, which is not the one before it; 0 from none."},
    "continues": {**GENERATION, "description": "Goes on with this one's message: its prompt is empty."},
    "toolResults": {
        "type": "array", "description": "What it was asked with: what tools gave back to the calls it goes on from.",
        "items": {"type": "object", "properties": {"callId": _TEXT, "content": _TEXT}},
    },
}  # fmt: skip


def _frame(description: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    properties = {**required, **(optional or {})}
    return {"type": "object", "description": description, "required": list(required), "properties": properties}


_OURS: dict[str, Schema] = {
    "Started": _frame(
        "An attempt begins, and voids what an earlier one of its generation said.",
        {"type": {"const": "metadata"}, "status": {"const": "started"}},
        {"generation": GENERATION, "attempt": GENERATION, **_ABOUT, **_ONWARD, **_ASKED},
    ),
    "Words": _frame(
        "A piece of the answer (chunk) or of the thinking before it; neighbours may come as one.",
        {"type": {"enum": ["chunk", "reasoning"]}, "content": _TEXT},
        {"generation": GENERATION, "ms": {**_COUNT, "description": "Since the attempt began."}},
    ),
    "Tool": _frame(
        "The model calls a tool. Its client runs that, and gives the result back by a start with `toolResults`.",
        {"type": {"const": "tool"}, **_CALL},
        {"generation": GENERATION, "ms": {**_COUNT, "description": "Since the attempt began."}},
    ),
    "Ended": _frame(
        "A generation ends: its last entry.",
        {"type": {"const": "metadata"}, "status": {"enum": _ENDS}},
        {"generation": GENERATION, "ms": _COUNT, **_END},
    ),
    "Reset": _frame("Forget everything, the cursor too: the whole log comes next. It has no id.",
                    {"type": {"const": "reset"}, "reason": _TEXT}),
    "Unauthorized": _frame(
        "The right to read is over; the connection is cut after it. It has no id: who renews it goes on from there.",
        {"type": {"const": "unauthorized"}, "code": {"enum": ["token_expired", "share_expired", "share_revoked"]}},
    ),
}  # fmt: skip

FRAMES: dict[str, Schema] = {
    **_OURS,
    "Frame": {
        "description": "Readers pass over a type that they do not know: the log may have other writers.",
        "anyOf": [*(ref(name) for name in _OURS), {"type": "object"}],
    },
    "Beacon": _frame(
        "A sign that tells when it was sent.",
        {"type": {"const": "beacon"}, "number": _COUNT, "of": _COUNT, "atMs": {"type": "number"}},
    ),
}
"""What stands behind `data:`, by name."""

POLL = _frame(
    "What a poll brings.",
    {
        "entries": {
            "type": "array",
            "items": _frame("An entry, or several of a kind as one.", {"id": POSITION, "data": ref("Frame")}),
        },
        "next": {**POSITION, "description": "`after` of the next poll."},
        "over": {"type": "boolean", "description": "Whether the answer has its end here: there will be no more."},
    },
    {"reset": {**_TEXT, "description": "Forget everything: these entries are the log's from its beginning on."}},
)

_GENERATION = _frame(
    "A question, and its answer as far as it is there.",
    {
        "generation": _COUNT, "attempt": {"type": "integer"}, "status": {"enum": ["running", *_ENDS]}, "text": _TEXT,
        "reasoning": _TEXT, **_ABOUT,
    },
    {
        **_ONWARD, "replaces": {"type": "integer"}, "after": {"type": "integer"}, "continues": {"type": "integer"},
        "toolCalls": {"type": "array", "items": {"type": "object", "required": list(_CALL), "properties": _CALL}},
        "metadata": _METADATA, **_END,
    },
)  # fmt: skip

SESSION_PAGE = _frame(
    "A page of a session, newest generation first.",
    {
        "sessionId": SESSION_ID, "generations": {"type": "array", "items": _GENERATION},
        "viewers": {**_COUNT, "description": "Now."},
        "lastEventId": {**POSITION, "description": "Where to follow from, having shown this page."},
    },
    {"next": {**POSITION, "description": "`before` of the next page; absent at the end."}},
)  # fmt: skip
