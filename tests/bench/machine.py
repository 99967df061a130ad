"""The machine's facts, without which no figure means anything to another reader."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import psutil

from deploy.redis_binary import Binary

_PACKAGES = ("redis", "hiredis", "uvicorn", "uvloop", "sse-starlette", "starlette", "openai")


def facts(redis: Binary) -> dict[str, Any]:
    """What the figures depend on, and how busy the machine is with other things now."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "redis": f"{redis.kind} {redis.version}",
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "loadBefore": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
