"""Errors travel as data."""

from __future__ import annotations

from roost.errors import AgentNotFound, InternalError, RoostError, by_code, from_dict


def test_an_error_survives_the_wire() -> None:
    sent = AgentNotFound("there is no agent 'x'", hint="see `roost ps`", name="x")
    got = from_dict(sent.to_dict())
    assert type(got) is AgentNotFound
    assert (got.message, got.hint, got.details) == (sent.message, sent.hint, {"name": "x"})


def test_an_unknown_code_is_still_an_error() -> None:
    assert type(from_dict({"code": "OF_TOMORROW", "message": "m"})) is RoostError


def test_codes_are_unique() -> None:
    def walk(cls: type[RoostError]) -> list[type[RoostError]]:
        return [cls, *(found for sub in cls.__subclasses__() for found in walk(sub))]

    classes = [cls for cls in walk(RoostError) if cls is not RoostError]
    assert len({cls.code for cls in classes}) == len(classes)
    assert by_code()["INTERNAL_ERROR"] is InternalError


def test_an_error_without_words_says_what_its_class_says() -> None:
    assert str(AgentNotFound()) == "There is no agent of that name."
