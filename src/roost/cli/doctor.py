"""`roost doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import paint, visible, write_json
from roost.cli.settings import add_setting_flags, load

if TYPE_CHECKING:
    import argparse

    from roost.cli.machine import Finding

NOTES = "Exit code 1 where something is missing that roost cannot do without, else 0.\n"
SIGNS = {"ok": ("ok", "green"), "note": ("note", "cyan"), "weak": ("weak", "yellow"), "missing": ("missing", "red")}


def configure_doctor(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_setting_flags(parser)


def doctor(options: argparse.Namespace) -> int:
    """Look at this machine, and say what is missing or weak and how to mend it."""
    from roost.cli import machine, running

    settings, _ = load(options)
    findings = [finding for check in (*machine.CHECKS, *running.CHECKS) for finding in check(settings)]
    is_fit = all(finding.status != machine.MISSING for finding in findings)
    if options.json:
        write_json({"fit": is_fit, "findings": [finding._asdict() for finding in findings]})
    else:
        _print(findings)
    return exits.OK if is_fit else exits.FAILED


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        sign, colour = SIGNS[finding.status]
        print(f"{paint(sign.ljust(7), colour)}  {finding.check.ljust(width)}  {visible(finding.message)}")
        if finding.advice:
            print(f"{' ' * (width + 11)}{visible(finding.advice)}")
