"""Why a session is lost."""

from __future__ import annotations

from pathlib import Path

from roost.core.recording import Kind, encode_frame, encode_json
from roost.services.lost import current_boot_id, recorded_boot_id, recorded_ending, why_lost


def recording(path: Path, boot_id: str) -> Path:
    path.write_bytes(encode_json(Kind.HEADER, 0, {"boot_id": boot_id}) + encode_frame(Kind.OUT, 1, b"x"))
    return path


def test_another_boot_means_the_host_restarted(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.rec", "boot-1")
    assert why_lost(path, "boot-2") == "host restarted"
    assert why_lost(path, "boot-1") == "keeper ended"


def test_without_a_readable_header_the_keeper_is_named(tmp_path: Path) -> None:
    assert why_lost(tmp_path / "none.rec", "boot") == "keeper ended"
    (tmp_path / "zeros.rec").write_bytes(bytes(100))
    assert recorded_boot_id(tmp_path / "zeros.rec") == ""


def test_the_kernel_names_its_boot() -> None:
    assert len(current_boot_id()) == 36


def test_an_exit_frame_near_the_end_says_how_it_ended(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.rec", "boot")
    assert recorded_ending(path) is None
    with path.open("ab") as file:
        file.write(bytes(300_000))
        file.write(encode_json(Kind.EXIT, 5, {"code": 3, "signal": None, "reason": "exited"}))
        file.write(encode_json(Kind.MARK, 6, {"type": "note"}))
    ending = recorded_ending(path)
    assert ending is not None
    assert (ending.state, ending.reason, ending.exit_code) == ("failed", "exit code 3", 3)
    assert recorded_ending(tmp_path / "none.rec") is None
