# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs beside netfilter, from what `ip -d address` (XDP) and `tc filter show` print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._host.bpf_programs import EGRESS, INGRESS, XDP, Program
from . import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .node import Assembly

FILTERS = "tc-filters.txt"
NO_TC = "Nothing tells which filters of traffic control there are: there is no program tc."
# Only bpf() and bpftool tell of these.
NO_TCX = "Nothing tells which programs are attached by way of tcx, which this kernel may have."
_TCX_SINCE = (6, 6)
_MOST = 64
_RELEASE = re.compile(r"(\d{1,4})\.(\d{1,4})")
_HEAD = re.compile(r"\d{1,10}: ([^\s:@]{1,64})[@:]")
_XDP = re.compile(r"(?:\bxdp\w{0,8}/id:|prog/xdp\w{0,8} id )\d{1,10}(?: name ([^\s]{1,64}))?")
_FILTER = re.compile(r"filter (?:parent \S{1,16} )?protocol \S{1,16} pref \d{1,10} (\S{1,32}) (.*)")
_HANDLE = re.compile(r"\bhandle 0x[0-9a-f]{1,8} (\S{1,256})(?: .*?\bname (\S{1,64}))?")
_NO_NAMES = frozenset(("direct-action", "not_in_hw", "in_hw", "skip_hw", "skip_sw", "bytecode", "flowid", "id", "tag"))


def read(whole: Assembly, interfaces: Iterable[str]) -> list[Program]:
    """Return what is attached to these interfaces. Notes the source ebpf."""
    wanted, sources = set(interfaces), whole.sources["firewall"]
    text = whole.first("ip-addr.json", "ip-addr.txt", "ip-link.json", "ip-link.txt")
    found = [program for program in (*xdp(text), *filters(whole.texts.get(FILTERS, ""))) if program.interface in wanted]
    if whole.told.value("tc") != "0":
        sources.absent("ebpf", NO_TC)
    elif _release(whole.told.value("kernel")) >= _TCX_SINCE:
        sources.absent("ebpf", NO_TCX)
    elif found:
        sources.ok("ebpf")
    return found[:_MOST]


def xdp(text: str) -> Iterator[Program]:
    """Yield the XDP programs by interface; without -d they have no names."""
    if lines.is_json(text):
        value, _why = lines.load_json(text)
        for entry in value if isinstance(value, list) else []:
            attached = entry.get("xdp") if isinstance(entry, dict) else None
            if isinstance(attached, dict) and isinstance(entry.get("ifname"), str):
                program = attached.get("prog")
                name = program.get("name") if isinstance(program, dict) else ""
                yield Program(entry["ifname"], XDP, name[:64] if isinstance(name, str) else "")
        return
    interface = ""
    names: dict[str, str] = {}
    for _number, line in lines.numbered(text):
        head = _HEAD.match(line)
        interface = head.group(1) if head is not None else interface
        match = _XDP.search(line)
        if match is not None and interface:
            names[interface] = match.group(1) or names.get(interface, "")
    yield from (Program(device, XDP, name) for device, name in names.items())


def filters(text: str) -> Iterator[Program]:
    """Yield the filters of a text that names the device and the way before each listing."""
    device, hook = "", ""
    for line in text.splitlines():
        fields = line.split()
        if fields[:1] == ["dev"] and len(fields) == 3:
            device, hook = fields[1], {"ingress": INGRESS, "egress": EGRESS}.get(fields[2], "")
            continue
        match = _FILTER.match(line)
        if match is None or not hook:
            continue
        kind, rest = match.groups()
        handle = _HANDLE.search(rest)
        if kind != "bpf":
            if handle is not None or " fh " in f" {rest}":
                yield Program(device, hook, kind, is_bpf=False)
        elif handle is not None:
            given, name = handle.groups()
            yield Program(device, hook, (name or "") if given in _NO_NAMES else given)


def _release(text: str) -> tuple[int, int]:
    match = _RELEASE.match(text)
    return (int(match.group(1)), int(match.group(2))) if match is not None else (0, 0)
