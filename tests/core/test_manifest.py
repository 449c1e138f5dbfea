"""How manifests are read, chosen, put over one another, and what their rules say."""

from __future__ import annotations

import pytest

from roost.core.manifest import (
    MAX_ROW,
    Finding,
    Manifest,
    ManifestInvalid,
    Sight,
    choose,
    is_interactive_shell,
    programs,
)
from tests.core.tui import MANIFESTS, says

RULE = '[[rules]]\nkind = "idle"\npattern = "x"\n'


def made(rules: str = "", head: str = 'name = "one"\nprograms = ["one"]\n') -> Manifest:
    return Manifest.parse(head + rules)


def seen(*rows: str, title: str = "", line: str = "") -> Sight:
    return Sight(title, rows, line)


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_manifest_of_ours_can_be_read_and_bears_its_files_name(path: object) -> None:
    assert Manifest.parse(path.read_text()).name == path.stem  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        "programs = []",
        'name = "one"\ncolour = "red"',
        'name = "one"\n[[rules]]\nkind = "sleeps"\npattern = "x"',
        'name = "one"\n[[rules]]\nkind = "idle"\npattern = "("',
        'name = "one"\n[[rules]]\nkind = "idle"\npattern = "x"\nunless = "["',
        'name = "one"\n[[rules]]\nkind = "idle"\npattern = "x"\nsummary = "{what}"',
        'name = "one"\n[[rules]]\nkind = "idle"\npattern = "x"\nsummary = "{"',
        'name = "one"\n[[rules]]\nkind = "waits"\npattern = "x"',
        'name = "one"\n[[rules]]\nkind = "idle"\nwants = "login"\npattern = "x"',
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ManifestInvalid):
        Manifest.parse(text)


def test_the_first_rule_that_matches_holds_the_highest_priority_first() -> None:
    rules = "".join(
        f'[[rules]]\nkind = "{kind}"\npattern = "{pattern}"\npriority = {priority}\n'
        for kind, pattern, priority in (("idle", "x", 0), ("works", "x", 0), ("failed", "y", 5))
    )
    found = made(rules)
    assert says(found.read(seen("x"))) == ("idle", None, "")
    assert says(found.read(seen("x", "y"))) == ("failed", None, "")
    assert found.read(seen("z")) is None


@pytest.mark.parametrize(
    ("where", "matches"),
    [
        ("title", seen("", title="x")),
        ("line", seen("y", line="x")),
        ("bottom", seen("x", "", "y", "")),
        ("screen", seen("x", *["y"] * 50)),
    ],
)
def test_a_rule_looks_at_its_place(where: str, matches: Sight) -> None:
    found = made(f'[[rules]]\nkind = "idle"\npattern = "x"\nrows = 2\nwhere = "{where}"\n')
    assert says(found.read(matches)) == ("idle", None, "")
    assert found.read(seen("x", "y", "y", title="y", line="y")) is None or where == "screen"


def test_a_rule_does_not_hold_where_its_unless_matches() -> None:
    found = made(RULE + 'unless = "y"\n')
    assert found.read(seen("x")) is not None
    assert found.read(seen("x", "y")) is None


def test_of_the_texts_of_a_rule_one_must_be_there_in_any_case() -> None:
    found = made(RULE + 'texts = ["One", "two"]\n')
    assert found.read(seen("x")) is None
    assert found.read(seen("x", "oNE")) is not None
    assert found.read(seen("two")) is None


def test_a_finding_quotes_what_matched_and_fills_in_its_summary() -> None:
    rule = '[[rules]]\nkind = "waits"\nwants = "plan"\npattern = "│ (?P<what>a +b)(?P<more>c)?"\n'
    found = made(rule + 'summary = "{what}{more}?"\nevidence = "it says"\n').read(seen("│ a   b"))
    assert found == Finding("waits", "plan", "a b?", "it says: “a b”", "screen")


def test_of_much_that_matched_only_the_groups_are_quoted() -> None:
    rule = '[[rules]]\nkind = "idle"\npattern = "(?P<what>a).{200}"\n'
    found = made(rule).read(seen("a" + "y" * 300))
    assert found is not None
    assert found.evidence == "“a”"


def test_a_finding_quotes_nothing_that_is_only_drawn() -> None:
    found = made('[[rules]]\nkind = "idle"\npattern = "─+"\n').read(seen("───"))
    assert found == Finding("idle", None, "", "a rule matches", "screen")


def test_a_title_is_quoted_as_a_whole() -> None:
    found = made('[[rules]]\nkind = "works"\npattern = "^◐"\nwhere = "title"\n').read(seen(title="◐ one"))
    assert found == Finding("works", None, "", "“◐ one”", "title")


def test_where_no_rule_matches_a_manifest_may_say_what_holds() -> None:
    found = made(RULE, 'name = "one"\notherwise = "works"\n').read(seen("y"))
    assert found is not None
    assert (found.kind, found.source) == ("works", "process")


def test_long_rows_and_high_screens_are_cut() -> None:
    found = made('[[rules]]\nkind = "idle"\nwhere = "screen"\npattern = "x"\n')
    assert found.read(seen("y" * MAX_ROW + "x")) is None
    assert found.read(seen("x", *["y"] * 500)) is None


def test_a_manifest_takes_the_place_of_another_or_goes_in_front_of_it() -> None:
    below = made(RULE)
    other = 'name = "one"\nprograms = ["uno"]\n[[rules]]\nkind = "works"\npattern = "x"\n'
    alone = Manifest.parse(other).over(below)
    both = Manifest.parse("extends = true\n" + other).over(below)
    assert (len(alone.rules), alone.programs) == (1, ("uno",))
    assert ([rule.kind for rule in both.rules], both.programs) == (["works", "idle"], ("uno", "one"))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], []),
        (["/opt/bin/claude", "--resume"], ["claude"]),
        (["node", "--no-warnings", "/lib/claude.js"], ["node", "claude"]),
        (["npx", "-y", "@openai/codex@1.2"], ["npx", "codex"]),
        (["env", "A=b", "claude"], ["env", "claude"]),
        (["timeout", "100", "claude"], ["timeout", "claude"]),
        (["-bash"], ["bash"]),
        (["/usr/bin/python3.11", "-m", "claude"], ["python3.11", "claude"]),
        (["bash", "-lc", "cd x && exec claude --continue"], ["bash", "cd", "x", "exec", "claude"]),
        (["sh", "-c", "it's"], ["sh"]),
        (["bash", "script.sh"], ["bash", "script"]),
    ],
)
def test_the_program_of_a_command_line(argv: list[str], expected: list[str]) -> None:
    assert programs(argv) == expected


def test_a_manifest_is_chosen_by_the_program_also_behind_wrappers() -> None:
    one, two = made(), made(head='name = "two"\nprograms = ["two", "two-*"]\n')
    assert choose([one, two], ["env", "two-beta"]) is two
    assert choose([one, two], ["bash", "-c", "two"]) is two
    assert choose([one, two], ["three"]) is None


@pytest.mark.parametrize(
    ("argv", "interactive"),
    [
        (["bash"], True),
        (["/bin/zsh", "-i", "--login"], True),
        (["bash", "--norc", "--noprofile"], True),
        (["bash", "-c", "ls"], False),
        (["bash", "-lc", "ls"], False),
        (["sh", "script"], False),
        (["python3"], False),
        ([], False),
    ],
)
def test_a_shell_that_is_given_nothing_to_run_is_interactive(argv: list[str], interactive: bool) -> None:
    assert is_interactive_shell(argv) is interactive
