# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `python -m lab COMMAND`. Results go to standard output, progress to standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from . import image, lifecycle, progress, requirements, status, topology
from .errors import LabError, UsageError
from .faults import registry
from .lab import Lab
from .state import DEFAULT_DIRECTORY, VARIABLE, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .faults.model import Fault

_EPILOG = f"""\
The state directory (--state, else ${VARIABLE}, else {DEFAULT_DIRECTORY}) is the lab: several labs with different
directories run side by side. Exit codes: 0 done, 1 failed, 2 wrong use or not possible on this machine.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        return code
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The argument parser."""
    top = argparse.ArgumentParser(prog="python -m lab", description=__doc__, epilog=_EPILOG)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", metavar="DIR", help="the lab's state directory")
    common.add_argument("--quiet", action="store_true", help="no progress on standard error")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: object, words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[common], help=words, description=words)
        made.set_defaults(command=run)
        return made

    command("image", _image, "make the image the machines run from, if it is not there; print its directory")
    up = command("up", _up, "start a lab, or leave it alone if it is already up and well")
    up.add_argument("--nodes", type=int, default=4, help="number of nodes (default 4)")
    names = [each.name for each in topology.TOPOLOGIES]
    up.add_argument("--topology", choices=names, default=names[0], help=f"shape of the network (default {names[0]})")
    command("down", _down, "end a lab and everything that belongs to it, also after an aborted run")
    shown = command("status", _status, "show nodes, sessions, clocks and active faults")
    shown.add_argument("--json", action="store_true", help="as JSON")
    inventory = command("inventory", _inventory, "print the path of the Ansible inventory")
    inventory.add_argument("--show", action="store_true", help="print the inventory itself")
    execute = command("exec", _exec, "run a command on a node: exec NODE -- COMMAND …")
    execute.add_argument("node")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    remote = command("ssh", _ssh, "log in to a node over SSH: ssh NODE [COMMAND …]")
    remote.add_argument("node")
    remote.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    broken = command("break", _break, "inject a fault and wait until it shows; faults can be combined")
    broken.add_argument("fault", metavar="FAULT", help="see: python -m lab faults")
    broken.add_argument("--node", help="the node to break (default: as the fault says)")
    broken.add_argument("--variant", help="the way it comes about (default: the fault's first)")
    healed = command("heal", _heal, "undo all faults, or one, and wait until the cluster is well")
    healed.add_argument("fault", metavar="FAULT", nargs="?")
    healed.add_argument("--node", help="only on this node")
    listed = command("faults", _faults, "list the faults the lab can make, with their variants")
    listed.add_argument("--json", action="store_true", help="as JSON")
    return top


def _say(options: argparse.Namespace) -> progress.Say:
    return progress.quiet if options.quiet else progress.to_stderr()


def _image(options: argparse.Namespace) -> int:
    if not image.directory().is_dir():
        requirements.check_image()
    print(image.ensure(_say(options)))
    return 0


def _up(options: argparse.Namespace) -> int:
    Lab.up(options.nodes, options.topology, options.state, _say(options))
    return 0


def _down(options: argparse.Namespace) -> int:
    lifecycle.down(State(options.state), _say(options))
    return 0


def _lab(options: argparse.Namespace) -> Lab:
    requirements.check_root()
    return Lab(options.state, _say(options))


def _status(options: argparse.Namespace) -> int:
    found = _lab(options).status()
    print(json.dumps(found, indent=2) if options.json else status.text(found))
    return 0


def _inventory(options: argparse.Namespace) -> int:
    path = _lab(options).inventory
    if options.show:
        with open(path, encoding="utf-8") as file:
            print(file.read(), end="")
    else:
        print(path)
    return 0


def _command(options: argparse.Namespace) -> list[str]:
    argv: list[str] = options.argv
    return argv[1:] if argv[:1] == ["--"] else argv


def _exec(options: argparse.Namespace) -> int:
    argv = _command(options)
    if not argv:
        raise UsageError("which command? For instance: python -m lab exec node-1 -- ip address")
    machine = _lab(options).machine(options.node)
    command = machine.command(argv)
    os.execvpe(command[0], command, machine.environment(os.environ.get("TERM", "dumb")))  # noqa: S606


def _ssh(options: argparse.Namespace) -> int:
    lab = _lab(options)
    name = lab.plan.node(options.node).name
    os.execvp("ssh", ["ssh", "-F", str(lab.state.path("ssh_config")), name, *_command(options)])  # noqa: S606


def _break(options: argparse.Namespace) -> int:
    _lab(options).make(options.fault, options.node, options.variant)
    return 0


def _heal(options: argparse.Namespace) -> int:
    lab = _lab(options)
    if not lab.heal(options.fault, options.node):
        lab.say("no fault is active")
    return 0


def _faults(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps([_described(each) for each in registry.FAULTS], indent=2))
        return 0
    for fault in registry.FAULTS:
        print(f"{fault.id}\n    {fault.description}")
        for variant in fault.variants:
            only = f" [{variant.topology}]" if variant.topology else ""
            print(f"      --variant {variant.name:<16} {variant.description}{only}")
    return 0


def _described(fault: Fault) -> dict[str, object]:
    variants = [
        {"name": each.name, "description": each.description, "topology": each.topology} for each in fault.variants
    ]
    return {"id": fault.id, "description": fault.description, "subject": fault.ghost or "node", "variants": variants}
