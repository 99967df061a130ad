"""The settings table of README, made from the code: `python -m tests.docs.settings_table` writes it."""

import re
from pathlib import Path

from deploy.settings import LocalSettings
from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream.settings import Settings as GenerateSettings
from shared.settings import Settings

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"(<!-- settings: [^\n]*-->\n).*?(<!-- /settings -->)", re.DOTALL)
_READERS: dict[str, type[Settings]] = {
    "generate": GenerateSettings,
    "consume": ConsumeSettings,
    "local run": LocalSettings,
}


def table() -> str:
    """One row a variable: its default (by reader, where they differ), what it takes, what it is, who reads it."""
    rows: dict[str, dict[str, tuple[str, str, str]]] = {}
    for reader, settings in _READERS.items():
        for name, default, takes, help_text in settings.table():
            rows.setdefault(name, {})[reader] = (default, takes, help_text)
    lines = ["| variable | default | takes | what it is | read by |", "|---|---|---|---|---|"]
    return "\n".join(lines + [_row(name, by_reader) for name, by_reader in rows.items()])


def written(readme: str) -> str:
    """The page with the table as it should be."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{table()}\n\n{block[2]}", readme)


def _row(name: str, by_reader: dict[str, tuple[str, str, str]]) -> str:
    defaults = dict.fromkeys(_code(default) for default, _, _ in by_reader.values())
    _, takes, help_text = next(iter(by_reader.values()))
    return f"| `{name}` | {', '.join(filter(None, defaults))} | {takes} | {help_text} | {', '.join(by_reader)} |"


def _code(default: str) -> str:
    shown = ".rejoin" if default.endswith("/.rejoin") else default
    return f"`{shown}`" if shown else ""


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
