"""The local run: a Redis, both services and the origin in front of them, as one thing that starts and ends together."""

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from deploy import store
from deploy.claim import Taken
from deploy.processes import Place, Processes, SaidAlready, Trouble
from deploy.redis_server import RedisFailed
from deploy.settings import LocalSettings
from deploy.store import Store
from shared.settings import SettingError

_LOOPBACK = "127.0.0.1"
_EXPECTED = (SettingError, Trouble, RedisFailed, Taken, OSError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal (exit code 0) or until something is wrong: one line on standard error, exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--parent", type=int, metavar="PID", help="end at once when this parent process is killed")
    parent: int | None = parser.parse_args(arguments).parent
    try:
        settings = LocalSettings.read(os.environ)
        with Processes(settings.drain_s, parent) as processes:
            _listen_to_signals(processes)
            _run(settings, processes)
    except KeyboardInterrupt:
        return 0
    except SaidAlready:
        return 1
    except _EXPECTED as error:
        print(f"rejoin: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _listen_to_signals(processes: Processes) -> None:
    """The first signal ends the run in good order; a Ctrl-C after it ends it at once."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def kill(_signal: int, _frame: FrameType | None) -> None:
        processes.leash.kill()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # Only Ctrl-C means haste: a SIGTERM to the whole process group comes twice, the second time from make.
        for each in signals:
            signal.signal(each, kill if each == signal.SIGINT else signal.SIG_IGN)
        # Past Python's buffers, which may be in use at this very moment.
        with contextlib.suppress(OSError):
            os.write(sys.stdout.fileno(), b"\n  Stopping. Ctrl-C once more: at once.\n")
        raise KeyboardInterrupt

    for each in signals:
        signal.signal(each, stop)


def _run(settings: LocalSettings, processes: Processes) -> None:
    redis = _redis(settings, processes)
    _check_ports(settings)
    env = {"REDIS_URL": redis.url, "REJOIN_DRAIN_S": f"{settings.drain_s:g}", "REJOIN_HOST": _LOOPBACK}
    # The origin, and whoever is in front of it.
    env["REJOIN_TRUSTED_PROXIES"] = ",".join([_LOOPBACK, *map(str, settings.trusted_proxies)])
    for name, port in (("generate-stream", settings.generate_port), ("consume-stream", settings.consume_port)):
        module = f"services.{name.replace('-', '_')}"
        processes.start(name, module, Place(_LOOPBACK, port, "/readyz"), {**env, "REJOIN_PORT": str(port)})
    processes.start("the origin", "deploy.origin", Place(settings.reach, settings.port, "/healthz"), {})
    processes.wait_until_ready()
    print(_welcome(settings, redis), flush=True)
    processes.wait()


def _redis(settings: LocalSettings, processes: Processes) -> Store:
    if settings.redis_url:
        return store.given(settings.redis_url)
    found = store.private(Path(settings.data_dir), processes.leash)
    processes.redis = found.server
    return found


def _check_ports(settings: LocalSettings) -> None:
    """Raise Trouble if one of the three ports can't be had."""
    wanted = [
        ("REJOIN_PORT", settings.host, settings.port),
        ("REJOIN_GENERATE_PORT", _LOOPBACK, settings.generate_port),
        ("REJOIN_CONSUME_PORT", _LOOPBACK, settings.consume_port),
    ]
    # All are held until all are tried, so that two settings with one port are found out too.
    held: list[socket.socket] = []
    try:
        for name, host, port in wanted:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            try:
                held.append(socket.create_server((host, port), family=family))
            except socket.gaierror as error:
                raise Trouble(f"REJOIN_HOST {host!r} can't be used: {error.strerror}") from None
            except OSError as error:
                why = os.strerror(error.errno or 0)
                raise Trouble(f"can't listen on {host}:{port}: {why}; {name} chooses another port") from None
    finally:
        for each in held:
            each.close()


def _welcome(settings: LocalSettings, redis: Store) -> str:
    models = Place(_LOOPBACK, settings.generate_port, "/api/models").get()
    default = json.loads(models)["default"] if models else {}
    answers = f"{default['provider']}, {default['model']}" if default else "to who brings a token"
    if default.get("provider") == "demo":
        answers = "the demo; OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY brings a real model"
    host = f"[{settings.reach}]" if ":" in settings.reach else settings.reach
    return f"""
  Rejoin is up: open http://{host}:{settings.port}

    answers    {answers}
    Redis      {redis.description}
    services   generate-stream on {settings.generate_port}, consume-stream on {settings.consume_port}
    stop       Ctrl-C
"""


if __name__ == "__main__":
    sys.exit(main())
