"""The model's two tables in ARCHITECTURE.md. Pure."""

import re
import textwrap
from collections.abc import Callable, Sequence

from tests.bench.model.costs import Cost, costs
from tests.bench.model.scale import Assumed, Measured, Needs, needs, viewers_of_one_redis
from tests.bench.model.sizes import Text

_WIDTH = 120
VIEWERS = (10_000, 100_000, 1_000_000)
_HEAD = ("event", "how often", "sent", "run by the script", "round trips", "into Redis", "out of Redis", "to viewers")
_OFTEN = {
    "start": "a prompt",
    "history": "a prompt after the first of its session",
    "history page": "the same, and 200 entries of the session, the last ones first",
    "append": "a chunk (less where chunks gather), and an end",
    "chunk": "a chunk",
    "end": "an answer",
    "beat": "3 / `REJOIN_LEASE_S` a second and running answer, 2 after its end",
    "renewal": "3 / `REJOIN_LEASE_S` a second and running answer",
    "seat": "a join; as many for `REJOIN_OWNER_VIEWERS_MAX`; none where the limit is 0",
    "listen": "a session's first viewer in a process",
    "resume": "a join; again after a connection to Redis broke",
    "sweep": "a join, at most once a minute, session and process",
    "leave": "a viewer who goes",
    "unlisten": "a session's last viewer in a process",
    "nudge": "an append or start, and consume process with a viewer of it",
    "read": "a nudge and viewer of its session; a join",
    "chunk read": "a chunk and viewer",
    "started read": "an answer and viewer",
    "end read": "an answer and viewer",
    "recheck": "1 / `REJOIN_RECHECK_S` a second and viewer",
    "look at Redis": "1 a second and process",
    "ping": "0.4 a second and process",
    "sign of life": "1 / 15 a second and consume process",
    "seats renewed": "1 / 15 a second and session with a viewer in a process",
    "look for leases": "1 / (0.9 × `REJOIN_SWEEP_S`) a second and generate process",
}
_ROWS: tuple[tuple[str, Callable[[Needs], str]], ...] = (
    ("chunks delivered per second", lambda need: _number(need.delivered_per_s)),
    ("prompts per second", lambda need: _number(need.prompts_per_s)),
    ("Redis commands per second", lambda need: _number(need.commands_per_s)),
    ("generate-stream: cores, processes", lambda need: f"{_number(need.generate_cores)}, {need.generate:,}"),
    ("consume-stream: cores, processes", lambda need: f"{_number(need.consume_cores)}, {need.consume:,}"),
    ("consume-stream: memory of viewers", lambda need: f"{_number(need.consume_gb)} GB"),
    ("Redis: cores, shards", lambda need: f"{_number(need.redis_cores)}, {need.shards:,}"),
    ("Redis: memory per hour of `REJOIN_TTL_S`", lambda need: f"{_number(need.memory_gb)} GB"),
    ("into Redis", lambda need: f"{_number(need.into_gbit)} Gbit/s"),
    ("out of Redis", lambda need: f"{_number(need.out_gbit)} Gbit/s"),
    ("to viewers", lambda need: f"{_number(need.viewers_gbit)} Gbit/s"),
)


def events_table() -> str:
    """What each event costs."""
    rows = [(name, _OFTEN[name], *_cells(cost)) for name, cost in costs(Text()).items()]
    return _markdown(_HEAD, rows, words=4)


def scale_table(per: Measured) -> str:
    """What 10⁴, 10⁵ and 10⁶ viewers need, by what one machine takes; and what it takes."""
    found = [needs(viewers, per, Assumed()) for viewers in VIEWERS]
    rows = [(name, *(said(each) for each in found)) for name, said in _ROWS]
    taken = (
        f"Measured: CPU {per.generate_us:.0f} µs per chunk in generate-stream, {per.consume_us:.0f} µs in"
        f" consume-stream, {per.chunk_us:.0f} µs in Redis, {per.read_us:.1f} µs there per further read;"
        f" {per.idle_us:.0f} µs per second and {per.viewer_kb:.0f} KB per waiting viewer;"
        f" {per.entry_b:.0f} B of Redis per entry, {per.meta_b:.0f} B per meta."
        f" One Redis is enough for {viewers_of_one_redis(per, Assumed()):,} such viewers."
    )
    return (
        _markdown(("viewers", *(f"{viewers:,}" for viewers in VIEWERS)), rows, words=1)
        + "\n\n"
        + textwrap.fill(taken, _WIDTH)
    )


def written(page: str, name: str, table: str) -> str:
    """A page with one table as it should be, between its marks."""
    block = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return block.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", page)


def _cells(cost: Cost) -> tuple[str, ...]:
    return _names(cost.sent), _names(cost.inside), *(str(number or "") for number in cost[2:])


def _names(commands: str) -> str:
    """Each command once, with how often."""
    times = {name: commands.split().count(name) for name in commands.split()}
    return ", ".join(name.upper() + (f" × {count}" if count > 1 else "") for name, count in times.items())


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """So many columns of words, the others of numbers."""
    lines = [head, ["---"] * words + ["---:"] * (len(head) - words), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
