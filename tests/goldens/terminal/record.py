"""Records real programs under a real terminal, as the goldens beside this file were made.

    python tests/goldens/terminal/record.py OUT_DIRECTORY [NAME…]

Each scenario runs in a fresh directory `/tmp/demo`, with an environment from nothing, and where the system allows it
in namespaces of its own, so that nothing of the machine is in the recording. What comes out is an asciicast.
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import shutil
import struct
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

DEMO = Path("/tmp/demo")
COLS, ROWS = 100, 30
PYTHON = "/usr/bin/python3"

SERVE = """
import http.server, time
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "3000000"); self.end_headers()
        for _ in range(30):
            self.wfile.write(b"x" * 100000); time.sleep(0.03)
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", 8765), H).serve_forever()
"""

FILES = {
    "serve.py": SERVE,
    "main.c": '#include <stdio.h>\nint main(void) {\n    int x = "text";\n    return y;\n}\n',
    "test_demo.py": "import pytest\n\n@pytest.mark.parametrize('n', range(40))\ndef test_ok(n):\n    pass\n\n"
    "def test_bad():\n    assert {'a': 1, 'b': 2} == {'a': 1, 'b': 3}\n",
    "trace.py": "def f(n):\n    return 1 / n\n\nprint('Grüße, 世界 ✔ 👍')\nf(0)\n",
    "notes.txt": "".join(f"line {n} of the notes, with words enough to fill a part of the row\n" for n in range(200)),
    "tabs.tsv": "name\tsize\twhat\nwörld\t12\tα\n世界\t3\tβ\n" + "long-name-here\t1234567\tthe end\n" * 3,
}

GIT = (
    "git init -q -b main repo && cd repo && git config user.name Ann && git config user.email ann@example.org; "
    "export GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'; "
    'for n in 1 2 3 4 5 6; do seq $n 40 > numbers.txt; git add .; git commit -qm "Change number $n"; done; '
    "seq 3 45 > numbers.txt; touch new.txt; "
)


class Scenario(NamedTuple):
    """`keys` are typed at seconds from the start; `seconds` is the longest it may take."""

    command: str
    keys: tuple[tuple[float, bytes], ...] = ()
    seconds: float = 20.0


SCENARIOS = {
    "ls": Scenario("ls --color=always -C /usr/lib/git-core; ls --color=always -l /usr/share/doc/bash"),
    "grep": Scenario("cd /usr/lib/python3.11/json && grep -n --color=always -r 'def ' --include=*.py ."),
    "git": Scenario(
        GIT + "git -c color.ui=always log --graph --stat -4 | cat; git -c color.ui=always diff; git status"
    ),
    "git-pager": Scenario(GIT + "git log", ((1.5, b" "), (2.0, b" "), (2.5, b"q"))),
    "git-clone": Scenario(GIT + "git commit -qam x; cd ..; git clone --progress file:///tmp/demo/repo other"),
    "gcc": Scenario("gcc -fdiagnostics-color=always -Wall main.c"),
    "pytest": Scenario("python -m pytest -p no:cacheprovider --color=yes -v test_demo.py"),
    "pytest-dots": Scenario("python -m pytest -p no:cacheprovider --color=yes test_demo.py"),
    "traceback": Scenario(f"{PYTHON} trace.py"),
    "tabs": Scenario("cat tabs.tsv; expand tabs.tsv; printf 'a\\tb\\rX\\n'; printf 'one\\b\\btwo\\n'"),
    "curl": Scenario(
        f"{PYTHON} serve.py & sleep 0.5; curl -# -o a http://127.0.0.1:8765/a; "
        "curl -o b http://127.0.0.1:8765/b; kill %1"
    ),
    "wget": Scenario(f"{PYTHON} serve.py & sleep 0.5; wget -O a http://127.0.0.1:8765/a; kill %1"),
    "pip": Scenario(
        'mkdir p && cd p && printf \'[project]\\nname="demo"\\nversion="1"\\n\' > pyproject.toml; '
        "python -m pip install --no-index --no-build-isolation --dry-run ./"
    ),
    "npm": Scenario(
        "mkdir a b && (cd a && npm init -y >/dev/null) && (cd b && npm init -y >/dev/null); "
        "npm install --offline --no-audit --no-fund --install-links ./a ./b; npm ls"
    ),
    "cargo": Scenario(
        "cargo new --vcs none hello 2>&1; cd hello && cargo build --offline; cargo run --offline", (), 40
    ),
    "apt": Scenario("apt-get install -s --reinstall less "),
    "bash": Scenario(
        "PS1='$ ' bash --norc -i",
        (
            (0.5, b"echo hello"),
            (0.8, b"\x1b[D\x1b[D\x7fXY"),
            (1.2, b"\r"),
            (1.6, b"ls -a --col\t\r"),
            (2.2, b"\x1b[A\x1b[A"),
            (
                2.6,
                b"\x01echo a rather long command line that has to be wrapped because it is wider "
                b"than the window is; \r",
            ),
            (3.4, b"for i in 1 2 3; do printf '\\rprogress %d%%' $i; sleep 0.2; done; echo\r"),
            (4.8, b"clear\r"),
            (5.2, b"seq 5\r"),
            (5.8, b"exit\r"),
        ),
    ),
    "python": Scenario(
        f"{PYTHON} -i -c ''",
        ((0.5, b"1+1\r"), (0.9, b"for i in range(3):\r    print(i)\r\r"), (1.4, b"1/0\r"), (1.9, b"exit()\r")),
    ),
    "rich-progress": Scenario(
        'python -c "import time\nfrom rich.progress import Progress\nwith Progress() as p:\n'
        " a=p.add_task('one',total=20); b=p.add_task('two',total=20)\n"
        " for i in range(20):\n  p.advance(a); p.advance(b,.5)\n"
        "  if i%6==0: p.console.print('log line',i)\n  time.sleep(.07)\nprint('after')\""
    ),
    "rich-live": Scenario("python -m rich.live", seconds=25),
    "tqdm-like": Scenario(
        f'{PYTHON} -c "import time,sys\nfor i in range(30):\n '
        "sys.stderr.write('\\r%3d%%|%s| %d/30' % (i*100//29, '#'*i, i)); "
        "sys.stderr.flush(); time.sleep(.02)\nprint()\nprint('done')\""
    ),
    "watch": Scenario("watch -n 0.3 -t 'seq 5; date +%N'", ((1.5, b"\x03"),), 3),
    "less": Scenario("less -R notes.txt", ((0.5, b" "), (0.9, b"/line 77\r"), (1.3, b"G"), (1.8, b"q"))),
    "less-inline": Scenario("less -X notes.txt", ((0.5, b" "), (0.9, b"b"), (1.3, b"G"), (1.8, b"q"))),
    "man": Scenario("man true", ((0.8, b" "), (1.2, b"q"))),
    "vim": Scenario(
        "vim -u NONE -N notes.txt", ((0.6, b"\x06"), (1.0, b"/line 50\r"), (1.4, b"ohello\x1b"), (1.8, b":q!\r"))
    ),
    "top": Scenario("top -d 0.4", ((2.5, b"q"),)),
    "htop": Scenario("htop -d 4", ((1.0, b"j"), (2.0, b"q"))),
    "tmux": Scenario(
        "tmux -f /dev/null -L demo new-session 'PS1=\"\\$ \" bash --norc' ';' set -g status off",
        ((0.8, b"seq 60\r"), (1.3, b"\x02%"), (2.0, b"ls --color\r"), (2.6, b"exit\r"), (3.0, b"exit\r")),
    ),
}


def main() -> None:
    """Record the named scenarios, or all."""
    out = Path(sys.argv[1])
    for name in sys.argv[2:] or SCENARIOS:
        events = record(SCENARIOS[name])
        head = {"version": 2, "width": COLS, "height": ROWS, "command": name}
        lines = [json.dumps(head), *(json.dumps([t, "o", text], ensure_ascii=False) for t, text in events)]
        (out / f"{name}.cast").write_text("\n".join(lines) + "\n")
        sys.stdout.write(f"{name}: {sum(len(text) for _, text in events)} characters\n")


def record(scenario: Scenario) -> list[tuple[float, str]]:
    """Run one scenario; its output with times in seconds."""
    shutil.rmtree(DEMO, ignore_errors=True)
    (DEMO / "home").mkdir(parents=True)
    for name, text in FILES.items():
        (DEMO / name).write_text(text)
    argv = ["bash", "--norc", "-c", scenario.command]
    if shutil.which("unshare") and os.geteuid() == 0:
        apart = ["unshare", "--pid", "--fork", "--mount-proc", "--uts", "--kill-child"]
        argv = [*apart, "bash", "-c", 'hostname box; exec "$@"', "-", *argv]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(DEMO)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
        os.execvpe(argv[0], argv, _environment())
    try:
        return _read(terminal, list(scenario.keys), scenario.seconds)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _environment() -> dict[str, str]:
    python = str(Path(sys.executable).parent)
    cargo = os.pathsep.join(filter(None, [os.environ.get("CARGO_BIN", "")]))
    path = os.pathsep.join(filter(None, [python, cargo, "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]))
    return {
        "PATH": path, "HOME": str(DEMO / "home"), "TERM": "xterm-256color", "LANG": "C.UTF-8",
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", ""), "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1", "NO_UPDATE_NOTIFIER": "1", "USER": "demo", "LOGNAME": "demo",
    }  # fmt: skip


def _read(terminal: int, keys: list[tuple[float, bytes]], seconds: float) -> list[tuple[float, str]]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    events: list[tuple[float, str]] = []
    begin = time.monotonic()
    while (now := time.monotonic() - begin) < seconds:
        if keys and now >= keys[0][0]:
            os.write(terminal, keys.pop(0)[1])
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        text = decoder.decode(data)
        if text:
            events.append((round(time.monotonic() - begin, 3), text))
    return events


if __name__ == "__main__":
    main()
