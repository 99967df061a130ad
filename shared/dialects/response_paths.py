"""What the descriptions of both services say of a response in the same words."""

from shared.openapi import Schema, parameter

RESPONSE: Schema = parameter(
    "response",
    {"type": "string", "pattern": "^resp_[A-Za-z0-9_-]{8,64}_[1-9][0-9]{0,8}$"},
    "Its id.",
    "path",
    required=True,
)
