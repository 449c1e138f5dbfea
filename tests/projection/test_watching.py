"""When a terminal is worth a look."""

from __future__ import annotations

from roost.core.attention import to_mark
from roost.core.projection import SessionProjection
from roost.core.recording import Kind, Reader, encode_frame
from roost.model.attention import Attention
from roost.projection.watching import BUSY_S, WORKING_S, Watching
from tests.projection.tape import Tape


class Screening:
    """A projection that is fed by hand, and who watches it."""

    def __init__(self) -> None:
        self.projection = SessionProjection("s1")
        self._reader = Reader()
        self._watching = Watching()
        self._ms = 0
        self.projection.feed(self._reader.feed(Tape().started().data))

    def out(self, data: bytes, kind: Kind = Kind.OUT) -> None:
        self._ms += 10
        self.projection.feed(self._reader.feed(encode_frame(kind, self._ms * 1_000_000, data)))

    def note(self, kind: str) -> None:
        tape = Tape().at(self._ms).mark(**{"type_": "attention", **_fields(kind)})
        header = len(Tape().data)
        self.projection.feed(self._reader.feed(tape.data[header:]))

    def looked(self, now: float) -> bool | None:
        """Whether a look at `now` saw it at rest; none where none was due."""
        look = self._watching.look(self.projection, now)
        return look and look[1]


def _fields(kind: str) -> dict[str, object]:
    mark = to_mark(Attention(kind=kind))  # type: ignore[arg-type]
    del mark["type"]
    return mark


def test_who_said_nothing_is_not_looked_at() -> None:
    assert Screening().looked(0) is None


def test_output_that_came_to_rest_is_looked_at_once() -> None:
    screening = Screening()
    screening.out(b"one\r\ntwo? ")
    assert screening.looked(0) is None
    screening.projection.rest()
    assert screening.looked(1) is True
    assert screening.looked(2) is None


def test_plain_lines_of_who_works_are_not_looked_at_while_they_come() -> None:
    screening = Screening()
    screening.out(b"one\r\n")
    assert screening.looked(100) is None


def test_plain_lines_of_who_waited_are_looked_at() -> None:
    screening = Screening()
    screening.note("waits")
    screening.out(b"one\r\n")
    assert screening.looked(100) is False
    screening.out(b"two\r\n")
    assert screening.looked(100 + BUSY_S / 2) is None
    assert screening.looked(100 + BUSY_S) is False


def test_who_paints_is_looked_at_now_and_then_and_sooner_when_its_title_changes() -> None:
    screening = Screening()
    screening.out(b"\x1b[?1049h\x1b]0;one\x07a")
    assert screening.looked(100) is False
    screening.out(b"b")
    assert screening.looked(100 + BUSY_S) is None
    assert screening.looked(100 + WORKING_S) is False
    screening.out(b"\x1b]0;two\x07")
    assert screening.looked(100 + WORKING_S + BUSY_S) is False


def test_there_is_nothing_to_see_of_who_only_complained() -> None:
    screening = Screening()
    screening.out(b"error: no\n", Kind.ERR)
    screening.projection.rest()
    assert screening.looked(100) is None


def test_who_ended_is_not_looked_at() -> None:
    screening = Screening()
    screening.out(b"one")
    screening.projection.lose("gone")
    assert screening.looked(100) is None
