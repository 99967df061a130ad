"""The house: imports run one way, the two services never meet, and every room says what it is."""

import ast
import functools
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.texts import ROOT, texts

# From the top: a room imports only from floors below its own, and from shared.
FLOORS: dict[str, list[set[str]]] = {
    "generate_stream": [
        {"__main__"},
        {"app"},
        {"openapi"},
        {"dialects", "login", "orphans", "sharing", "takeover"},
        {"prompting"},
        {"erasing", "settings", "starting", "waiting"},
        {"producer"},
        {"generation"},
        {"history", "pace", "quotas", "spans", "writer"},
        {"pipeline"},
        {"conventions", "delivery"},
        {"answers"},
        {"draft", "log"},
        {"access_paths", "asking", "attempt", "reading"},
        {"conversation"},
        {"bodies", "metrics", "providers", "rights", "scripts", "usage"},
    ],
    "consume_stream": [
        {"__main__"},
        {"app"},
        {"openapi"},
        {"beacons", "dialects", "polling", "settings", "websocket"},
        {"sessions"},
        {"admission"},
        {"joining", "seats", "sse", "viewers"},
        {"subscription"},
        {"group_reads", "nudges"},
        {"batches", "groups", "rota"},
        {"access", "frame_schemas", "frames", "metrics", "resume", "rights", "standing"},
    ],
}
FORBIDDEN = {"generate_stream": {"sse_starlette"}, "consume_stream": {"openai", "anthropic", "pydantic", "httpx2"}}
PURE = [
    "deploy.doctor.stream_verdicts", "deploy.doctor.verdicts", "shared.access.address", "shared.access.headers",
    "shared.access.identity", "shared.dialects.reads", "shared.events", "shared.findings", "shared.keys",
    "shared.nesting", "shared.position", "shared.redis_verdicts", "shared.text", "shared.view",
    "services.consume_stream.frames", "services.consume_stream.resume", "services.generate_stream.draft",
    "services.generate_stream.usage", "shared.server_clock",
    "shared.dialects.response", "shared.dialects.response_ids", "shared.dialects.response_output",
    "services.consume_stream.dialects.chat_parts", "shared.dialects.chat",
    "shared.dialects.completion", "shared.dialects.failures", "shared.dialects.usage",
    "services.consume_stream.dialects.completions_fold",
]  # fmt: skip
PURE_STDLIB = {
    "base64", "collections", "dataclasses", "datetime", "hashlib", "ipaddress", "json", "math", "re", "typing",
}  # fmt: skip
SERVICES = sorted(FLOORS)


def named(path: Path) -> str:
    """The name by which a file is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {named(path): path for folder in ("shared", "services", "deploy") for path in (ROOT / folder).rglob("*.py")}


@functools.cache
def imported(name: str) -> frozenset[str]:
    """Every module that a module of ours imports, wherever in its text: ours by full names, others as they stand."""
    return frozenset(_imported(name)) if name in MODULES else frozenset()


def _imported(name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are by full names"
            for alias in node.names:
                member = f"{node.module}.{alias.name}"
                yield member if member in MODULES else str(node.module)


def reached(name: str) -> set[str]:
    """All that comes along when a module is imported."""
    found, left = set[str](), [name]
    while left:
        for each in imported(left.pop()) - found:
            found.add(each)
            left.append(each)
    return found


def room(name: str) -> str:
    """The room of its service that a module is, or belongs to."""
    return name.split(".")[2]


def rooms(service: str) -> Iterator[str]:
    yield from (name for name in MODULES if name.startswith(f"services.{service}."))


def test_the_imports_were_read() -> None:
    assert "shared.wires" in imported("services.consume_stream.groups")
    assert "services.consume_stream.frames" in imported("services.consume_stream.sse")
    assert "openai" in reached("services.generate_stream.app")
    assert "sse_starlette" in {name.split(".")[0] for name in reached("services.consume_stream.app")}


@pytest.mark.parametrize("service", SERVICES)
def test_every_room_has_its_floor(service: str) -> None:
    # A new room is entered above: that is where its place is decided.
    assert {room(name) for name in rooms(service)} == set().union(*FLOORS[service])


@pytest.mark.parametrize("service", SERVICES)
def test_imports_go_down(service: str) -> None:
    floor = {each: number for number, floor in enumerate(FLOORS[service]) for each in floor}
    for name in rooms(service):
        for other in imported(name):
            if other.startswith(f"services.{service}.") and room(other) != room(name):
                assert floor.get(room(other), -1) > floor.get(room(name), -1), f"{name} imports {other}"


def test_no_imports_go_in_a_circle() -> None:
    ours = {name: {each for each in imported(name) if each in MODULES} for name in MODULES}
    assert list(graphlib.TopologicalSorter(ours).static_order())


def test_the_two_services_never_meet() -> None:
    for service, other in (SERVICES, SERVICES[::-1]):
        for name in rooms(service):
            assert not {each for each in reached(name) if each.startswith(f"services.{other}")}, name


def test_shared_knows_neither_service() -> None:
    for name in MODULES:
        if name.startswith("shared"):
            assert not {each for each in imported(name) if each.startswith(("services", "deploy", "tests"))}, name


def test_the_services_know_neither_their_deployment_nor_their_tests() -> None:
    for service in SERVICES:
        for name in rooms(service):
            assert not {each for each in imported(name) if each.startswith(("deploy", "tests"))}, name


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_start_imports_app_and_only_app_the_settings(service: str) -> None:
    home = f"services.{service}"
    users = {
        each: {room(name) for name in rooms(service) if f"{home}.{each}" in imported(name)}
        for each in ("app", "settings")
    }
    assert users == {"app": {"__main__"}, "settings": {"__main__", "app"}}
    assert not {name for name in MODULES if f"{home}.__main__" in imported(name)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_needs_nothing_of_the_other_ones_trade(service: str) -> None:
    tops = {each.split(".")[0] for name in rooms(service) for each in reached(name)}
    assert not tops & FORBIDDEN[service]


@pytest.mark.parametrize("name", PURE)
def test_a_pure_room_does_nothing_but_think(name: str) -> None:
    outside = {each.split(".")[0] for each in imported(name) if each not in MODULES}
    assert outside <= PURE_STDLIB


def test_the_environment_is_read_only_at_the_start() -> None:
    for name, path in MODULES.items():
        if name.startswith(("shared", "services")) and not name.endswith("__main__"):
            for node in ast.walk(ast.parse(path.read_text())):
                read = (
                    node.attr if isinstance(node, ast.Attribute) else node.name if isinstance(node, ast.alias) else ""
                )
                assert read not in {"environ", "environb", "getenv"}, name


def test_every_file_is_named_for_a_thing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    named_so = [path for path, _ in texts() if vague & set(path.stem.lower().replace("-", "_").split("_"))]
    assert named_so == []


def test_every_module_says_what_it_is() -> None:
    silent = [path for path, text in texts("*.py") if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def test_nothing_is_left_to_be_done() -> None:
    # In pieces, for this file is searched as well.
    marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    found = [(path, mark) for path, text in texts() for mark in marks if mark in text]
    assert found == []
