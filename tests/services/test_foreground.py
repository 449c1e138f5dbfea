"""What has the foreground of a terminal, as the kernel says."""

from __future__ import annotations

import os
import pty
import sys

from roost.services.foreground import foreground_command
from tests.waiting import until


def test_the_command_in_the_foreground_of_a_terminal_is_found() -> None:
    program = [sys.executable, "-c", "input()", "here"]
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execv(program[0], program)
    try:
        assert until(lambda: (found := foreground_command(pid)) and found[-1] == "here" and found) == program
    finally:
        os.close(descriptor)
        os.waitpid(pid, 0)


def test_without_a_process_there_is_no_foreground() -> None:
    assert foreground_command(None) == []
    assert foreground_command(2**22 + 1) == []
