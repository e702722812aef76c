# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD as texts tell of it: what its client printed, and its configuration; the same records as on a node."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from ...module_utils._bird import config, control, daemon, discovery
from ...module_utils._facts.bgp import note_config, note_spoken
from ...module_utils._facts.bgp_daemon import Look
from . import bird_protocols, node_told, stand_ins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...module_utils._bird.discovery import Daemon, Installation
    from ...module_utils._facts.sources import Sources
    from ...module_utils._host.processes import ProcessTable
    from .node_told import Told

_SUFFIX = {"ipv4": "", "ipv6": "6"}
# What `timeout` and the shell's own watch return for a program that they ended.
_TIMED_OUT = ("124", "137", "143")
_SAYS = (
    ("No such file", control.ABSENT),
    ("refused", control.REFUSED),
    ("temporarily unavailable", control.NO_ANSWER),
    ("ermission denied", control.DENIED),
)


def looks(
    texts: Mapping[str, str],
    told: Told,
    processes: ProcessTable,
    installation: Installation,
    now: float,
    sources: Sources,
) -> list[Look]:
    """Return one look at each family's BIRD, noting its sources as on a node."""
    return [_look(family, texts, told, processes, installation, now, sources) for family in _SUFFIX]


def _look(
    family: str,
    texts: Mapping[str, str],
    told: Told,
    processes: ProcessTable,
    installation: Installation,
    now: float,
    sources: Sources,
) -> Look:
    found = discovery.find_daemon(family, processes, installation, "", node_told.NOWHERE)
    name = "bird_socket_" + family
    spoken = sources.guard(name, lambda: _spoken(found, texts, told, now), daemon.NOT_UNDERSTOOD)
    if spoken.sessions is not None and not told.is_raw and not (spoken.status and spoken.status.state):
        # Who collects by hand often leaves `show status` out.
        sources.ok(name, f"asked through {spoken.via}; its status is in no text")
        sources.unread(name, spoken.unread, spoken.unread_of)
    else:
        note_spoken(spoken, name, [spoken.socket], sources)
    name = "bird_config_" + family
    on_disk = sources.guard(name, lambda: _on_disk(family, texts, told, now), None)
    note_config(on_disk, "", name, [place.path for place in found.configs], sources)
    return Look(found, spoken, on_disk)


def _spoken(found: Daemon, texts: Mapping[str, str], told: Told, now: float) -> daemon.Spoken:
    suffix = _SUFFIX[found.family]
    status = texts.get(f"birdcl{suffix}-status.txt", "")
    protocols = texts.get(f"birdcl{suffix}-protocols.txt", "")
    rows = {row[0]: row for row in told.rows("bird", 4)}
    path, code, asked = rows.get(found.family, ["", f"/var/run/calico/bird{suffix}.ctl", "", ""])[1:4]
    state, detail = _state(found, code, status or protocols)
    questions = ((daemon.STATUS, status), (daemon.PROTOCOLS, protocols))
    replies = [control.Reply(question, 0, text) for question, text in questions if text.strip()]
    exchange = control.Exchange(state, detail, "", replies if state == control.ANSWERS else [])
    if not protocols.strip() and not told.is_raw:
        in_its_place = stand_ins.spoken(found.family, texts, path)
        if in_its_place is not None:
            if in_its_place.sessions is not None and status.strip():
                in_its_place = in_its_place._replace(status=bird_protocols.parse(status).value.status)
            return stand_ins.with_routes(in_its_place, found.family, texts)
    via = "birdcl" if state == control.ANSWERS else ""
    spoken = daemon.understand(path, via, exchange)._replace(at=node_told.number(asked) or now)
    if spoken.sessions is None or told.is_raw:
        return spoken
    # People also collect it without `all`: peers are then known by their protocols' names.
    printed = bird_protocols.parse(f"{status}\n{protocols}").value
    # Prompts and the like, which people copy with it, are nothing that BIRD said.
    unread = [(problem.line, problem.text) for problem in bird_protocols.parse(protocols).problems]
    spoken = spoken._replace(
        sessions=list(printed.sessions),
        status=spoken.status or printed.status,
        unread_of=daemon.PROTOCOLS,
        unread=unread,
    )
    return stand_ins.with_routes(spoken, found.family, texts)


def _state(found: Daemon, code: str, said: str) -> tuple[str, str]:
    """Return what the client's exit status and words mean, as control.ask() would put it."""
    shown = " ".join(said.split())[:120]
    if code in _TIMED_OUT:
        return control.NO_ANSWER, "does not answer in time"
    if code == "no_client":
        if found.process is None:
            return control.REFUSED, "exists, but no BIRD runs"
        return control.DENIED, "could not be asked: there is neither birdcl nor birdc"
    for words, state in _SAYS if code not in ("", "0") or said.startswith("Unable to connect") else ():
        if words in said:
            return state, shown
    if code == "absent" or not said.strip():
        return control.ABSENT, "does not exist"
    if code not in ("", "0"):
        return control.DENIED, shown or f"exit status {code}"
    return control.ANSWERS, ""


def _on_disk(family: str, texts: Mapping[str, str], told: Told, now: float) -> daemon.OnDisk | None:
    main = f"bird{_SUFFIX[family]}.cfg"
    if main not in texts:
        return None
    files = {row[0]: row for row in told.rows("file", 3)}
    times: list[float] = []

    def read(path: str) -> str | None:
        name = main if path == shown else os.path.basename(path)
        if name in files:
            times.append(node_told.number(files[name][1]) or 0.0)
        return texts.get(name)

    shown = files.get(main, ["", "", main])[2]
    parsed = config.parse(shown, read)
    # Somebody who collects texts may leave the included files out: that does not mean that the node lacks them.
    missing = [path for path in parsed.missing if [path] in told.rows("missing", 1)]
    return daemon.OnDisk(shown, parsed._replace(missing=missing), max(times, default=now)) if parsed.files else None
