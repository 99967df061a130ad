"""Start, follow and stop answers of a Rejoin server: `Client`, `AsyncClient`, and what they give and raise."""

from rejoin.async_client import AsyncAnswer, AsyncClient, AsyncFollowing
from rejoin.calls import Generation, Options, Page
from rejoin.client import Answer, Client, Following
from rejoin.errors import (
    AnswerFailed,
    AnswerGone,
    Conflict,
    NotFound,
    OutOfReach,
    Refused,
    RejoinError,
    TooMany,
    Unauthorized,
)
from rejoin.events import (
    AnyEvent,
    Completed,
    End,
    Event,
    Failed,
    Reasoning,
    Reset,
    Started,
    Stopped,
    ToolCall,
    Words,
)
from rejoin.patience import Limits, Retry

__all__ = [
    "Answer",
    "AnswerFailed",
    "AnswerGone",
    "AnyEvent",
    "AsyncAnswer",
    "AsyncClient",
    "AsyncFollowing",
    "Client",
    "Completed",
    "Conflict",
    "End",
    "Event",
    "Failed",
    "Following",
    "Generation",
    "Limits",
    "NotFound",
    "Options",
    "OutOfReach",
    "Page",
    "Reasoning",
    "Refused",
    "RejoinError",
    "Reset",
    "Retry",
    "Started",
    "Stopped",
    "TooMany",
    "ToolCall",
    "Unauthorized",
    "Words",
]
