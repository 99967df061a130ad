"""Base images made of this machine's own programs, under the names that are asked for: no registry is needed.

Each holds what the official one of its name is used for, and no more: the program with its libraries, and busybox.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy import node
from tests.deploy.docker import Docker

ROOT = Path(__file__).resolve().parents[2]
_LABEL = "rejoin.base"

_ASKED = re.compile(r"^ARG (PYTHON|NODE|NGINX)=(\S+)$", re.M)
_CA = "/etc/ssl/certs/ca-certificates.crt"
_PASSED_ON = re.compile(
    r"(PIP_(INDEX_URL|CERT|DEFAULT_TIMEOUT)|NPM_CONFIG_\w+|\w+_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$", re.I
)
# What wheels, and names that are looked up, take for granted; it lies beside the C library.
_OF_C = ("libdl.so.2", "libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2", "libpthread.so.0", "libresolv.so.2",
         "librt.so.1", "libstdc++.so.6", "libutil.so.1")  # fmt: skip
_LIBRARY = re.compile(r"(/\S+) \(0x")
_UNUSED = shutil.ignore_patterns(
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "config-*",
    "site-packages",
    "dist-packages",
    "__pycache__",
)


def names() -> dict[str, str]:
    """Which image is asked for as what, by the Dockerfiles, by compose and by testcontainers."""
    files = (ROOT / "deploy/Dockerfile", ROOT / "deploy/page.Dockerfile")
    return {"REDIS": "redis:7"} | {name: image for file in files for name, image in _ASKED.findall(file.read_text())}


def make(docker: Docker) -> None:
    """Make those that this Docker does not have, or has from an earlier form of this file."""
    contents = {"PYTHON": _python, "NODE": _node, "NGINX": _nginx, "REDIS": _redis}
    form = hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).hexdigest()[:16]
    for kind, name in names().items():
        found = docker.run("images", "-q", name)
        labels = docker.inspect(name)["Config"]["Labels"] or {} if found else {}
        # One that came from a registry is better than ours.
        if not found or labels.get(_LABEL, form) != form:
            with tempfile.TemporaryDirectory() as place:
                root = RootFs(Path(place))
                command = contents[kind](root)
                docker.load(name, root.tar(), [*_environment(), *command, f"LABEL {_LABEL}={form}"])


class RootFs:
    """A file system in the making."""

    def __init__(self, place: Path) -> None:
        self._place = place
        for folder in (
            "usr/bin",
            "usr/sbin",
            "usr/lib",
            "usr/lib64",
            "usr/local/bin",
            "etc/ssl/certs",
            "root",
            "run",
            "var",
        ):
            (place / folder).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (place / name).symlink_to(f"usr/{name}")
        (place / "tmp").mkdir()
        (place / "tmp").chmod(0o1777)
        self.text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nredis:x:999:999::/data:/bin/sh\n")
        self.text("/etc/group", "root:x:0:\nredis:x:999:\n")
        self.text("/etc/nsswitch.conf", "hosts: files dns\n")
        self.file(_CA)
        self.program(_found("busybox"), "/usr/bin/busybox")
        for name in subprocess.check_output([place / "usr/bin/busybox", "--list"], text=True).split():
            if name != "busybox":
                (place / "usr/bin" / name).symlink_to("busybox")

    def text(self, path: str, content: str) -> None:
        """A file of this text."""
        self._at(path).write_text(content)

    def file(self, path: str, to: str = "") -> None:
        """A file of this machine, where it lies here or elsewhere."""
        target = self._at(to or path)
        target.unlink(missing_ok=True)
        shutil.copy2(path, target)

    def program(self, path: str, to: str = "") -> None:
        """A program, and every library that it needs."""
        self.file(path, to)
        self.libraries(path)

    def libraries(self, path: str) -> None:
        """What a program or library needs."""
        said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        found = _LIBRARY.findall(said)
        of_c = [str(Path(each).parent / name) for each in found if each.endswith("/libc.so.6") for name in _OF_C]
        for library in {*found, *of_c}:
            if not self._at(library).exists() and Path(library).exists():
                self.file(library)

    def tree(self, path: Path, to: str) -> None:
        """A folder, without what nobody needs in a container."""
        shutil.copytree(path, self._at(to), symlinks=True, ignore=_UNUSED, dirs_exist_ok=True)

    def folder(self, path: str, owner: int = 0) -> None:
        """An empty one."""
        self._at(path).mkdir(parents=True, exist_ok=True)
        os.chown(self._at(path), owner, owner)

    def link(self, path: str, to: str) -> None:
        """A symbolic link."""
        self._at(path).unlink(missing_ok=True)
        self._at(path).symlink_to(to)

    def tar(self) -> Iterator[bytes]:
        """All of it."""
        read, write = os.pipe()
        with subprocess.Popen(["tar", "-C", self._place, "--sort=name", "-cf", "-", "."], stdout=write):
            os.close(write)
            with os.fdopen(read, "rb") as stream:
                while part := stream.read(1 << 20):
                    yield part

    def _at(self, path: str) -> Path:
        target = self._place / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def _environment() -> list[str]:
    """How this machine reaches PyPI and npm, as changes to an image; the images that are shipped know nothing of it."""
    passed = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
    given = {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin", "PIP_CERT": _CA, "NODE_EXTRA_CA_CERTS": _CA} | passed
    return [f"ENV {name}={value}" for name, value in given.items()]


def _python(root: RootFs) -> list[str]:
    home, version = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": str(home)}))
    root.program(os.path.realpath(sys.executable), f"/usr/local/bin/{version}")
    for name in ("python", "python3"):
        root.link(f"/usr/local/bin/{name}", version)
    root.tree(library, f"/usr/local/lib/{version}")
    for extension in (library / "lib-dynload").glob("*.so"):
        root.libraries(str(extension))
    wheel = next((library / "ensurepip/_bundled").glob("pip-*.whl"))
    shutil.unpack_archive(wheel, root._at(f"/usr/local/lib/{version}/site-packages"), "zip")
    return []


def _node(root: RootFs) -> list[str]:
    binary = node.node()
    npm = Path(os.path.realpath(node._npm()[-1])).parents[1]
    root.program(str(binary), "/usr/local/bin/node")
    shutil.copytree(npm, root._at("/usr/local/lib/node_modules/npm"), symlinks=True)
    root.link("/usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js")
    return []


def _nginx(root: RootFs) -> list[str]:
    for program in ("nginx", "openssl"):
        root.program(_found(program), f"/usr/sbin/{program}")
    root.file("/etc/nginx/mime.types")
    root.file("/etc/ssl/openssl.cnf")
    root.link("/usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf")
    root.folder("/var/lib/nginx")
    root.folder("/var/log/nginx")
    return []


def _redis(root: RootFs) -> list[str]:
    for program in ("redis-server", "redis-cli"):
        root.program(_found(program), f"/usr/bin/{program}")
    root.folder("/data", owner=999)
    return ["WORKDIR /data", 'CMD ["redis-server", "--protected-mode", "no"]', "EXPOSE 6379"]


def _found(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert found, f"{program} is not on this machine"
    return found
