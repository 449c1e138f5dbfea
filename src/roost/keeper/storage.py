"""The few calls by which the keeper touches the disk, in one place so that each can be made to fail.

`ROOST_KEEPER_FAULTS="write:3:ENOSPC,open:1:EMFILE"` lets the third write and the first opening fail with these errors;
`write:3-5:EIO` the third to the fifth, `write:3+:ENOSPC` all from the third on, `write:2:short` writes half.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import NamedTuple

from roost.errors import InvalidSetting

_EVER = 1 << 62


class Storage:
    """The disk as the operating system gives it."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def open(self, path: str, flags: int, *, dir_fd: int, mode: int = 0o600) -> int:
        """A descriptor of `path` below the directory `dir_fd`, closed in children."""
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode, dir_fd=dir_fd)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """How many bytes were written."""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Have the file system that holds `fd` write all that is dirty. May take long; other threads go on."""
        if self._libc.syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def allocate(self, fd: int, size: int) -> None:
        """Reserve `size` bytes for the file."""
        os.posix_fallocate(fd, 0, size)

    def free_bytes(self, fd: int) -> int:
        """What an ordinary user may still write on the file system that holds `fd`."""
        facts = os.fstatvfs(fd)
        return facts.f_bavail * facts.f_frsize


class Fault(NamedTuple):
    """The `first` to `last` call of `call` fails with `number`; a number of 0 means that it does half its work."""

    call: str
    first: int
    last: int
    number: int


class FaultyStorage(Storage):
    """A disk that fails when told."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__()
        self._faults = faults
        self._calls: dict[str, int] = {}

    def open(self, path: str, flags: int, *, dir_fd: int, mode: int = 0o600) -> int:
        self._meet("open")
        return super().open(path, flags, dir_fd=dir_fd, mode=mode)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        half = self._meet("write")
        return super().write(fd, data[: len(data) // 2] if half else data)

    def sync(self, fd: int) -> None:
        self._meet("sync")
        super().sync(fd)

    def allocate(self, fd: int, size: int) -> None:
        self._meet("allocate")
        super().allocate(fd, size)

    def _meet(self, call: str) -> bool:
        """Count the call, fail if it is one that shall; say whether it shall do half."""
        count = self._calls[call] = self._calls.get(call, 0) + 1
        for fault in self._faults:
            if fault.call == call and fault.first <= count <= fault.last:
                if fault.number:
                    raise OSError(fault.number, os.strerror(fault.number))
                return True
        return False


def parse_faults(text: str) -> list[Fault]:
    """The faults that a setting names.

    Raises:
        InvalidSetting: it cannot be understood.
    """
    try:
        return [_parse_fault(part) for part in text.split(",") if part]
    except (ValueError, KeyError) as exc:
        raise InvalidSetting(f"ROOST_KEEPER_FAULTS is not understood: {text!r}") from exc


def _parse_fault(text: str) -> Fault:
    call, span, reason = text.split(":")
    first, _, last = span.rstrip("+").partition("-")
    end = _EVER if span.endswith("+") else int(last or first)
    numbers = {name: number for number, name in errno.errorcode.items()}
    return Fault(call, int(first), end, 0 if reason == "short" else numbers[reason])


def make_storage(faults: str) -> Storage:
    """The disk, with the faults that are asked for."""
    return FaultyStorage(parse_faults(faults)) if faults else Storage()
