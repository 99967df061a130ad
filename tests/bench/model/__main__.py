"""Print the model's tables: `python -m tests.bench.model [--from docs/bench.json] [--write]`."""

import argparse
import json
from pathlib import Path

from tests.bench.model.page import events_table, scale_table, written
from tests.bench.model.scale import measured
from tests.bench.works.idle import VIEWERS
from tests.processes import ROOT


def main() -> None:
    """Print them, or write them into ARCHITECTURE.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.model", description="The cost model's tables.")
    bench = ROOT / "docs" / "bench.json"
    parser.add_argument("--from", dest="bench", type=Path, default=bench, help="a run of the bench")
    parser.add_argument("--write", action="store_true", help="into ARCHITECTURE.md, instead of printing")
    told = parser.parse_args()
    tables = {"costs": events_table()}
    if told.bench.exists():
        tables["scale"] = scale_table(measured(json.loads(told.bench.read_text("utf-8")), VIEWERS))
    if told.write:
        page = ROOT / "ARCHITECTURE.md"
        text = page.read_text("utf-8")
        for name, table in tables.items():
            text = written(text, name, table)
        page.write_text(text, "utf-8")
    else:
        print("\n\n".join(tables.values()))


if __name__ == "__main__":
    main()
