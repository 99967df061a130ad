"""A process that can't start says why in one line."""

import socket
import subprocess
import sys

import pytest

from tests.processes import ROOT
from tests.system.own_process import CONSUME, GENERATE


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
def test_a_bad_setting_is_one_clear_line(module: str) -> None:
    code, said = end_of(module, REJOIN_LEASE_S="soon")
    assert code == 1
    assert said == "REJOIN_LEASE_S 'soon' can't be used: it takes seconds from 0.1 to 3600\n"


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GEMINI_BASE_URL"])
def test_a_bad_address_of_a_vendor_is_one_clear_line(name: str) -> None:
    keys = {f"{vendor}_API_KEY": "sk-test" for vendor in ("OPENAI", "ANTHROPIC", "GEMINI")}
    code, said = end_of(GENERATE, **keys, **{name: "http://[::1"})
    assert code == 1
    assert said == f"{name} 'http://[::1' can't be used: it takes a URL such as https://example.com/v1\n"


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
def test_what_the_sdk_of_the_traces_can_not_use_is_one_clear_line(module: str) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "0"}
    code, said = end_of(module, **environ)
    assert code == 1
    assert said.startswith("an OTEL_ variable can't be used: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
def test_a_port_in_use_is_one_clear_line(module: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = end_of(module, REJOIN_PORT=str(port))
    assert code == 1
    assert said == f"can't listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_bad_address_of_redis_is_not_repeated_since_it_may_hold_a_password() -> None:
    code, said = end_of(CONSUME, REDIS_URL="http://:secret@example.com")
    assert code == 1
    assert said.startswith("REDIS_URL can't be used: it takes redis://")
    assert "secret" not in said


def end_of(module: str, **environ: str) -> tuple[int, str]:
    """Start a process that must end by itself; returns its exit code and all that it said."""
    said = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, env=environ, timeout=30, stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return said.returncode, said.stdout
