"""Pseudo-terminals: the keeper's side."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios

from roost.errors import LimitReached, RoostError

_UNLOCK = 0x40045431
_NUMBER = 0x80045430
_IUTF8 = 0x4000
_SIZE = struct.Struct("HHHH")
_INT = struct.Struct("i")


def open_terminal(cols: int, rows: int) -> tuple[int, str]:
    """A new terminal of that size: the descriptor to hold, and the path that the agent opens.

    Raises:
        LimitReached: there are no more descriptors or terminals.
        RoostError: the system gives no terminals.
    """
    try:
        master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        raise _failure(exc) from exc
    fcntl.ioctl(master, _UNLOCK, _INT.pack(0))
    (number,) = _INT.unpack(fcntl.ioctl(master, _NUMBER, _INT.pack(0)))
    settings = termios.tcgetattr(master)
    settings[0] |= _IUTF8
    termios.tcsetattr(master, termios.TCSANOW, settings)
    set_size(master, cols, rows)
    return master, f"/dev/pts/{number}"


def set_size(master: int, cols: int, rows: int) -> None:
    """Give the terminal a size; the kernel tells the foreground programs (SIGWINCH) when it is a new one."""
    fcntl.ioctl(master, termios.TIOCSWINSZ, _SIZE.pack(rows, cols, 0, 0))


def foreground_group(master: int) -> int:
    """The process group in the terminal's foreground; 0 when there is none."""
    try:
        (group,) = _INT.unpack(fcntl.ioctl(master, termios.TIOCGPGRP, _INT.pack(0)))
    except OSError:
        return 0
    return int(group)


def end_of_file_character(master: int) -> bytes:
    """What has to be typed to end the input of a program that reads lines (control D as a rule)."""
    character = termios.tcgetattr(master)[6][termios.VEOF]
    return character if isinstance(character, bytes) else bytes([character])


def _failure(exc: OSError) -> RoostError:
    reason = exc.strerror or str(exc)
    if exc.errno in (errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EAGAIN):
        return LimitReached(f"no terminal is to be had: {reason}", hint="raise the limit of open files (ulimit -n)")
    return RoostError(f"no terminal is to be had: {reason}")
