"""Why a session is lost."""

from __future__ import annotations

from pathlib import Path

from roost.core.recording import Kind, encode_frame, encode_json
from roost.services.lost import current_boot_id, recorded_boot_id, why_lost


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
