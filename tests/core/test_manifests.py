"""The manifests that come with roost, against recordings of the real programs."""

from __future__ import annotations

import pytest

from roost.core.attention import Settling
from roost.core.manifest import Sight
from roost.model.attention import NEEDY
from tests.core.terminal_goldens import GOLDENS, read_cast
from tests.core.tui import MANIFESTS, looks, manifest, says, sight_at, tui

IDLE = ("idle", None, "")
WORKS = ("works", None, "")
Said = tuple[str, str | None, str]

# Seconds into the recording at which somebody looked at the screen and wrote down what it showed.
CLAUDE = {
    12.4: IDLE,
    23.59: ("waits", "permission", "Do you want to create out.txt?"),
    29.06: IDLE,
    32.32: ("waits", "permission", "wants to run: echo oops >&2; exit 3"),
    35.4: IDLE,
    39.61: WORKS,
    42.12: IDLE,
    44.18: IDLE,
    47.81: ("waits", "question", "Which colour?"),
    49.85: IDLE,
}
CODEX = {
    6.03: ("waits", "question", "asks to choose: Try new model"),
    7.04: ("waits", "question", "asks to choose: Use existing model"),
    9.09: IDLE,
    13.9: ("waits", "permission", "wants to run: echo data > new.txt"),
    17.0: IDLE,
    20.86: WORKS,
    22.89: IDLE,
}
GEMINI = {
    12.03: IDLE,
    17.87: ("waits", "permission", "Apply this change?"),
    21.92: IDLE,
    25.77: WORKS,
    27.78: IDLE,
}
OPENCODE = {12.04: IDLE, 18.85: WORKS, 22.87: WORKS}
RECORDED = [("claude", CLAUDE), ("codex", CODEX), ("gemini", GEMINI), ("opencode", OPENCODE)]


@pytest.mark.parametrize(("name", "expected"), RECORDED, ids=[name for name, _ in RECORDED])
def test_each_state_of_a_real_cli_is_known(name: str, expected: dict[float, Said]) -> None:
    cast = tui(name)
    assert {time_s: says(manifest(name).read(sight_at(cast, time_s))) for time_s in expected} == expected


def settled(name: str, cli: str = "") -> list[Said]:
    """What was believed of a recorded CLI, one after the other, looked at once a second and at rest."""
    settling, found, last_ns = Settling(), [], -(10**12)
    for look in looks(tui(name)):
        if look.resting or look.time_ns - last_ns >= 10**9:
            last_ns = look.time_ns
            said = says(settling.take(manifest(cli or name).read(look.sight), look.time_ns, resting=look.resting))
            if said is not None and (not found or found[-1] != said):
                found.append(said)
    return found


def test_claude_is_followed_through_a_whole_session() -> None:
    create = ("waits", "permission", "Do you want to create out.txt?")
    run = ("waits", "permission", "wants to run: echo oops >&2; exit 3")
    colour = ("waits", "question", "Which colour?")
    turns = [IDLE, WORKS, create, WORKS, IDLE, WORKS, run, WORKS, IDLE]
    assert settled("claude") == [*turns, WORKS, IDLE, colour, IDLE]


def test_codex_is_followed_through_a_whole_session() -> None:
    ask = ("waits", "permission", "wants to run: echo data > new.txt")
    first, second = (
        ("waits", "question", f"asks to choose: {what}") for what in ("Try new model", "Use existing model")
    )
    assert settled("codex") == [first, second, IDLE, WORKS, ask, IDLE, WORKS, IDLE]


def test_gemini_is_followed_through_a_whole_session() -> None:
    assert settled("gemini") == [IDLE, ("waits", "permission", "Apply this change?"), IDLE, WORKS, IDLE]


def test_a_claude_that_cannot_reach_its_service_has_failed() -> None:
    assert settled("claude-onboarding", "claude")[-1] == ("failed", None, "cannot reach its service")


PAGERS = {"git-pager", "less", "less-inline", "man"}


@pytest.mark.parametrize("path", sorted(GOLDENS.glob("*.cast")), ids=lambda path: path.stem)
def test_no_plain_program_is_said_to_wait_that_does_not(path: object) -> None:
    cast = read_cast(path)  # type: ignore[arg-type]
    found = {says(manifest("any").read(look.sight)) for look in looks(cast) if look.resting}
    needy = {said for said in found if said is not None and said[0] in NEEDY}
    assert needy == ({("waits", "input", "a pager shows text")} if path.stem in PAGERS else set())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [path.stem for path in MANIFESTS.glob("*.toml") if path.stem not in ("any", "shell")])
@pytest.mark.parametrize("path", sorted(GOLDENS.glob("*.cast")), ids=lambda path: path.stem)
def test_no_other_program_looks_like_a_coding_agent_that_waits(path: object, name: str) -> None:
    cast = read_cast(path)  # type: ignore[arg-type]
    found = [manifest(name).read(look.sight) for look in looks(cast) if look.resting]
    assert [finding for finding in found if finding is not None and finding.kind in NEEDY] == []


ASKED = [
    ("[sudo] password for ann: ", "input", "asks for a password: [sudo] password for ann"),
    ("ann@example.org's password: ", "input", "asks for a password: ann@example.org's password"),
    ("Password:", "input", "asks for a password: Password"),
    ("Enter passphrase for key '/keys/id': ", "input", "asks for a password: Enter passphrase for key '/keys/id'"),
    ("New password: ", "input", "asks for a password: New password"),
    ("Username for 'https://example.org': ", "login", "asks who logs in: Username for 'https://example.org'"),
    ("box login: ", None, ""),
    ("login: ", "login", "asks who logs in: login"),
    ("Do you want to continue? [Y/n] ", "question", "Do you want to continue?"),
    ("Overwrite? (y/n) ", "question", "Overwrite?"),
    ("Is this ok [y/N]: ", "question", "Is this ok"),
    (
        "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
        "question",
        "Are you sure you want to continue connecting",
    ),
    ("Apply this hunk to working tree [y,n,q,a,d,e,?]", "question", "Apply this hunk to working tree"),
    ("Press any key to continue...", "input", "Press any key to continue..."),
    ("Press ENTER or type command to continue", "input", "Press ENTER or type command to continue"),
    ("--More--(12%)", "input", "a pager shows text"),
    ("lines 1-23/51 50%", "input", "a pager shows text"),
    ("Reset the password: done", None, ""),
    ("The password for ann was changed", None, ""),
    ("error: bad [y/N] value", None, ""),
    ("Downloading 12%", None, ""),
    ("$ ", None, ""),
]


@pytest.mark.parametrize(("line", "wants", "summary"), ASKED, ids=[line for line, _, _ in ASKED])
def test_prompts_of_any_program(line: str, wants: str | None, summary: str) -> None:
    found = manifest("any").read(Sight("", (line,), line))
    assert says(found) == (("waits", wants, summary) if wants else WORKS)


@pytest.mark.parametrize(
    ("name", "title", "rows", "expected"),
    [
        ("claude", "", ["Do you trust the files in this folder?", "❯ 1. Yes, proceed"], ("waits", "trust")),
        ("claude", "✳ x", ["Ready to code?", " The plan", "Would you like to proceed?", "❯ 1. Yes"], ("waits", "plan")),
        ("claude", "✳ x", ["Exit plan mode?", "Claude wants to", "❯ 1. Yes", "  2. No"], ("waits", "plan")),
        ("claude", "✳ x", ["Something quite new", " ❯ 1. This", "   2. That"], ("waits", "question")),
        ("claude", "✳ x", [" ❯ 1. This", "   2. That", "─" * 20, "❯ ", "─" * 20], ("idle", None)),
        ("claude", "", ["Select login method:", "❯ 1. Claude account"], ("waits", "login")),
        ("claude", "✳ x", ["You've hit your session limit · resets 3pm", "─" * 20, "❯"], ("waits", "quota")),
        ("claude", "", ["✽ Thinking… (3s · esc to interrupt)", "❯"], ("works", None)),
        ("codex", "", ["Do you trust the contents of this directory?", "› 1. Yes"], ("waits", "trust")),
        ("codex", "", ["Sign in with ChatGPT to use Codex"], ("waits", "login")),
        ("codex", "[ ! ] Action Required | x", [], ("waits", "permission")),
        ("codex", "x", ["■ You've hit your usage limit. Try again at 3 PM."], ("waits", "quota")),
        ("codex", "x", ["• Working (3s • esc to interrupt)"], ("works", None)),
        ("gemini", "", ["Do you trust this folder?", "● 1. Trust folder"], ("waits", "trust")),
        ("gemini", "", ["How would you like to authenticate for this project?"], ("waits", "login")),
        ("gemini", "✋  Action Required (x)", [], ("waits", "permission")),
        ("gemini", "", ["Usage limit reached for gemini-2.5-pro."], ("waits", "quota")),
        ("gemini", "", ["⠏ Thinking… (esc to cancel, 2s)"], ("works", None)),
        ("gemini", "", [" >   Type your message or @path/to/file"], ("idle", None)),
        ("opencode", "", ["△ Permission required", "Allow once   Allow always   Reject"], ("waits", "permission")),
        ("opencode", "", ["⇆ tab  ↑↓ select  enter submit  esc dismiss"], ("waits", "question")),
        ("opencode", "", ["Connect a provider"], ("waits", "login")),
        ("aider", "", ["Add a.py to the chat? (Y)es/(N)o/(D)on't ask again [Yes]: "], ("waits", "permission")),
        ("aider", "", ["> "], ("idle", None)),
    ],
)  # fmt: skip
def test_what_is_known_of_screens_that_were_not_recorded(
    name: str, title: str, rows: list[str], expected: tuple[str, str | None]
) -> None:
    found = manifest(name).read(Sight(title, tuple(rows), rows[-1] if rows else ""))
    assert found is not None
    assert (found.kind, found.wants) == expected
