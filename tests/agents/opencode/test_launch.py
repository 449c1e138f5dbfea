"""opencode's command line."""

import pytest

from roost.agents.driver import Opening
from roost.agents.opencode import OpencodeDriver, is_one_shot
from tests.agents.goldens import definition
from tests.agents.launching import launch, refused

OPENCODE = OpencodeDriver()
QUIET = ["/bin/sh", "-c", 'exec "$@" </dev/null', "opencode"]


def test_it_speaks_acp_by_default():
    assert launch(OPENCODE, "opencode", model="p/m", permission_mode="plan", fork=True) == (["opencode", "acp"], {})
    assert launch(OPENCODE, "opencode", "acp", "--print-logs").argv == ["opencode", "acp", "--print-logs"]


def test_nothing_is_asked_where_that_is_wanted():
    assert launch(OPENCODE, "opencode", dangerously_skip_permissions=True).env == {
        "OPENCODE_PERMISSION": '{"*":"allow"}'
    }


def test_a_model_has_a_provider():
    assert "provider" in refused(OPENCODE, "opencode", model="gpt").hint


def test_what_it_does_not_have_is_refused():
    assert refused(OPENCODE, "opencode", add_dirs=["/x"]).message == "opencode has no option add_dirs."
    assert refused(OPENCODE, "opencode", mcp_config="x").message == "mcp_config is not what it should be."
    error = refused(OPENCODE, "opencode", "run", "go", mcp_config={"mcpServers": {}})
    assert error.message == "opencode run has no option mcp_config."


def test_one_prompt_is_told_as_json_lines():
    argv = launch(OPENCODE, "opencode", "run", "go on").argv
    assert argv == [*QUIET, "opencode", "run", "--format", "json", "go on"]
    assert is_one_shot(argv)


@pytest.mark.parametrize("words", [["--format", "json"], ["--format=json"]])
def test_it_is_not_told_twice(words):
    assert launch(OPENCODE, "opencode", "run", *words, "go").argv == [*QUIET, "opencode", "run", *words, "go"]


def test_one_prompt_with_all_it_takes():
    argv = launch(
        OPENCODE,
        *("opencode", "run", "go"),
        model="p/m",
        permission_mode="plan",
        dangerously_skip_permissions=True,
        resume="ses_1",
        fork=True,
    ).argv
    assert argv[6:] == [
        *("--format", "json", "--model", "p/m", "--agent", "plan", "--auto", "--session", "ses_1", "--fork", "go"),
    ]


@pytest.mark.parametrize("argv", [["opencode", "acp", "run"], ["opencode", "--print-logs"], []])
def test_all_else_is_a_conversation(argv):
    assert not is_one_shot(argv)
    assert b"initialize" in OPENCODE.codec().open(Opening(argv=argv, definition=definition()))[0].data
