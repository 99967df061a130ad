"""The cost model: its sums, its sizes against Redis' own protocol, and the tables in ARCHITECTURE that it makes."""

import dataclasses
import json
import re

import pytest

from tests.bench.counted import parse
from tests.bench.model.costs import commands, costs, traffic
from tests.bench.model.events import Load, first_answers, running, total, visits
from tests.bench.model.page import events_table, scale_table, written
from tests.bench.model.scale import Assumed, Measured, measured, needs, viewers_of_one_redis
from tests.bench.model.sizes import Text, frame, read
from tests.bench.works.idle import VIEWERS
from tests.processes import ROOT

LUA = ROOT / "services" / "generate_stream" / "lua"
BENCH = ROOT / "docs" / "bench.json"
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
TEXT = Text("a-session", "word")
ONE = Measured(100, 50, 10, 40, 20, 5, 40, 700)


def test_a_chunk_is_one_append_one_nudge_and_one_read_of_each_viewer() -> None:
    load = Load(sessions=1, viewers=3, per_s=1, consume=0, generate=0)
    found = commands(running(load, 1), costs(TEXT))
    assert (found["xadd"], found["publish"], found["xreadgroup"]) == (1, 1, 3)


def test_no_command_of_a_script_is_left_out() -> None:
    # What an append runs in any case; the others are for losses, and for `end`, which the model counts by itself.
    text = (LUA / "append.lua").read_text("utf-8")
    ran = {name.lower() for name in re.findall(r"redis\.call\('([A-Z]+)'", text)} | {"publish"}
    modelled = {name for event in ("append", "chunk", "end") for name in costs(TEXT)[event].inside.split()}
    assert ran - modelled == {"hdel"}
    start = (LUA / "start.lua").read_text("utf-8")
    assert set(re.findall(r"redis\.call\('([A-Z]+)'", start)) <= {
        n.upper() for n in costs(TEXT)["start"].inside.split()
    }


def test_the_bytes_of_an_entry_and_of_a_frame_are_those_of_the_protocols() -> None:
    reply = (
        b"*2\r\n$17\r\n1767225600000-250\r\n*8\r\n$4\r\ntype\r\n$5\r\nchunk\r\n$10\r\ngeneration\r\n$1\r\n1\r\n"
        b"$7\r\ncontent\r\n$4\r\nword\r\n$2\r\nms\r\n$4\r\n4200\r\n"
    )
    assert read(TEXT.chunk) == len(reply)
    body = b'id: 1767225600000-250\ndata: {"type":"chunk","generation":1,"content":"word","ms":4200}\n\n'
    assert frame(TEXT.chunk) == len(b"%x\r\n%s\r\n" % (len(body), body))


def test_a_longer_word_costs_its_bytes_on_every_leg_and_no_command_more() -> None:
    events = running(Load(1, 1, 1, consume=0, generate=0), 1)
    short, long = costs(TEXT), costs(TEXT._replace(content="wordword"))
    more = [b - a for a, b in zip(traffic(events, short), traffic(events, long), strict=True)]
    assert more == [4, 4, 4]
    assert commands(events, short) == commands(events, long)


def test_more_viewers_cost_reads_and_no_append() -> None:
    one, ten = (first_answers(Load(1, viewers, 10), 100, 10) for viewers in (1, 10))
    assert (one["append"], one["nudge"]) == (ten["append"], ten["nudge"])
    assert ten["read"] == 10 * one["read"]


def test_a_viewer_who_leaves_has_taken_everything_along() -> None:
    found = commands(visits(Load(5, 2, 0)), costs(TEXT))
    assert found["xgroup"] == 2 * 10
    assert found["subscribe"] == found["unsubscribe"] == 5


def test_a_total_adds_event_by_event() -> None:
    assert total({"read": 1, "append": 2}, {"read": 3}) == {"read": 4, "append": 2}


def test_ten_times_the_viewers_need_ten_times_the_machines() -> None:
    small, large = needs(10_000, ONE, Assumed()), needs(100_000, ONE, Assumed())
    assert (small.generate, small.consume, small.shards) == (5, 3, 1)
    assert large.delivered_per_s == 10 * small.delivered_per_s == 300_000
    assert large.redis_cores == pytest.approx(10 * small.redis_cores) == pytest.approx(6.1)
    assert large.shards == 9


def test_one_redis_is_enough_for_the_viewers_that_need_one_shard() -> None:
    most = viewers_of_one_redis(ONE, Assumed())
    assert most == 11_400
    assert (needs(most, ONE, Assumed()).shards, needs(most + 100, ONE, Assumed()).shards) == (1, 2)


def test_a_process_is_full_by_its_viewers_or_by_its_core() -> None:
    quiet = dataclasses.replace(Assumed(), running=0.0)
    assert needs(10_000, ONE, quiet).consume == 2
    assert needs(10_000, ONE._replace(consume_us=500), Assumed()).consume == 22


def test_subcommands_count_as_their_command_and_the_bench_itself_not_at_all() -> None:
    info = (
        "total_net_input_bytes:100\r\ntotal_net_output_bytes:90\r\ntotal_net_repl_input_bytes:7\r\n"
        "cmdstat_xgroup|create:calls=2,usec=9\r\ncmdstat_xgroup|destroy:calls=1,usec=9\r\ncmdstat_info:calls=4,usec=9\r\n"
    )
    found = parse(info, own=50)
    assert (found.commands, found.into, found.out) == ({"xgroup": 3}, 100, 40)


def test_architecture_has_the_table_of_events_as_the_model_makes_it() -> None:
    # `python -m tests.bench.model --write` writes it.
    assert "<!-- costs: " in PAGE
    assert written(PAGE, "costs", events_table()) == PAGE


@pytest.mark.skipif(not BENCH.exists(), reason="no run of the bench is kept")
def test_architecture_has_the_scale_that_follows_from_the_kept_run() -> None:
    assert "<!-- scale: " in PAGE
    per = measured(json.loads(BENCH.read_text("utf-8")), VIEWERS)
    assert written(PAGE, "scale", scale_table(per)) == PAGE
