"""Claude Code's own transcript, as a session in its own screen leaves it."""

from __future__ import annotations

import json

import pytest

from roost.agents.claude_transcript import ClaudeTranscript
from roost.agents.conversation import ConversationDecoder
from roost.agents.driver import Decision
from roost.agents.observer import SessionObserver
from roost.model.agents import Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import AnyEvent, Conversation, Output, Turn, Unknown, Usage
from tests.agents.goldens import GOLDENS, check_golden

TRANSCRIPT = (GOLDENS / "claude_transcript" / "session.jsonl").read_bytes()
DEFINITION = Definition(command=["claude"], cwd="/home/dev/work")
NOW = 1_000_000_000


def reader() -> ConversationDecoder:
    return ConversationDecoder("s", ClaudeTranscript(), can_steer=False, source="transcript")


def read(*lines: bytes | dict) -> list[AnyEvent]:
    decoder = reader()
    events = decoder.open(["claude"], DEFINITION, NOW)
    for line in lines:
        data = line if isinstance(line, bytes) else json.dumps(line).encode()
        events += decoder.output(data + b"\n", NOW)
        saved, decoder = decoder.save(), reader()
        decoder.load(saved)
    return events


def said(text: str, stop: str | None = "end_turn", **more: object) -> dict:
    message = {"id": "m1", "model": "claude-x", "role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"type": "assistant", "sessionId": "s", "message": message | {"stop_reason": stop} | more}


def asked(text: str, **more: object) -> dict:
    return {"type": "user", "sessionId": "s", "message": {"role": "user", "content": text}} | more


def turns(events: list[AnyEvent]) -> list[tuple[str, str | None]]:
    return [(event.state, event.prompt or event.text or None) for event in events if isinstance(event, Turn)]


def test_a_real_transcript_becomes_events() -> None:
    events = read(*TRANSCRIPT.splitlines())
    assert {event.source for event in events} == {"transcript"}
    check_golden("claude_transcript/session", events)


def test_a_prompt_and_its_answer_are_a_turn() -> None:
    assert turns(read(asked("hello"), said("hi"))) == [("started", "hello"), ("completed", "hi")]


def test_a_prompt_during_a_turn_ends_it_as_interrupting_does() -> None:
    assert turns(read(asked("one"), asked("two"))) == [("started", "one"), ("interrupted", None), ("started", "two")]
    assert turns(read(asked("one"), asked("[Request interrupted by user]"))) == [
        ("started", "one"),
        ("interrupted", None),
    ]


@pytest.mark.parametrize("line", [asked("x", isMeta=True), asked(""), asked("x", isSidechain=True), {"type": "mode"}])
def test_what_is_no_prompt_is_no_turn(line: dict) -> None:
    assert turns(read(line)) == []


def test_tokens_are_counted_once_a_message() -> None:
    line = said("a", None, usage={"input_tokens": 5, "output_tokens": "many", "cache_read_input_tokens": 2})
    counted = [event for event in read(line, line, said("b")) if isinstance(event, Usage)]
    assert [(one.input_tokens, one.output_tokens, one.cache_read_tokens, one.source) for one in counted] == [
        (5, 0, 2, "transcript")
    ]


def test_the_models_own_words_are_output_and_the_conversation_is_known() -> None:
    events = read(said("a"), said("b"), {**said("c"), "version": "2.1"})
    assert [event.text for event in events if isinstance(event, Output)] == ["a", "b", "c"]
    assert [event.model for event in events if isinstance(event, Conversation)] == ["claude-x"]


def test_the_model_of_made_up_messages_is_not_the_conversations() -> None:
    line = said("a")
    line["message"]["model"] = "<synthetic>"
    assert [event.model for event in read(line) if isinstance(event, Conversation)] == [None]


def test_what_is_no_json_is_kept() -> None:
    (event,) = read(b"{half")
    assert isinstance(event, Unknown)
    assert event.source == "transcript"


def test_a_message_that_is_none_is_passed_over() -> None:
    assert read({"type": "user", "message": 7}, {"type": "assistant", "message": {"content": 7}}) == []


def test_nothing_is_ever_written() -> None:
    codec, turn = ClaudeTranscript(), PendingTurn("t", "x")
    asked_for = OpenApproval("p", "Bash", {}, "", [], "tool", 1)
    written = [codec.prompt(turn, []), codec.steer(turn, []), codec.interrupt(), codec.change("model", "x")]
    assert [*written, codec.answer(asked_for, Decision(allow=True)), codec.finish()] == [[]] * 6


# As marks


def mark(observer: SessionObserver, offset: object, *lines: object, cli: str = "claude") -> list[AnyEvent] | None:
    data = {"cli": cli, "file": "s.jsonl", "offset": offset, "lines": list(lines)}
    return observer.mark("transcript", data, None, NOW)


def test_lines_are_read_once_however_often_they_are_noted() -> None:
    lines = [json.dumps(asked("hello")), json.dumps(said("hi"))]
    first, observer = len(lines[0]) + 1, SessionObserver(DEFINITION, lambda usage: 1.0)
    assert turns(mark(observer, 0, lines[0]) or []) == [("started", "hello")]
    assert observer.talk is not None
    assert observer.talk.read == (("s.jsonl", first),)
    saved, observer = observer.save(), SessionObserver(DEFINITION)
    observer.load(saved)
    assert turns(mark(observer, 0, *lines) or []) == [("completed", "hi")]
    assert mark(observer, 0, *lines) == []


@pytest.mark.parametrize(
    "bad", [{"offset": "x"}, {"offset": -1}, {"offset": 0, "cli": "nobody"}, {"offset": 0, "cli": []}]
)
def test_marks_that_make_no_sense_say_nothing(bad: dict) -> None:
    observer = SessionObserver(DEFINITION)
    assert mark(observer, bad["offset"], "{}", cli=bad.get("cli", "claude")) == []
    assert observer.talk is None
    assert observer.finish(NOW) == []


def test_a_turn_that_the_end_cuts_off_is_ended() -> None:
    observer = SessionObserver(DEFINITION)
    mark(observer, 0, json.dumps(asked("hello")))
    assert turns(observer.finish(NOW)) == [("failed", None)]
