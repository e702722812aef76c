# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does for a node what confd does: render, check, install, tell BIRD; with confd's own behaviour when the check fails.

A file that fails `bird -p` is not installed if there is an older one: BIRD then goes on with what it has. The words in
/var/log/calico/confd/current are confd's.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from .bird_config import CONFIG_DIRECTORY, MAIN
from .services import CONFD_LOG, CONTAINER_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .machine import Machine

# The main files by the service that reads them.
_MAIN = {f"{stem}.cfg": stem for stem in MAIN.values()}


def apply(machine: Machine, rendered: Mapping[str, str]) -> bool:
    """Install the files that differ and make BIRD read them; False if the check failed and the old ones were kept."""
    directory = machine.file(CONTAINER_ROOT + CONFIG_DIRECTORY)
    refused = False
    changed = {name: text for name, text in rendered.items() if _text(directory / name) != text}
    # The included files go first, as they do with confd: each is a target of its own.
    for name, text in sorted(changed.items(), key=lambda item: item[0] in _MAIN):
        staged = directory / f".{name}{time.time_ns() % 10**10}"
        staged.write_text(text, encoding="utf-8")
        if name in _MAIN and not _passes(machine, _MAIN[name], f"{CONFIG_DIRECTORY}/{staged.name}"):
            if (directory / name).exists():
                staged.unlink()
                refused = True
                continue
            log(machine, "WARNING", "Check failed, but file does not yet exist - create anyway")
        staged.replace(directory / name)
        log(machine, "INFO", f"Target config {CONFIG_DIRECTORY}/{name} has been updated")
        hang_up(machine, name.partition(".")[0].partition("_")[0])
    return not refused


def _passes(machine: Machine, program: str, path: str) -> bool:
    """BIRD's own check, with the files at the place where BIRD's container sees them."""
    check = f"{program} -p -c {path}"
    show = f"mount --bind {CONTAINER_ROOT}/etc/calico /etc/calico"
    done = machine.exec(["unshare", "--mount", "sh", "-c", f"{show} && exec {check}"], check=False)
    if done.returncode:
        # JSON's quoting is that of Go's %q for what BIRD says
        log(machine, "ERROR", f"Error from checkcmd {json.dumps(check)}: {json.dumps(done.stdout + done.stderr)}")
        log(machine, "ERROR", f"Config check failed: exit status {done.returncode}")
    return done.returncode == 0


def hang_up(machine: Machine, service: str = "bird") -> None:
    """Tell BIRD to read its configuration; like confd's `sv hup bird || true`, a failure is of no consequence."""
    machine.sv("hup", service, check=False)


def log(machine: Machine, level: str, message: str) -> None:
    """Append a line to confd's log, in the form and with the time stamp that calico-node's svlogd gives it."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 100000):05d}"
    logged = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"
    with open(machine.file(f"{CONFD_LOG}/current"), "a", encoding="utf-8") as file:
        file.write(f"{stamp} {logged} [{level}][45] confd/resource.go 321: {message}\n")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
