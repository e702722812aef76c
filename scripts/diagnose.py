# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make diagnose`: run the main job, on the user's nodes or on the embedded lab.

What is wanted stands in the environment, where make puts it: FAULT, INVENTORY, REPORT_DIR, NODES, TOPOLOGY, NODE,
VARIANT, KEEP_LAB, ARGS. Exit status: that of ansible-playbook; 2 if the request cannot be carried out; 130 after
Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lab.errors import LabError
from scripts import embedded_lab, environment, lab_setup, make_variables, setup
from scripts.console import UserError, complain, headline, say
from scripts.paths import NAME, NAMESPACE, ROOT, VENV, printable, venv_program

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAYBOOK = f"{NAMESPACE}.{NAME}.diagnose"
LAB_SETTINGS = ROOT / "scripts" / "lab.cfg"
YES = {"1", "y", "yes", "true", "on"}
PATIENCE = 20  # seconds that ansible-playbook gets to end after Ctrl-C


class Request(NamedTuple):
    """What the user asked for. `inventory` is '' for the embedded lab; `nodes` and `topology` may be left open."""

    inventory: str
    breakage: embedded_lab.Breakage
    report_dir: Path
    nodes: int | None
    topology: str | None
    keep_lab: bool
    arguments: tuple[str, ...]


def read_request(wanted: Mapping[str, str]) -> Request:
    """Read and check what is wanted. UserError says in one sentence what is wrong with it."""
    request = Request(
        inventory=wanted.get("INVENTORY", "").strip(),
        breakage=embedded_lab.Breakage(
            wanted.get("FAULT", "").strip(),
            wanted.get("NODE", "").strip() or None,
            wanted.get("VARIANT", "").strip() or None,
        ),
        report_dir=Path(wanted.get("REPORT_DIR", "").strip() or "report").expanduser().absolute(),
        nodes=_number(wanted.get("NODES", "").strip()),
        topology=wanted.get("TOPOLOGY", "").strip() or None,
        keep_lab=wanted.get("KEEP_LAB", "").strip().lower() in YES,
        arguments=_arguments(wanted.get("ARGS", "")),
    )
    if request.report_dir.exists() and not request.report_dir.is_dir():
        raise UserError(f"REPORT_DIR={request.report_dir} is a file; give a folder.")
    if not request.inventory:
        embedded_lab.check_request(request.nodes, request.topology, request.breakage)
        return request
    if any(request.breakage):
        raise UserError(
            "FAULT, NODE and VARIANT break the embedded lab only; with INVENTORY nothing is ever broken. "
            "Leave one of the two out."
        )
    return request._replace(inventory=_inventory(request.inventory))


def _number(text: str) -> int | None:
    """NODES as a number."""
    if not text:
        return None
    if not text.isdecimal() or int(text) < 2:
        raise UserError(f"NODES={text} is not a number of nodes; a mesh has at least 2.")
    return int(text)


def _arguments(text: str) -> tuple[str, ...]:
    """ARGS, split as a shell does."""
    try:
        return tuple(shlex.split(text))
    except ValueError as problem:
        raise UserError(f"ARGS={text} cannot be split into arguments: {problem}.") from None


def _inventory(text: str) -> str:
    """The user's inventory as ansible-playbook understands it from any folder: a path, or a list with a comma."""
    if "," in text:
        return text
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise UserError(f"INVENTORY={text}: there is no such file or folder ({path}). No lab was started.")
    if not os.access(path, os.R_OK):
        raise UserError(f"INVENTORY={text} cannot be read. No lab was started.")
    return str(path)


def diagnose(request: Request) -> int:
    """Set up what is missing, then diagnose. The playbook's exit status."""
    for sentence in setup.prepare_machine(environment.USE, for_lab=not request.inventory):
        say(f"    {sentence}")
    if not request.inventory and (problem := lab_setup.why_not()):
        raise UserError(
            f"{problem[0].upper()}{problem[1:]}. Your own nodes can still be diagnosed: make diagnose INVENTORY=…"
        )
    environment.prepare(environment.USE)
    if request.inventory:
        headline(f"Diagnosing the nodes of {printable(Path(request.inventory))}")
        return _play(request, request.inventory, _settings_for_users_nodes())
    lab_setup.prepare_image()
    with embedded_lab.running(request.nodes, request.topology, request.breakage, keep=request.keep_lab) as inventory:
        headline("Diagnosing the lab")
        return _play(request, inventory, {"ANSIBLE_CONFIG": str(LAB_SETTINGS)})


def _settings_for_users_nodes() -> dict[str, str]:
    """Settings that suit many nodes, unless the user has settings of their own: those are then complete."""
    places = (Path("ansible.cfg"), Path.home() / ".ansible.cfg", Path("/etc/ansible/ansible.cfg"))
    if any(name.startswith("ANSIBLE_") for name in os.environ) or any(place.exists() for place in places):
        return {}
    return {"ANSIBLE_FORKS": "25", "ANSIBLE_PIPELINING": "1"}


def _play(request: Request, inventory: str, settings: Mapping[str, str]) -> int:
    """Run the playbook at the user's terminal. Its exit status."""
    path = f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    argv = [
        venv_program("ansible-playbook"),
        PLAYBOOK,
        "-i",
        inventory,
        "-e",
        json.dumps({"report_dir": str(request.report_dir)}),
    ]
    report = request.report_dir / "report.json"
    earlier = report.stat().st_mtime_ns if report.is_file() else 0
    playbook = subprocess.Popen([*argv, *request.arguments], env={**os.environ, "PATH": path, **settings})
    try:
        status = playbook.wait()
    except KeyboardInterrupt:
        _end(playbook)
        raise
    if report.is_file() and report.stat().st_mtime_ns != earlier:
        say(f"The whole report: {printable(report)}")
    return status


def _end(playbook: subprocess.Popen[bytes]) -> None:
    """Let the playbook end by itself after Ctrl-C, which it has seen too; make it end if it does not."""
    for urge in (None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if urge is not None:
            playbook.send_signal(urge)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            playbook.wait(timeout=PATIENCE if urge else 2)
            return


def _interrupt(_signal: int, _frame: object) -> None:
    """End as on Ctrl-C, so that the lab is taken down."""
    raise KeyboardInterrupt


def main() -> int:
    """Do what the environment asks for. The exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        make_variables.check(os.environ)
        return diagnose(read_request(os.environ))
    except UserError as problem:
        complain(str(problem))
        return problem.status
    except LabError as problem:
        complain(f"The lab: {problem}")
        return problem.exit_code
    except PermissionError as problem:
        where = printable(Path(problem.filename or "."))
        complain(
            f"{where} may not be written by this user. Let its owner run make setup, or use a checkout of your own."
        )
        return 2
    except KeyboardInterrupt:
        complain("Interrupted; nothing of it is left running.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
