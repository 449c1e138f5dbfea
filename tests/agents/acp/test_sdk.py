"""An agent built on the official SDK understands us, and we it."""

import asyncio

from roost.model.agents import AgentOptions
from roost.model.events import (
    FileChange,
    Notice,
    Output,
    Permission,
    Progress,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
)
from tests.agents.acp.sdk_agent import Bench, SdkAgent
from tests.agents.goldens import NO_OPTIONS


def talk(words, options=NO_OPTIONS):
    """The agent and what was told, after these turns."""

    async def main():
        agent = SdkAgent()
        async with Bench(agent, options) as bench:
            for word in words:
                await bench.turn(word)
        return agent, bench.events

    return asyncio.run(main())


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def last_turn(events):
    return of(Turn, events)[-1]


def test_we_serve_neither_files_nor_terminals():
    agent, _ = talk(["say"])
    able = dict(agent.seen)["initialize"]["client_capabilities"]
    assert (able.fs.read_text_file, able.fs.write_text_file, able.terminal) == (False, False, False)


def test_a_session_is_opened_in_the_directory_with_its_mcp_servers():
    servers = {"mcpServers": {"a": {"command": "x", "args": ["1"], "env": {"K": "v"}}, "b": {"url": "http://h/"}}}
    agent, _ = talk(["say"], AgentOptions(mcp_config=servers))
    session = dict(agent.seen)["new_session"]
    stdio, http = session["mcp_servers"]
    assert session["cwd"] == "/w"
    assert (stdio.command, stdio.args, stdio.env[0].name) == ("x", ["1"], "K")
    assert (http.url, http.type) == ("http://h/", "http")


def test_what_it_says_is_told_whole():
    _, events = talk(["say"])
    assert [event.text for event in of(Thinking, events)] == ["Well."]
    assert [event.text for event in of(Output, events)] == ["Good morning."]
    assert (last_turn(events).state, last_turn(events).text) == ("completed", "Good morning.")
    used = of(Usage, events)[0]
    assert (used.input_tokens, used.output_tokens, used.cache_read_tokens) == (7, 3, 5)


def test_what_it_says_is_told_in_pieces_where_that_is_wanted():
    _, events = talk(["say"], AgentOptions(partial=True))
    assert [(event.text, event.partial) for event in of(Output, events)] == [
        ("Good ", True),
        ("morning.", True),
        ("Good morning.", False),
    ]


def test_work_becomes_a_plan_a_call_and_a_changed_file():
    _, events = talk(["work"])
    assert of(Progress, events)[0].current == "Leap"
    assert of(ToolCall, events)[0].input == {"path": "/w/a.py"}
    assert of(ToolResult, events)[0].content == "done"
    change = of(FileChange, events)[0]
    assert (change.path, change.change, change.added, change.removed) == ("/w/a.py", "modified", 1, 0)


def ask(then, **decision):
    async def main():
        agent = SdkAgent()
        async with Bench(agent) as bench:
            await bench.prompt("ask")
            await bench.until("Permission(")
            await then(bench, decision)
            await bench.until("state='completed'" if not agent.cancelled.is_set() else "state='interrupted'")
        return agent, bench.events

    return asyncio.run(main())


async def decide(bench, decision):
    await bench.mark("decision", approval_id="s-1", decision=decision, by="ada")


def test_a_permission_is_answered_with_the_agents_own_option():
    assert dict(ask(decide, allow=True)[0].seen)["answer"].option_id == "yes"
    assert dict(ask(decide, allow=True, remember=True)[0].seen)["answer"].option_id == "yes"
    assert dict(ask(decide, allow=False)[0].seen)["answer"].option_id == "no"
    assert dict(ask(decide, allow=True, choice="ever")[0].seen)["answer"].option_id == "ever"


def test_a_choice_that_says_the_contrary_is_not_taken():
    assert dict(ask(decide, allow=False, choice="ever")[0].seen)["answer"].option_id == "no"


def test_a_denied_call_says_that_it_was_denied():
    _, events = ask(decide, allow=False)
    assert of(ToolResult, events)[0].details == {"denied": True}


def test_an_interrupt_cancels_what_is_asked():
    async def interrupt(bench, _):
        await bench.mark("interrupt", by="ada")
        await asyncio.wait_for(bench.agent.cancelled.wait(), 20)

    agent, events = ask(interrupt)
    assert dict(agent.seen)["answer"].outcome == "cancelled"
    assert of(Permission, events)[-1].decision == "withdrawn"
    assert last_turn(events).state == "interrupted"


def test_a_turn_is_interrupted():
    async def main():
        async with Bench(SdkAgent()) as bench:
            await bench.prompt("wait")
            await bench.until("state='started'")
            await bench.mark("interrupt", by="ada")
            await bench.until("state='interrupted'")
        return bench.events

    assert last_turn(asyncio.run(main())).text == "Waiting"


def test_refusals_and_errors_are_failures_with_a_reason():
    assert last_turn(talk(["refuse"])[1]).reason == "the agent refused to go on"
    assert last_turn(talk(["fail"])[1]).reason == "Internal error: the model is on fire"


def test_files_are_refused_with_an_error():
    agent, events = talk(["read"])
    assert dict(agent.seen)["refused"] == -32601
    assert of(Notice, events)[-1].message == "fs/read_text_file"


def test_one_turn_after_the_other():
    _, events = talk(["say", "fail", "say"])
    ends = [event.state for event in of(Turn, events) if event.state in ("completed", "failed")]
    assert ends == ["completed", "failed", "completed"]


def test_the_mode_is_set_before_the_first_prompt():
    agent, _ = talk(["say"], AgentOptions(permission_mode="Ask nothing"))
    assert [name for name, _ in agent.seen][-2:] == ["set_session_mode", "prompt"]
    assert dict(agent.seen)["set_session_mode"] == "free"


def test_a_conversation_goes_on_without_its_past_told_again():
    agent, events = talk(["say"], AgentOptions(resume="old-1"))
    assert dict(agent.seen)["load_session"] == "old-1"
    assert [event.text for event in of(Output, events)] == ["Good morning."]


def test_an_image_goes_with_a_prompt():
    async def main():
        agent = SdkAgent()
        async with Bench(agent) as bench:
            await bench.prompt("say", images=[{"media_type": "image/png", "data": "aGk="}])
            await bench.until("state='completed'")
        return dict(agent.seen)["prompt"]

    _, image = asyncio.run(main())
    assert (image.mime_type, image.data) == ("image/png", "aGk=")


def test_a_login_that_is_missing_is_said():
    async def main():
        async with Bench(SdkAgent(login=True)) as bench:
            await bench.until("WAITS_FOR_LOGIN")
        return bench.decoder

    decoder = asyncio.run(main())
    assert decoder.session_state == ("waiting", "login")
