"""Every link of the docs that stays in the repository leads somewhere."""

import re
from collections import Counter
from pathlib import Path

from tests.docs.texts import ROOT, texts

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(
    r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE
)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def links(text: str) -> list[str]:
    """The targets of a page's links that are not addresses elsewhere."""
    prose = _CODE.sub("", _FENCED.sub("", text))
    targets = ["".join(groups) for groups in _LINK.findall(prose)]
    return [target for target in targets if not _ELSEWHERE.match(target)]


def anchors(text: str) -> set[str]:
    """The names that a page can be entered by, made from its headings as GitHub makes them."""
    prose = _FENCED.sub("", text)
    found = set(_ANCHOR.findall(prose))
    seen: Counter[str] = Counter()
    for heading in _HEADING.findall(prose):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def dead(page: Path, text: str) -> list[str]:
    """What is wrong with the links of a page."""
    wrong = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        path = page if not name else (ROOT / name[1:] if name.startswith("/") else page.parent / name)
        if not path.exists():
            wrong.append(f"{target}: there is no such file")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
            wrong.append(f"{target}: no heading gives that anchor")
    return wrong


def test_every_link_of_the_docs_leads_somewhere() -> None:
    pages = dict(texts("*.md"))
    assert ROOT / "README.md" in pages
    assert {str(page.relative_to(ROOT)): wrong for page, text in pages.items() if (wrong := dead(page, text))} == {}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "# One `two`: three!\n\n## Again\n\n## Again\n"
    text += "[a](#one-two-three) [b](#again-1) [c](page.md#again) [d](https://example.com/x)\n"
    text += "[e](#nowhere) [f](gone.md) ![i](gone.png)\n```\n[g](code.md)\n```\n`[h](code.md)`\n"
    page.write_text(text)
    assert [line.partition(":")[0] for line in dead(page, text)] == ["#nowhere", "gone.md", "gone.png"]
