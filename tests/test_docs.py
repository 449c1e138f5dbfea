"""The reference names everything there is, links lead somewhere, documented commands exist, versions agree."""

import functools
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import roost
from roost.config import declared
from roost.errors import by_code
from roost.keeper import requests
from roost.model.events import EVENT_TYPES
from roost.testing import fake_agent

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
STREAM_EVENTS = ("connected", "ping", "skipped")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL_WORDS_THAT_END = {"|", "||", "&&", ";", "&", ">", "<", ">>", "2>&1", "2>/dev/null"}


def test_every_setting_is_in_the_reference() -> None:
    keys = ["data", "db", *(item.key for item in declared())]
    assert missing_from_reference(keys) == []


def test_every_environment_name_is_in_the_reference() -> None:
    assert missing_from_reference(name for item in declared() for name in item.environment_names) == []


def test_every_flag_of_a_setting_is_in_the_reference() -> None:
    assert missing_from_reference(item.flag for item in declared()) == []


def test_every_error_code_is_in_the_reference() -> None:
    assert missing_from_reference(by_code()) == []


def test_every_event_type_is_in_the_reference() -> None:
    assert missing_from_reference((*EVENT_TYPES, *STREAM_EVENTS)) == []


def test_every_keeper_operation_is_in_the_reference() -> None:
    assert missing_from(requests.OPERATIONS, [REFERENCE / "keeper-protocol.md"]) == []


def test_every_route_is_in_the_reference() -> None:
    assert missing_from_reference(_routes()) == []


def test_every_command_is_in_the_reference() -> None:
    assert missing_from_reference(f"roost {name}" for name in _commands()) == []


def test_every_metric_is_in_the_reference() -> None:
    assert missing_from_reference(_metrics()) == []


def test_every_act_of_the_fake_agent_is_in_the_reference() -> None:
    acts = (f"--{name} {act.argument}".rstrip() for name, act in fake_agent.acts().items())
    assert missing_from(acts, [REFERENCE / "testing-kit.md"]) == []


def test_links_lead_somewhere() -> None:
    assert [f"{page.relative_to(ROOT)}: {link}" for page in pages() for link in broken_links(page)] == []


def test_every_page_is_reachable_from_the_index() -> None:
    assert sorted(str(page.relative_to(DOCS)) for page in set(DOCS.rglob("*.md")) - _reachable(DOCS / "index.md")) == []


def test_documented_commands_parse() -> None:
    refused = [
        f"{page.relative_to(ROOT)}: {command}"
        for page in pages()
        for command in commands_in(page)
        if _is_refused(command)
    ]
    assert refused == []


def test_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[:1] == [roost.__version__]


def test_readme_names_no_other_version() -> None:
    named = re.findall(r"roost[ =]=?v?(\d+\.\d+\.\d+)", (ROOT / "README.md").read_text())
    assert set(named) <= {roost.__version__}


def test_a_missing_name_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`server.port` and ROOST_PORT, not server.portal")
    assert missing_from(["server.port", "ROOST_PORT", "port", "server.host"], [page]) == ["port", "server.host"]


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A head: line\n[a](page.md#a-head-line) [b](none.md) [c](#nowhere) [d](https://example.org)")
    assert broken_links(page) == ["none.md", "#nowhere"]


def test_commands_are_found_in_shell_blocks_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\n$ roost ps --json | jq .\nroost run demo -- \\\n    bash -c 'a b'   # why\necho roost\n```\n"
        "```python\nroost = 1\n```\n"
    )
    assert list(commands_in(page)) == ["roost ps --json", "roost run demo -- bash -c 'a b'"]


def missing_from_reference(names: Iterable[str]) -> list[str]:
    """The names that stand nowhere in `docs/reference`."""
    return missing_from(names, sorted(REFERENCE.glob("*.md")))


def missing_from(names: Iterable[str], where: list[Path]) -> list[str]:
    """The names that stand, as whole words, in none of these pages."""
    text = "\n".join(_read(page) for page in where)
    return [name for name in names if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text)]


def pages() -> list[Path]:
    """Every page that people read."""
    return [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def broken_links(page: Path) -> list[str]:
    """Links of a page to files or headings that do not exist; other sites are not asked."""
    return [link for link in LINK.findall(_without_code(_read(page))) if not _leads_somewhere(page, link)]


def commands_in(page: Path) -> Iterator[str]:
    """The `roost` commands in a page's shell blocks, joined over line ends, up to a pipe or redirection."""
    for language, body in FENCE.findall(_read(page)):
        if language not in ("sh", "bash", "console", "shell"):
            continue
        for line in body.replace("\\\n", " ").splitlines():
            words = _words(line.strip().removeprefix("$ "))
            if words[:1] == ["roost"]:
                yield shlex.join(words)


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return []
    end = next((at for at, word in enumerate(words) if word in SHELL_WORDS_THAT_END), len(words))
    return words[:end]


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    target, _, anchor = link.partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.exists():
        return False
    return not anchor or path.suffix != ".md" or anchor in _anchors(path)


@functools.cache
def _read(page: Path) -> str:
    return page.read_text()


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", _read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _reachable(start: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        page = waiting.pop()
        if page.is_dir():
            waiting.extend(page.glob("*.md"))
        if page in found or page.suffix != ".md" or not page.exists():
            continue
        found.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(_without_code(_read(page))))
        waiting.extend((page.parent / link).resolve() for link in links if link and "://" not in link)
    return found


def _routes() -> list[str]:
    from roost.web.routes import ROUTES

    return sorted({entry.path for entry in ROUTES if entry.path != "/" and ":path}" not in entry.path})


def _commands() -> list[str]:
    from roost.cli.commands import all_commands

    return sorted(command.name for command in all_commands())


def _metrics() -> list[str]:
    from roost.services import metrics

    return sorted(metrics.names())


def _is_refused(command: str) -> bool:
    from roost.cli.commands import find
    from roost.cli.parser import command_parser

    words = shlex.split(command)[1:]
    if words[:1] == ["--data"]:
        words = words[2:]
    if not words or words[0].startswith("-"):
        return words[:1] not in ([], ["--help"], ["--version"])
    found = find(words[0])
    if found is None:
        return True
    try:
        command_parser(found).parse_args(words[1:])
    except SystemExit as exc:
        return exc.code not in (0, None)
    return False


@pytest.fixture(autouse=True, scope="module")
def _fresh_pages() -> None:
    _read.cache_clear()
