"""Conversations, whatever the language: a codec of one-word lines stands for a CLI's."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.conversation import INPUT_SOURCE, MAX_QUEUE, TURNS, ConversationDecoder
from roost.agents.driver import (
    Busy,
    Decision,
    Finished,
    Image,
    Item,
    Opening,
    Ready,
    Refused,
    Stopped,
    Taken,
    Withdrawn,
    Write,
)
from roost.core.recording import Input
from roost.model.agents import Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import (
    AnyEvent,
    Conversation,
    FileChange,
    Mark,
    Output,
    Permission,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
)

SECOND = 1_000_000_000


class WordCodec:
    """Each line is a word and its arguments; what is written says what was asked for."""

    def open(self, opening: Opening) -> list[Item]:
        return [Write(f"hello {' '.join(opening.argv)}\n".encode())]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        word, *rest = line.decode().split(" ")
        items: dict[str, Any] = {
            "ready": Ready,
            "took": lambda: Taken(*rest),
            "done": lambda: Finished("completed", " ".join(rest)),
            "stopped": lambda: Finished("interrupted", reason="interrupted"),
            "refuse": lambda: Refused(rest[0] if rest else None, "no"),
            "busy": lambda: Busy(rest == ["yes"]),
            "ask": lambda: Permission(0, 0, rest[0], "Bash", {"command": "ls"}, "Running ls"),
            "forget": lambda: Withdrawn(rest[0], "no longer asked"),
            "quota": lambda: Stopped("quota" if rest == ["out"] else None, "used up"),
            "call": lambda: ToolCall(0, 0, rest[0], "Bash", {}, "Running ls"),
            "result": lambda: ToolResult(0, 0, rest[0], content="ok"),
            "usage": lambda: Usage(0, 0, "m", int(rest[0]), 1, cost_usd=float(rest[1]) if rest[1:] else None),
            "wrote": lambda: FileChange(0, 0, rest[0], "modified"),
            "model": lambda: Conversation(0, 0, "c1", rest[0]),
        }
        return [items[word]() if word in items else Output(0, 0, line.decode())]

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        return [Write(f"prompt {turn.turn_id} {len(images)}\n".encode())]

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        return [Write(f"steer {turn.turn_id}\n".encode())]

    def interrupt(self) -> list[Item]:
        return [Write(b"interrupt\n")]

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        return [Write(f"answer {approval.approval_id} {decision.allow}\n".encode())]

    def change(self, what: str, value: str) -> list[Item]:
        return [Write(f"change {what} {value}\n".encode())]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        return [Output(0, 0, "last words")]

    def save(self) -> Any:
        return "saved"

    def load(self, saved: Any) -> None:
        assert saved == "saved"


class Talk:
    """A conversation under test; it is saved and loaded again between any two steps."""

    def __init__(self, *, can_steer: bool = True) -> None:
        self._can_steer = can_steer
        self._decoder = self._make()
        self._now = SECOND
        self._read = 0
        self._told(self._decoder.open(["agent"], Definition(command=["agent"], model="m0"), self._now))

    def say(self, *lines: str) -> list[AnyEvent]:
        return [event for line in lines for event in self._told(self._decoder.output(line.encode() + b"\n", self._now))]

    def ask(self, name: str, **data: Any) -> list[AnyEvent]:
        return self._told(self._decoder.mark(name, data, self._now) or [])

    def prompt(self, turn_id: str, policy: str = "queue", **more: Any) -> list[AnyEvent]:
        return self.ask("prompt", turn_id=turn_id, prompt=f"do {turn_id}", by="ann", policy=policy, **more)

    def decide(self, approval_id: str, *, allow: bool = True, **more: Any) -> list[AnyEvent]:
        return self.ask("decision", approval_id=approval_id, decision={"allow": allow}, by="ann", **more)

    def end(self) -> list[AnyEvent]:
        return self._told(self._decoder.finish(self._now))

    def pass_time(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)

    def written(self) -> list[str]:
        """What was written since the last call; taken off as the keeper's recording would."""
        outgoing = self.state.outgoing
        for item in outgoing:
            self._decoder.input(Input(INPUT_SOURCE, item.number, item.data), self._now)
        assert self.state.outgoing == ()
        return [item.data.decode().rstrip("\n") for item in outgoing]

    @property
    def state(self):
        return self._decoder.state

    @property
    def doing(self) -> str:
        return self._decoder.session_state[0]

    def _make(self) -> ConversationDecoder:
        return ConversationDecoder("s1", WordCodec(), can_steer=self._can_steer, price=lambda usage: 0.5)

    def _told(self, events: list[AnyEvent]) -> list[AnyEvent]:
        saved, state = self._decoder.save(), self._decoder.state
        self._decoder = self._make()
        self._decoder.load(saved)
        assert self._decoder.state == state
        return events


def ready(**more: Any) -> Talk:
    talk = Talk(**more)
    talk.say("ready")
    talk.written()
    return talk


def turns(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.turn_id, event.state) for event in events if isinstance(event, Turn)]


def test_it_begins_with_a_greeting_and_is_busy_until_the_agent_is_ready():
    talk = Talk()
    assert talk.doing == "running"
    assert talk.written() == ["hello agent"]
    talk.say("ready")
    assert talk.doing == "idle"


def test_a_prompt_is_queued_sent_taken_and_completed():
    talk = ready()
    assert turns(talk.prompt("t1")) == [("t1", "queued"), ("t1", "sent")]
    assert talk.written() == ["prompt t1 0"]
    assert turns(talk.say("took")) == [("t1", "started")]
    assert talk.doing == "running"
    talk.pass_time(2)
    (end,) = talk.say("done the answer")
    assert (end.state, end.text, end.duration_ms) == ("completed", "the answer", 2000)
    assert talk.doing == "idle"
    assert talk.state.last.text == "the answer"


def test_prompts_wait_until_the_agent_is_ready_and_go_one_after_the_other():
    talk = Talk()
    assert turns(talk.prompt("t1") + talk.prompt("t2")) == [("t1", "queued"), ("t2", "queued")]
    assert turns(talk.say("ready")) == [("t1", "sent")]
    assert [turn.turn_id for turn in talk.state.queue] == ["t2"]
    assert turns(talk.say("took", "done")) == [("t1", "started"), ("t1", "completed"), ("t2", "sent")]
    assert talk.written() == ["hello agent", "prompt t1 0", "prompt t2 0"]


def test_a_prompt_given_twice_is_given_once():
    talk = ready()
    talk.prompt("t1")
    assert talk.prompt("t1") == []
    assert talk.written() == ["prompt t1 0"]


@pytest.mark.parametrize("data", [{}, {"turn_id": "", "prompt": "x"}, {"turn_id": "t", "prompt": 7}])
def test_a_prompt_that_makes_no_sense_is_nothing(data: dict):
    talk = ready()
    assert talk.ask("prompt", **data) == []


def test_images_go_with_a_prompt_and_broken_ones_do_not():
    talk = ready()
    talk.prompt("t1", images=[{"media_type": "image/png", "data": "aGk="}])
    assert talk.written() == ["prompt t1 1"]
    talk.say("took", "done")
    talk.prompt("t2", images=[{"data": 7}])
    assert talk.written() == ["prompt t2 0"]


def test_no_more_prompts_wait_than_is_sensible():
    talk = Talk()
    for number in range(MAX_QUEUE):
        talk._decoder.mark("prompt", {"turn_id": f"t{number}", "prompt": "x"}, SECOND)
    assert turns(talk.prompt("more")) == [("more", "queued"), ("more", "refused")]


def test_steering_goes_into_the_turn_that_runs():
    talk = ready()
    talk.prompt("t1")
    talk.say("took")
    assert turns(talk.prompt("t2", "steer")) == [("t2", "queued"), ("t2", "sent")]
    assert talk.written() == ["prompt t1 0", "steer t2"]
    assert turns(talk.say("took t2")) == [("t2", "steered")]
    assert turns(talk.say("done")) == [("t1", "completed")]


def test_steering_that_comes_too_late_is_a_turn_of_its_own():
    talk = ready()
    talk.prompt("t1")
    talk.say("took")
    talk.prompt("t2", "steer")
    assert turns(talk.say("done", "took t2", "done")) == [
        ("t1", "completed"),
        ("t2", "started"),
        ("t2", "completed"),
    ]


@pytest.mark.parametrize("can_steer", [True, False])
def test_steering_nothing_is_a_prompt(can_steer: bool):
    talk = ready(can_steer=can_steer)
    assert turns(talk.prompt("t1", "steer")) == [("t1", "queued"), ("t1", "sent")]


def test_who_cannot_be_steered_gets_the_prompt_afterwards():
    talk = ready(can_steer=False)
    talk.prompt("t1")
    talk.say("took")
    assert turns(talk.prompt("t2", "steer")) == [("t2", "queued")]
    assert turns(talk.say("done")) == [("t1", "completed"), ("t2", "sent")]


def test_steering_that_is_refused_says_so():
    talk = ready()
    talk.prompt("t1")
    talk.say("took")
    talk.prompt("t2", "steer")
    assert turns(talk.say("refuse t2")) == [("t2", "refused")]
    assert talk.state.running.turn_id == "t1"


def test_a_prompt_may_interrupt_and_comes_before_those_that_wait():
    talk = ready()
    talk.prompt("t1")
    talk.say("took")
    talk.prompt("t2")
    talk.prompt("t3", "interrupt")
    assert talk.written() == ["prompt t1 0", "interrupt"]
    assert turns(talk.say("stopped")) == [("t1", "interrupted"), ("t3", "sent")]


def test_a_prompt_that_waits_can_be_taken_back():
    talk = ready()
    talk.prompt("t1")
    talk.prompt("t2")
    (cancelled,) = talk.ask("cancel_prompt", turn_id="t2", by="bob")
    assert (cancelled.state, cancelled.reason) == ("cancelled", "cancelled by bob")
    assert talk.state.queue == ()
    assert talk.ask("cancel_prompt", turn_id="t1") == []


def test_interrupting_asks_the_agent_once_there_is_something_to_interrupt():
    talk = ready()
    assert talk.ask("interrupt") == []
    talk.prompt("t1")
    talk.written()
    (notice,) = talk.ask("interrupt", by="bob")
    assert notice.message == "interrupted by bob"
    talk.ask("interrupt")
    assert talk.written() == ["interrupt", "interrupt"]


def test_background_work_can_be_interrupted_and_keeps_the_session_busy():
    talk = ready()
    talk.say("busy yes")
    assert talk.doing == "running"
    talk.ask("interrupt")
    assert talk.written() == ["interrupt"]
    talk.say("busy no")
    assert talk.doing == "idle"


def test_model_and_mode_can_be_changed_and_nothing_else():
    talk = ready()
    for what, value in (("model", "m2"), ("mode", "plan"), ("temper", "hot"), ("model", "")):
        talk.ask("change", what=what, value=value)
    assert talk.written() == ["change model m2", "change mode plan"]


def test_a_refused_prompt_ends_and_the_next_is_sent():
    talk = ready()
    talk.prompt("t1")
    talk.prompt("t2")
    assert turns(talk.say("refuse")) == [("t1", "refused"), ("t2", "sent")]


def test_what_the_agent_does_by_itself_is_a_turn_of_its_own():
    talk = ready()
    assert turns(talk.say("took", "done")) == [("own-1", "started"), ("own-1", "completed")]
    assert turns(talk.say("done")) == [("own-2", "started"), ("own-2", "completed")]


def test_a_turn_is_taken_once():
    talk = ready()
    talk.prompt("t1")
    assert turns(talk.say("took t1", "took t1", "took other")) == [("t1", "started")]


def test_what_an_agent_asks_waits_for_an_answer_and_gets_one():
    talk = ready()
    talk.prompt("t1")
    talk.written()
    (asked,) = talk.say("ask 0")
    assert asked.approval_id == "s1-1"
    assert talk.doing == "waiting"
    (answered,) = talk.decide("s1-1", decision_id="d1")
    assert (answered.approval_id, answered.decision, answered.by) == ("s1-1", "allow", "ann")
    assert answered.details["decision_id"] == "d1"
    assert talk.written() == ["answer 0 True"]
    assert talk.doing == "running"


def test_the_first_answer_counts_and_the_others_are_not_lost():
    talk = ready()
    talk.say("ask 0")
    talk.decide("s1-1", allow=False)
    (late,) = talk.decide("s1-1")
    assert isinstance(late, Mark)
    assert late.name == "decision_refused"
    assert talk.written() == ["answer 0 False"]


def test_an_answer_that_makes_no_sense_leaves_the_question_open():
    talk = ready()
    talk.say("ask 0")
    (refused,) = talk.ask("decision", approval_id="s1-1", decision={"allow": "perhaps"})
    assert refused.name == "decision_refused"
    assert talk.doing == "waiting"


def test_edited_input_and_answers_are_told():
    talk = ready()
    talk.say("ask 0")
    decision = {"allow": True, "input": {"command": "ls -l"}, "answers": {"Which?": "this"}}
    (told,) = talk.ask("decision", approval_id="s1-1", decision=decision)
    assert told.details["input"] == {"command": "ls -l"}
    assert told.details["answers"] == {"Which?": "this"}


def test_the_same_question_asked_again_is_another():
    talk = ready()
    talk.say("ask 0")
    talk.decide("s1-1")
    (again,) = talk.say("ask 0")
    assert again.approval_id == "s1-2"


def test_a_question_that_is_taken_back_is_withdrawn():
    talk = ready()
    talk.say("ask 0")
    (told,) = talk.say("forget 0")
    assert (told.approval_id, told.decision, told.reason) == ("s1-1", "withdrawn", "no longer asked")
    assert talk.say("forget 0") == []


def test_an_agent_that_has_used_up_its_quota_waits():
    talk = ready()
    (notice,) = talk.say("quota out")
    assert notice.code == "WAITS_FOR_QUOTA"
    assert (talk.doing, talk.say("quota out")) == ("waiting", [])
    talk.say("quota back")
    assert talk.doing == "idle"


def test_results_are_joined_with_their_calls():
    talk = ready()
    talk.say("call a", "call b")
    talk.pass_time(1.5)
    (second,) = talk.say("result b")
    assert (second.tool, second.duration_ms) == ("Bash", 1500)
    assert [call.tool_use_id for call in talk.state.calls] == ["a"]
    (stray,) = talk.say("result nobody")
    assert (stray.tool, stray.duration_ms) == ("", None)


def test_what_is_spent_adds_up_and_a_price_is_found_where_none_is_said():
    talk = ready()
    talk.prompt("t1")
    first, second = talk.say("usage 10 0.25", "usage 5")
    assert (first.turn_id, first.total_cost_usd) == ("t1", 0.25)
    assert (second.cost_usd, second.total_cost_usd) == (0.5, 0.75)
    assert (talk.state.spent.input_tokens, talk.state.spent.cost_usd) == (15, 0.75)


def test_the_conversation_is_what_the_agent_says_it_is():
    talk = ready()
    assert talk.state.model == "m0"
    talk.say("model m1")
    assert (talk.state.conversation_id, talk.state.model) == ("c1", "m1")


def test_at_the_end_nothing_is_left_open():
    talk = ready()
    talk.prompt("t1")
    talk.say("took", "ask 0")
    talk.prompt("t2", "steer")
    talk.prompt("t3")
    events = talk.end()
    assert turns(events) == [("t1", "failed"), ("t2", "refused"), ("t3", "refused")]
    assert [event.decision for event in events if isinstance(event, Permission)] == ["withdrawn"]
    assert Output(0, 0, "last words") in events
    assert (talk.state.queue, talk.state.approvals, talk.state.outgoing) == ((), (), ())


def test_the_last_line_may_lack_its_line_feed():
    talk = ready()
    talk._decoder.output(b"half", SECOND)
    assert Output(0, 0, "half") in talk.end()


@pytest.mark.parametrize("cut", range(1, 12))
def test_lines_may_come_in_any_pieces(cut: int):
    data, talk, told = b"call a\n\nresult a\nsaid\n", ready(), []
    for at in range(0, len(data), cut):
        told += talk._told(talk._decoder.output(data[at : at + cut], SECOND))
    assert [type(event) for event in told] == [ToolCall, ToolResult, Output]


def test_input_of_others_is_not_ours():
    talk = Talk()
    talk._decoder.input(Input("somebody", 9, b"x"), SECOND)
    assert len(talk.state.outgoing) == 1
    talk._decoder.input(Input(INPUT_SOURCE, 0, b"x"), SECOND)
    assert len(talk.state.outgoing) == 1


def test_marks_of_others_are_not_about_the_conversation():
    assert Talk()._decoder.mark("note", {}, SECOND) is None


def test_what_another_release_saved_is_refused():
    with pytest.raises(ValueError, match="not the state"):
        Talk()._decoder.load(b"\x90")


def test_every_way_of_a_turn_ends():
    ends = set().union(*TURNS.values()) - TURNS.keys()
    assert ends == {"completed", "failed", "interrupted", "steered", "refused", "cancelled"}


def test_a_prompt_that_was_never_taken_up_is_refused_at_the_end():
    talk = ready()
    talk.prompt("t1")
    assert turns(talk.end()) == [("t1", "refused")]


def test_files_that_the_agent_says_it_changed_are_known():
    talk = ready()
    (event,) = talk.say("wrote a.txt")
    assert event.path == "a.txt"
    assert talk.state.changed == (("a.txt", SECOND),)
