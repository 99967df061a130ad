"""The page is whole by itself: it loads only its own files, and runs under the strictest content policy."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
MODULES = sorted(path for path in WEB.glob("*.js") if not path.name.endswith(".test.js"))
IMPORT = re.compile(r"""(?:\bfrom|^import)\s*['"](?P<source>[^'"]+)['"]|\bimport\(""", re.MULTILINE)


class Page(HTMLParser):
    """What index.html holds: every tag with its attributes, and the text inside script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline = ""
        self._in_code = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_code = tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._in_code = False

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.inline += data.strip()


def page() -> Page:
    return Page((WEB / "index.html").read_text(encoding="utf-8"))


def links() -> Iterator[str]:
    """Yield every address that the page, its style or its modules load by themselves, as seen from `web/`."""
    for tag, attributes in page().tags:
        yield from (attributes[name] for name in ("src", "href") if name in attributes and tag != "a")
    for module in MODULES:
        imports = IMPORT.finditer(module.read_text(encoding="utf-8"))
        # An import of a computed source can't be followed: it is given as it stands, and no file is named so.
        yield from (match["source"] or match[0] for match in imports)
    yield from re.findall(r"url\([^)]*\)|@import[^;]*", (WEB / "style.css").read_text(encoding="utf-8"))


def test_the_page_loads_its_own_files_and_nothing_else() -> None:
    found = list(links())
    assert {"app.js", "style.css", "./fold.js", "./vendor/nanoid.js"} <= set(found)
    missing = [link for link in found if not (WEB / link).is_file()]
    assert missing == []


def test_nothing_in_the_page_is_inline() -> None:
    parsed = page()
    assert parsed.inline == ""
    names = {name for _, attributes in parsed.tags for name in attributes}
    assert "class" in names
    assert [name for name in names if name == "style" or name.startswith("on")] == []


def test_the_page_itself_asks_for_the_strict_policy() -> None:
    policies = [a["content"] for _, a in page().tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies
    assert policies[0].startswith("default-src 'self';")
    assert "unsafe" not in policies[0]


def test_words_of_people_and_models_never_become_html() -> None:
    assert len(MODULES) > 3
    sinks = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser|\beval\b")
    assert [path.name for path in MODULES if sinks.search(path.read_text(encoding="utf-8"))] == []
