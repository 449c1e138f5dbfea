"""Gemini CLI's command line."""

import pytest

from roost.agents.acp_codec import AcpCodec
from roost.agents.driver import Opening
from roost.agents.gemini import GeminiDriver, is_one_shot
from tests.agents.goldens import definition
from tests.agents.launching import launch, refused

GEMINI = GeminiDriver()
QUIET = ["/bin/sh", "-c", 'exec "$@" </dev/null', "gemini"]


def test_it_speaks_acp_by_default():
    assert launch(GEMINI, "gemini", "-d").argv == ["gemini", "-d", "--acp"]


@pytest.mark.parametrize("flag", ["--acp", "--experimental-acp"])
def test_it_is_not_told_twice(flag):
    assert launch(GEMINI, "gemini", flag).argv == ["gemini", flag]


def test_options_are_flags():
    argv = launch(
        GEMINI, "gemini", model="m", permission_mode="plan", add_dirs=["/a", "/b"], allowed_tools=["read_file"]
    ).argv
    assert argv[2:] == [
        *("--model", "m", "--approval-mode", "plan"),
        *("--include-directories", "/a", "--include-directories", "/b", "--allowed-tools", "read_file"),
    ]


@pytest.mark.parametrize("flag", ["-m", "--model", "--model=mine"])
def test_the_users_own_model_comes_first(flag):
    assert "m" not in launch(GEMINI, "gemini", flag, model="m").argv


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({"permission_mode": "autoEdit"}, "auto_edit"),
        ({"dangerously_skip_permissions": True}, "yolo"),
        ({"dangerously_skip_permissions": True, "permission_mode": "yolo"}, "yolo"),
    ],
)
def test_modes(options, mode):
    assert launch(GEMINI, "gemini", **options).argv[-2:] == ["--approval-mode", mode]


def test_a_mode_that_is_not_known_is_refused_with_the_nearest():
    error = refused(GEMINI, "gemini", permission_mode="autoedit")
    assert error.message == "permission_mode cannot be 'autoedit'."
    assert error.hint == "Did you mean auto_edit? There are default, auto_edit, yolo, plan."
    assert refused(GEMINI, "gemini", permission_mode="x").hint == "There are default, auto_edit, yolo, plan."


def test_a_careful_mode_that_asks_for_nothing_is_refused():
    error = refused(GEMINI, "gemini", permission_mode="plan", dangerously_skip_permissions=True)
    assert "contradict" in error.message


def test_what_it_does_not_have_is_refused():
    assert refused(GEMINI, "gemini", fork=True).message == "Gemini CLI has no option fork."
    assert "mcp_config" in refused(GEMINI, "gemini", mcp_config="x").message
    error = refused(GEMINI, "gemini", "-p", "go", mcp_config={"mcpServers": {}})
    assert error.message == "Gemini CLI with one prompt has no option mcp_config."


@pytest.mark.parametrize("words", [["-p", "go"], ["--prompt=go"], ["-o", "stream-json", "go"]])
def test_one_prompt_is_told_as_json_lines(words):
    argv = launch(GEMINI, "gemini", *words).argv
    assert argv[:4] == QUIET
    assert argv[4] == "gemini"
    assert "stream-json" in argv
    assert is_one_shot(argv)


def test_one_prompt_with_all_it_takes():
    argv = launch(GEMINI, "gemini", "-p", "go", model="m", resume="abc").argv
    assert argv[4:] == [
        *("gemini", "-p", "go", "--output-format", "stream-json", "--model", "m", "--resume", "abc"),
    ]


@pytest.mark.parametrize("words", [["-o", "json"], ["--output-format=text"]])
def test_other_formats_are_not_understood(words):
    assert "stream-json" in refused(GEMINI, "gemini", "-p", "go", *words).message


def test_the_codec_follows_the_command_line():
    opening = Opening(argv=["gemini", "--acp"], definition=definition())
    assert b"initialize" in GEMINI.codec().open(opening)[0].data
    once = GEMINI.codec()
    assert len(once.open(Opening(argv=["gemini", "-p", "x"], definition=definition()))) == 2
    other = GEMINI.codec()
    other.load(once.save())
    assert other.save() == once.save()
    assert isinstance(GEMINI.codec()._chosen, AcpCodec)
