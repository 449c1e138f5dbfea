"""However output is cut, and wherever a checkpoint is taken, the lines are the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from roost.core.text import Cleaner, Line, Piece

PARTS = [
    b"a", b"hello world", b"x" * 30, b"y" * 200, b"\r\n", b"\n", b"\r", b"\b", b"\t", b"   ", b"\x0b", b"\x0c",
    b"\x1b[31m", b"\x1b[0m", b"\x1b[K", b"\x1b[1K", b"\x1b[2K", b"\x1b[A", b"\x1b[3A", b"\x1b[B", b"\x1b[5C",
    b"\x1b[2D", b"\x1b[G", b"\x1b[H", b"\x1b[2;3H", b"\x1b[J", b"\x1b[1J", b"\x1b[2J", b"\x1b[2P", b"\x1b[3@",
    b"\x1b[2X", b"\x1b[L", b"\x1b[M", b"\x1b7", b"\x1b8", b"\x1bM", b"\x1bD", b"\x1bE", b"\x1b[2;4r", b"\x1b[r",
    b"\x1b[?7l", b"\x1b[?7h", b"\x1b[4h", b"\x1b[4l", b"\x1b(0", b"\x1b(B", b"\x0e", b"\x0f", b"qqx", b"\x1b[3b",
    b"\x1b]0;t\x07", b"\x1b]8;;u\x1b\\", b"\x1bPq\nx\x1b\\", b"\x1b_x\x1b\\", b"\x1b[?1049h", b"\x1b[?1049l",
    "你好".encode(), "e\u0301".encode(), "✔".encode(), "😀".encode(), b"\xff", b"\xe4\xbd", b"\xc2\x9b3C", b"\xc2\x85",
    b"\x00", b"\x07", b"\x18", b"\x1b[3\x18", b"\x1b[3\x1b[0m", b"\x1b[1\r2C", b"\x1b[S", b"\x1b[T", b"\x1b", b"\x1b[",
    b"\x1b[?6h", b"\x1bc", b"\x1b[!p", b"\x1b[5d", b"\x1b[20`", b"\x1b[Z", b"\x1b[2I", b"\x1b[s", b"\x1b[u", b"\x1b ",
    b"\x1b[99999C", b"\x1b[2E", b"\x1b[F",
]  # fmt: skip

OUTPUT = st.lists(st.sampled_from(PARTS) | st.binary(max_size=3), max_size=40).map(b"".join)
SIZES = st.sampled_from(
    [(20, 5, 1 << 20), (0, 0, 1 << 20), (40, 10, 1 << 20), (20, 5, 64), (0, 0, 64), (7, 3, 1 << 20)]
)


@settings(max_examples=400, deadline=None)
@given(data=OUTPUT, size=SIZES, cuts=st.lists(st.integers(0, 600), max_size=8))
def test_lines_do_not_depend_on_the_cuts(data: bytes, size: tuple[int, int, int], cuts: list[int]) -> None:
    assert _lines(data, size, cuts) == _lines(data, size, [])


@settings(max_examples=150, deadline=None)
@given(data=OUTPUT, size=SIZES)
def test_lines_do_not_depend_on_single_bytes(data: bytes, size: tuple[int, int, int]) -> None:
    assert _lines(data, size, list(range(len(data)))) == _lines(data, size, [])


@settings(max_examples=300, deadline=None)
@given(data=OUTPUT, size=SIZES, cuts=st.lists(st.integers(0, 600), max_size=8), quiet_at=st.integers(0, 600))
def test_a_checkpoint_changes_nothing(data: bytes, size: tuple[int, int, int], cuts: list[int], quiet_at: int) -> None:
    plain = _lines(data, size, [], quiet_at=quiet_at)
    assert _lines(data, size, cuts, quiet_at=quiet_at, checkpoints=True) == plain


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200), size=SIZES)
def test_any_bytes_will_do(data: bytes, size: tuple[int, int, int]) -> None:
    _lines(data, size, [])


@settings(max_examples=200, deadline=None)
@given(data=OUTPUT, size=SIZES)
def test_times_never_go_back(data: bytes, size: tuple[int, int, int]) -> None:
    cleaner = Cleaner(size[2], columns=size[0], rows=size[1])
    pieces: list[Piece] = []
    for now in range(0, len(data), 9):
        pieces += cleaner.feed(data[now : now + 9], now)
    pieces += cleaner.finish(len(data))
    times = [piece.time_ns for piece in pieces if isinstance(piece, Line)]
    assert times == sorted(times)


def _lines(
    data: bytes, size: tuple[int, int, int], cuts: list[int], *, quiet_at: int = -1, checkpoints: bool = False
) -> list[object]:
    cleaner = Cleaner(size[2], columns=size[0], rows=size[1])
    pieces: list[Piece] = []
    last = 0
    for cut in sorted({*(min(cut, len(data)) for cut in cuts), len(data), *([quiet_at] if quiet_at >= 0 else [])}):
        pieces += cleaner.feed(data[last:cut], 1)
        last = cut
        if cut == quiet_at:
            pieces += cleaner.quiet(2)
        if checkpoints:
            cleaner = Cleaner.restore(cleaner.state())
    pieces += cleaner.finish(3)
    return [(piece.text, piece.continues) if isinstance(piece, Line) else piece for piece in pieces]
