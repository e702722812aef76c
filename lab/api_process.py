# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that serves the lab's API and its controller: starting it, telling whether it serves.

It carries the lab's marker in its environment, so that `down` ends it like everything else of the lab.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LabError
from .machine import PATH
from .processes import MARKER, Process
from .topology import topology

if TYPE_CHECKING:
    from .state import State

LIMIT = 60.0
_DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
FILE, LOG, KUBECONFIG = "api.json", "api.log", "kubeconfig"
_ROOT = Path(__file__).resolve().parents[1]
# Calico's own schemas, where they are at hand; without them custom resources are stored unjudged.
SCHEMAS = "NETMEDIC_LAB_SCHEMAS"
_SCHEMAS = _ROOT.parent / "shared" / "calico" / "crds"
_PROGRAM = Path(__file__).with_name("api") / "__main__.py"


def available() -> bool:
    """Whether there is an API to start."""
    return _PROGRAM.is_file()


def start(state: State) -> subprocess.Popen[bytes] | None:
    """Start it and return at once, None if there is none; the machines may still be on their way."""
    if not available():
        return None
    state.path(FILE).unlink(missing_ok=True)
    environment = {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": os.environ.get("HOME", "/root"),
        "PYTHONDONTWRITEBYTECODE": "1",
        MARKER: str(state.directory),
    }
    schemas = os.environ.get(SCHEMAS) or (str(_SCHEMAS) if _SCHEMAS.is_dir() else "")
    if schemas:
        environment[SCHEMAS] = schemas
    with open(os.open(state.path(LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        return subprocess.Popen(
            [_python(), "-m", "lab.api", "--state", str(state.directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=_ROOT,
            env=environment,
        )


def _python() -> str:
    """The virtual environment's Python where there is one: it has what reads YAML."""
    made = _ROOT / ".venv" / "bin" / "python"
    return str(made) if made.exists() else sys.executable


def missing(state: State, process: subprocess.Popen[bytes]) -> str:
    """Words while it does not serve or calico-node is not ready, for `waiting.until`; LabError if it has ended."""
    if process.poll() is not None:
        raise LabError(f"the API's process ended with {process.returncode}: {_last_words(state)}")
    if described(state) is None:
        return "it does not serve yet"
    from . import api_client  # which needs this module

    agent = topology(state.read("lab.json")["topology"]).agent
    status = api_client.Client(state).get(f"{_DAEMONSETS}/{agent}").get("status") or {}
    wanted, ready = status.get("desiredNumberScheduled", -1), status.get("numberReady", 0)
    return "" if wanted == ready else f"{ready} of {wanted} calico-node pods are ready"


def _last_words(state: State) -> str:
    try:
        lines = state.path(LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "no word of it"
    return lines[-1] if lines else "no word of it"


def described(state: State) -> dict[str, Any] | None:
    """{"server", "kubeconfig"} of a lab's API that runs, else None."""
    found = state.read(FILE)
    if not isinstance(found, dict) or Process.of(int(found.get("pid") or 0)) is None:
        return None
    server = str(found.get("server") or found.get("url") or "")
    return {"server": server, "kubeconfig": str(state.path(KUBECONFIG))}


def is_as_wanted(state: State) -> bool:
    """Whether it runs, or there is none to run."""
    return not available() or described(state) is not None
