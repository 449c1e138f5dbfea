"""How a conversation with an ACP agent begins, and what may stand in its way."""

import pytest

from roost.agents.acp_codec import AcpCodec
from roost.model.agents import AgentOptions
from roost.model.events import Conversation, Notice, Output, Unknown
from tests.agents.acp.conversing import Conversing, begun
from tests.agents.goldens import definition, make_decoder

MODES = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "free", "name": "Free"}]}
MODELS = {"currentModelId": "small", "availableModels": [{"modelId": "small", "name": "Small"}, {"modelId": "big"}]}
OPTIONS = [
    {"id": "m", "category": "model", "currentValue": "small", "options": [{"options": [{"value": "big"}]}]},
    {"id": "other", "category": "model", "currentValue": "x", "options": []},
    {"id": "agent", "category": "mode", "currentValue": "ask", "options": [{"value": "ask"}, {"value": "free"}]},
    {"id": "effort", "category": "thought_level", "currentValue": "low"},
]


def problem(talk):
    """What it waits for, and what was said of it."""
    return talk.state.problem, talk.of(Notice)[-1].message


def test_it_is_ready_once_it_has_a_session():
    talk = Conversing()
    assert talk.last["method"] == "initialize"
    assert talk.last["params"]["clientCapabilities"] == {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
    }
    talk.answer({"protocolVersion": 1, "agentInfo": {"name": "bench", "version": "2"}})
    assert talk.last["method"] == "session/new"
    assert talk.last["params"] == {"cwd": "/w", "mcpServers": []}
    assert not talk.state.ready
    talk.answer({"sessionId": "s-1", "modes": MODES, "models": MODELS})
    told = talk.of(Conversation)[0]
    assert talk.state.ready
    assert (told.conversation_id, told.model, told.mode) == ("s-1", "small", "ask")
    assert told.details == {"agent": "bench 2", "modes": ["ask", "free"], "models": ["small", "big"]}


def test_another_version_of_the_protocol_is_not_spoken():
    talk = Conversing()
    talk.answer({"protocolVersion": 2})
    assert problem(talk) == ("setup", "it speaks another version of the protocol than 1")
    assert talk.decoder.session_state == ("waiting", "setup")


def test_a_login_is_asked_for_with_its_ways():
    talk = Conversing()
    talk.answer({"protocolVersion": 1, "authMethods": [{"id": "a", "name": "By key"}, {"id": "b", "name": "By web"}]})
    talk.fail(code=-32000, message="Authentication required")
    assert problem(talk) == ("login", "Authentication required: By key, By web")


def test_a_login_without_ways_is_said_too():
    talk = Conversing()
    talk.answer({"protocolVersion": 1})
    talk.fail(code=-32000, message="Authentication required", data="run `bench login`")
    assert problem(talk) == ("login", "Authentication required: run `bench login`")


def test_a_session_that_cannot_be_is_said():
    talk = Conversing()
    talk.answer({"protocolVersion": 1})
    talk.fail(code=-32603, message="Internal error", data={"details": "no such directory"})
    assert problem(talk) == ("setup", "Internal error: no such directory")


def test_model_and_mode_are_set_one_after_the_other():
    talk = begun(AgentOptions(model="Small", permission_mode="free"), modes=MODES, models=MODELS)
    assert (talk.last["method"], talk.last["params"]) == ("session/set_mode", {"sessionId": "new-1", "modeId": "free"})
    talk.answer({})
    assert talk.last["method"] == "session/set_model"
    assert talk.last["params"] == {"sessionId": "new-1", "modelId": "small"}
    assert not talk.state.ready
    talk.answer({})
    assert talk.state.ready
    assert (talk.state.model, talk.state.mode) == ("small", "free")


def test_options_of_a_session_are_the_newer_way():
    talk = begun(AgentOptions(model="big", permission_mode="free"), modes=MODES, models=MODELS, configOptions=OPTIONS)
    assert talk.last["params"] == {"sessionId": "new-1", "configId": "agent", "value": "free"}
    talk.answer({"configOptions": [{**OPTIONS[2], "currentValue": "free"}]})
    assert talk.last["method"] == "session/set_config_option"
    assert talk.last["params"] == {"sessionId": "new-1", "configId": "m", "value": "big"}
    talk.answer({"configOptions": [{**OPTIONS[0], "currentValue": "big"}]})
    assert (talk.state.ready, talk.state.model, talk.state.mode) == (True, "big", "free")


def test_a_model_that_is_not_listed_is_asked_for_all_the_same():
    talk = begun(AgentOptions(model="secret"), models=MODELS)
    assert talk.last["params"]["modelId"] == "secret"
    talk.fail(code=-32602, message="no such model")
    assert problem(talk) == ("setup", "it does not take 'secret' as its model: no such model")


def test_a_mode_that_is_not_listed_stops_it():
    talk = begun(AgentOptions(permission_mode="wild"), modes=MODES)
    assert problem(talk) == ("setup", "it has no mode 'wild', but ask, free")
    assert talk.last["method"] == "session/new"


def test_a_mode_where_there_are_none_stops_it():
    talk = begun(AgentOptions(permission_mode="ask"))
    assert problem(talk) == ("setup", "it has no way to change its mode")


def test_what_the_command_line_has_set_is_not_asked_for():
    codec = AcpCodec(frozenset({"model", "mode", "directories"}))
    talk = Conversing(AgentOptions(model="m", permission_mode="p", add_dirs=["/x"]), codec)
    talk.answer({"protocolVersion": 1})
    assert "additionalDirectories" not in talk.last["params"]
    talk.answer({"sessionId": "new-1"})
    assert talk.state.ready


def test_further_directories_go_to_agents_that_take_them():
    able = {"sessionCapabilities": {"additionalDirectories": {}}}
    talk = begun(AgentOptions(add_dirs=["/x"]), able)
    assert talk.said[1]["params"]["additionalDirectories"] == ["/x"]
    talk = Conversing(AgentOptions(add_dirs=["/x"]))
    talk.answer({"protocolVersion": 1})
    assert problem(talk) == ("setup", "it takes no further directories")


@pytest.mark.parametrize(
    ("able", "options", "method"),
    [
        ({"loadSession": True}, {}, "session/load"),
        ({"loadSession": True, "sessionCapabilities": {"resume": {}}}, {}, "session/resume"),
        ({"loadSession": True, "sessionCapabilities": {"resume": {}, "fork": {}}}, {"fork": True}, "session/fork"),
    ],
)
def test_a_conversation_goes_on_in_the_way_the_agent_has(able, options, method):
    talk = begun(AgentOptions(resume="old", **options), able)
    assert (talk.said[1]["method"], talk.said[1]["params"]["sessionId"]) == (method, "old")
    assert talk.state.ready


@pytest.mark.parametrize(("fork", "word"), [(False, "resume"), (True, "fork")])
def test_an_agent_that_cannot_go_on_says_so(fork, word):
    talk = Conversing(AgentOptions(resume="old", fork=fork))
    talk.answer({"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"fork": None}}})
    assert problem(talk) == ("setup", f"it cannot {word} a conversation")


def test_the_conversation_of_the_definition_is_gone_on_with():
    decoder = make_decoder(AcpCodec())
    made = definition()
    decoder.open(["agent"], type(made)(command=["agent"], conversation_id="kept"), 0)
    decoder.output(b'{"id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}}\n', 0)
    assert b'"sessionId":"kept"' in decoder.state.outgoing[-1].data


def test_the_past_of_a_loaded_session_is_not_told_again():
    talk = Conversing(AgentOptions(resume="old"))
    talk.answer({"protocolVersion": 1, "agentCapabilities": {"loadSession": True}})
    talk.say("long ago")
    talk.call("c", status="in_progress")
    talk.update("usage_update", used=1, size=2, cost={"amount": 3.0, "currency": "USD"})
    talk.answer({})
    talk.finish()
    assert [type(event) for event in talk.events] == [Conversation]
    assert talk.state.conversation_id == "old"


def test_a_past_told_late_is_over_with_the_list_of_commands():
    talk = Conversing(AgentOptions(resume="old"), AcpCodec(late_history=True))
    talk.answer({"protocolVersion": 1, "agentCapabilities": {"loadSession": True}})
    talk.update("available_commands_update", availableCommands=[])
    talk.answer({})
    talk.say("long ago")
    assert not talk.state.ready
    talk.update("available_commands_update", availableCommands=[{"name": "help"}])
    assert talk.state.ready
    assert not talk.of(Output)


def test_mcp_servers_of_a_foreign_recording_do_no_harm():
    for config in ("/etc/mcp.json", "[]", {"mcpServers": {"a": 1}}):
        talk = Conversing(AgentOptions(mcp_config=config))
        talk.answer({"protocolVersion": 1})
        assert talk.last["params"]["mcpServers"] == []


def test_mcp_servers_of_every_kind():
    servers = {
        "a": {"command": "x", "args": 5},
        "b": {"url": "u", "type": "sse", "headers": {"k": 1}},
        "c": {"url": "v"},
    }
    talk = Conversing(AgentOptions(mcp_config={"mcpServers": servers}))
    talk.answer({"protocolVersion": 1})
    assert talk.last["params"]["mcpServers"] == [
        {"name": "a", "command": "x", "args": [], "env": []},
        {"type": "sse", "name": "b", "url": "u", "headers": [{"name": "k", "value": "1"}]},
        {"type": "http", "name": "c", "url": "v", "headers": []},
    ]


@pytest.mark.parametrize(
    "line", [b"hello\n", b"[]\n", b'{"id":77,"result":{}}\n', b'{"id":"x"}\n', b'{"method":"x/y"}\n']
)
def test_what_is_not_known_is_told_as_it_is(line):
    talk = begun()
    assert [type(event) for event in talk.hear_bytes(line)] == [Unknown]
    assert talk.of(Unknown)[0].line == line.decode()[:-1]


def test_a_request_that_is_not_known_is_refused_and_told():
    talk = begun()
    talk.hear({"jsonrpc": "2.0", "id": "q", "method": "weather/get"})
    assert talk.last["id"] == "q"
    assert talk.last["error"]["code"] == -32601
    assert talk.of(Unknown)[0].reason == "a request that is not known"


def test_requests_for_what_we_do_not_serve_are_refused_and_noted():
    talk = begun()
    talk.hear({"jsonrpc": "2.0", "id": 0, "method": "terminal/create", "params": {}})
    assert talk.last["error"] == {"code": -32601, "message": "roost does not serve terminal/create"}
    assert (talk.of(Notice)[0].code, talk.of(Notice)[0].details) == ("REQUEST_REFUSED", {})


def test_how_it_is_logged_in_is_told():
    talk = begun()
    talk.hear({"method": "_auth/status_update", "params": {"authStatus": {"label": "A key"}}})
    assert talk.of(Conversation)[-1].details == {"login": "A key"}
    assert [type(one) for one in talk.hear({"method": "_auth/status_update", "params": {}})] == [Unknown]
