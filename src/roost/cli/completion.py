"""`roost completion`: scripts that complete commands, options and agents' names."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.commands import all_commands

if TYPE_CHECKING:
    from roost.cli.commands import Command

NOTES = """\
bash:  source <(roost completion bash)
zsh:   roost completion zsh > "${fpath[1]}/_roost"
fish:  roost completion fish > ~/.config/fish/completions/roost.fish
"""

NAMED = frozenset(
    "attach logs screen send wait events stop kill pause resume signal restart rm "
    "prompt interrupt turns approvals approve deny".split()
)
"""Commands that take agents' names."""


def configure_completion(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="for which shell")


def completion(options: argparse.Namespace) -> int:
    """Print a completion script."""
    print({"bash": bash, "zsh": zsh, "fish": fish}[options.shell]())
    return exits.OK


def words_of(command: Command) -> list[str]:
    """The long options of a command, and the actions that it is divided into."""
    from roost.cli.parser import command_parser

    parser = command_parser(command)
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += list(action.choices)
        else:
            found += [name for name in action.option_strings if name.startswith("--")]
    return [word for word in dict.fromkeys(found) if not word.startswith(_SETTINGS)]


# Some eighty flags for settings would bury the few that people type; the common ones have short names.
_SETTINGS = ("--server-", "--stream-", "--keeper-", "--agents-", "--logs-", "--health-")


def bash() -> str:
    """The script for bash."""
    cases = "\n".join(f"    {each.name}) words='{' '.join(words_of(each))}' ;;" for each in all_commands())
    names = "|".join(sorted(NAMED))
    return f"""\
_roost() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(each.name for each in all_commands())}' -- "$word"))
    return
  fi
  case ${{COMP_WORDS[1]}} in
{cases}
  esac
  case $word in -*) ;; *)
    case ${{COMP_WORDS[1]}} in {names}) words="$words $(roost ps -aq 2>/dev/null)" ;; esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _roost roost"""


def zsh() -> str:
    """The script for zsh."""
    commands = "\n".join(f"    '{each.name}:{_quoted(each.help)}'" for each in all_commands())
    cases = "\n".join(f"    {each.name}) ours=({' '.join(words_of(each))}) ;;" for each in all_commands())
    return f"""\
#compdef roost
_roost() {{
  local -a commands ours
  commands=(
{commands}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
{cases}
  esac
  case $words[2] in {"|".join(sorted(NAMED))}) compadd -- ${{(f)"$(roost ps -aq 2>/dev/null)"}} ;; esac
  compadd -- $ours
  _files
}}
_roost "$@\""""


def fish() -> str:
    """The script for fish."""
    lines = ["complete -c roost -f"]
    for each in all_commands():
        lines.append(f"complete -c roost -n __fish_use_subcommand -a {each.name} -d '{_quoted(each.help)}'")
        seen = f"__fish_seen_subcommand_from {each.name}"
        for word in words_of(each):
            how = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            lines.append(f"complete -c roost -n '{seen}' {how}")
    taken = " ".join(sorted(NAMED))
    lines.append(f"complete -c roost -n '__fish_seen_subcommand_from {taken}' -a '(roost ps -aq 2>/dev/null)'")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Text that can stand between single quotes."""
    return text.replace("'", "")
