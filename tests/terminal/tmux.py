"""A real terminal that a test can read: a window of tmux, which no setting of the person who tests reaches."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.waiting import scaled, until

TMUX = shutil.which("tmux")
SETTINGS = """\
set -g default-terminal screen-256color
set -g escape-time 0
set -g status off
set -g history-limit 5000
set -g default-size 100x30
set -g assume-paste-time 0
"""
_STATE = {
    "alternate": "alternate_on",
    "cursor_shown": "cursor_flag",
    "application_cursor": "keypad_cursor_flag",
    "application_keypad": "keypad_flag",
    "inserting": "insert_flag",
    "mouse": "mouse_any_flag",
    "origin": "origin_flag",
    "wrapping": "wrap_flag",
    "upper_margin": "scroll_region_upper",
    "lower_margin": "scroll_region_lower",
    "column": "cursor_x",
    "row": "cursor_y",
}
_RUN = """\
read -r _; stty sane; before=$(stty -g)
{program}
code=$?; trap "" INT QUIT; after=$(stty -g); [ "$before" = "$after" ] && left=clean || left=changed
echo "$code $left" >{ended}.new; mv {ended}.new {ended}; exec sleep 100000
"""


class State(NamedTuple):
    """What a terminal is besides its text: modes, margins, and where its cursor stands."""

    alternate: bool
    cursor_shown: bool
    application_cursor: bool
    application_keypad: bool
    inserting: bool
    mouse: bool
    origin: bool
    wrapping: bool
    upper_margin: int
    lower_margin: int
    column: int
    row: int


class Window:
    """One program in a terminal."""

    def __init__(self, tmux: Tmux, target: str, ended: Path) -> None:
        self._tmux = tmux
        self._target = target
        self._ended = ended

    @property
    def text(self) -> str:
        """The screen as it stands, without blanks at the ends of rows and empty rows at the end."""
        return self._captured("-p").rstrip("\n")

    @property
    def history(self) -> str:
        """The screen and all that was scrolled away."""
        return self._captured("-p", "-S", "-").rstrip("\n")

    @property
    def coloured(self) -> str:
        """The screen with its colours."""
        return self._captured("-p", "-e").rstrip("\n")

    @property
    def state(self) -> State:
        names = ",".join(f"#{{{name}}}" for name in _STATE.values())
        values = [int(value or 0) for value in self._told(names).split(",")]
        flags = [bool(value) for value in values[:8]]
        return State(*flags, *values[8:])

    @property
    def title(self) -> str:
        return self._told("#{pane_title}")

    @property
    def has_ended(self) -> bool:
        return self._ended.exists()

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux.do("send-keys", "-t", self._target, "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        self._tmux.do("send-keys", "-t", self._target, *keys)

    def paste(self, text: str) -> None:
        """Paste text, marked as a paste where the program asked for that."""
        self._tmux.do("set-buffer", "--", text)
        self._tmux.do("paste-buffer", "-d", "-p", "-t", self._target)

    def resize(self, cols: int, rows: int) -> None:
        self._tmux.do("resize-window", "-t", self._target, "-x", str(cols), "-y", str(rows))

    def shows(self, text: str, timeout_s: float = 20) -> None:
        """Wait until the screen shows it."""
        seen = ""

        def found() -> bool:
            nonlocal seen
            seen = self.text
            return text in seen

        try:
            until(found, timeout_s, what=f"{text!r} is shown")
        except AssertionError as exc:
            raise AssertionError(f"{text!r} is not shown, but:\n{seen}") from exc

    def hides(self, text: str, timeout_s: float = 20) -> None:
        """Wait until the screen shows it no more."""
        until(lambda: text not in self.text, timeout_s, what=f"{text!r} is gone")

    def ends(self, timeout_s: float = 20) -> int:
        """Wait for the program to end; its exit code. It must leave the terminal's settings as they were."""
        until(lambda: self.has_ended, timeout_s, what=f"the program ends; it shows {self.text!r}")
        code, left = self._ended.read_text().split()
        assert left == "clean"
        return int(code)

    def close(self) -> None:
        self._tmux.do("kill-window", "-t", self._target)

    def _captured(self, *options: str) -> str:
        return self._tmux.do("capture-pane", "-t", self._target, *options)

    def _told(self, form: str) -> str:
        return self._tmux.do("display-message", "-p", "-t", self._target, form).rstrip("\n")


class Tmux:
    """A tmux server of its own, with windows of any size. A context: leaving it ends all of them."""

    def __init__(self) -> None:
        self._windows = 0
        self._directory = Path(tempfile.mkdtemp(prefix="roost-tmux-"))
        (self._directory / "settings").write_text(SETTINGS)
        self.do("new-session", "-d", "-s", "all", "-x", "100", "-y", "30", "sleep 100000")

    def window(
        self, *argv: str, cols: int = 100, rows: int = 30, cwd: Path | None = None, env: Mapping[str, str] = {}
    ) -> Window:
        """Start a program in a new window; `env` is added to the environment of whoever tests."""
        before = [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
        where = ["-c", str(cwd or self._directory)]
        # A window is given its size before the program begins, and stays when it has ended.
        self._windows += 1
        ended = self._directory / f"ended-{self._windows}"
        start = _RUN.format(program=shlex.join(argv), ended=ended)
        command = ["new-window", "-d", "-P", "-F", "#{window_id}", "-t", "all:", *where, *before, start]
        window = Window(self, self.do(*command).strip(), ended)
        window.resize(cols, rows)
        window.press("Enter")
        return window

    def do(self, *arguments: str) -> str:
        """One command of tmux; what it says."""
        command = [TMUX or "tmux", "-S", str(self._directory / "socket"), "-f", str(self._directory / "settings")]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=scaled(20), env=_environment(), check=False
        )
        if done.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.do("kill-server")
        shutil.rmtree(self._directory, ignore_errors=True)


@contextlib.contextmanager
def tmux() -> Iterator[Tmux]:
    one = Tmux()
    try:
        yield one
    finally:
        one.close()


def _environment() -> dict[str, str]:
    """The environment of who tests, without signs of another tmux, and in UTF-8."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
    return found | {"LC_ALL": "C.UTF-8"}
