# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a run's variables to the archive."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._gather import parcel
from .._bundle import evidence, write
from .._bundle.spool import Spool
from .._evidence import cluster, inventory, kept, plain, refused
from .._redaction import keyed, share
from .._redaction.redactor import Redactor
from . import archive, contents, index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._bundle.write import NodeSaw
    from .choice import Choice

# What the role registers for each node that it reads.
RESULT = "must_gather_result"
_LARGEST_PARCEL = 256 * 1024 * 1024
_ROOT = Path(__file__).resolve().parents[3]
_LONGEST = 300


class Wished(NamedTuple):
    """What the user asked for. `key` is what the replacements follow from, '' for a random one."""

    directory: str
    asked: index.Asked
    environment: str = ""
    key: str = ""


class Made(NamedTuple):
    """The archive, '' if none was written, its index, and why not: a sentence."""

    path: str
    told: dict[str, Any]
    problem: str = ""


def make(
    hostvars: Mapping[str, Any],
    hosts: Sequence[str],
    report: Mapping[str, Any],
    choice: Choice,
    wished: Wished,
    ansible: str = "",
) -> Made:
    """Write the archive of what is in the variables of all hosts. Raises OSError and share.NotRedactedError."""
    now = datetime.now(timezone.utc)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    saw = evidence.saw(hostvars, hosts)
    told_by_api = cluster.fact_of(hostvars, hosts)
    gathered = {name: _of_node(plain.mapping(hostvars[name].get(RESULT))) for name in choice.nodes}
    if not _anything(saw, told_by_api, gathered):
        return Made("", {}, "Nothing could be gathered: no node was read, and the Kubernetes API told nothing.")
    besides = write.Written(at, wished.environment, told_by_api)
    try:
        held = contents.collect(saw, besides, gathered, wished.asked.max_mb)
    except contents.TooLargeError as error:
        return Made("", {}, str(error))
    came = index.Came(at, _versions(ansible), _came(saw, gathered, held), held.size, len(held.files) + 2)
    told = index.make(wished.asked, choice, came, report)
    files = held.files
    files[index.JSON], files[index.MARKDOWN] = index.as_json(told), index.as_markdown(told)
    name = f"calico-must-gather-{now.strftime('%Y%m%dT%H%M%SZ')}"
    if wished.asked.redact:
        redacted = Redactor(wished.key or keyed.random_key()).texts(files, Spool())
        share.refuse(redacted.leaks)
        return Made(str(archive.write(wished.directory, f"{name}-redacted", redacted.texts)), told)
    return Made(str(archive.write(wished.directory, name, files)), told)


def _of_node(result: Mapping[str, Any]) -> contents.Gathered:
    """Return what one node's task gave."""
    text = result.get("parcel")
    seconds = plain.seconds(result.get("duration_seconds"))
    if isinstance(text, str) and text:
        try:
            return contents.Gathered(parcel.unpacked(text, _LARGEST_PARCEL), "", seconds)
        except ValueError as error:
            return contents.Gathered([], f"what came from the node cannot be read: {error}", seconds)
    if not result:
        return contents.Gathered([], "it was not asked: --limit leaves it out")
    if result.get("unreachable"):
        return contents.Gathered([], f"unreachable: {_said(result)}")
    period = kept.given_up_after(result)
    if period:
        return contents.Gathered([], f"given up on after {period} s (must_gather_node_timeout)")
    from .._raw import fallback

    # The task lets no node's failure cost the others, so that this one is not called one.
    if fallback.lacks_python({**result, "failed": True}):
        return contents.Gathered([], "no usable Python is on it: what its shell told beside the facts is all there is")
    return contents.Gathered([], _said(result) or "the module failed")


def _said(result: Mapping[str, Any]) -> str:
    return refused.without_prefix(" ".join(plain.text(result.get("msg")).split()))[:_LONGEST]


def _anything(
    saw: Mapping[str, NodeSaw], told_by_api: Mapping[str, Any], gathered: Mapping[str, contents.Gathered]
) -> bool:
    reached = bool(told_by_api.get("reached", True)) if told_by_api else False
    return reached or any(one.facts for one in saw.values()) or any(one.outputs for one in gathered.values())


def _came(
    saw: Mapping[str, NodeSaw], gathered: Mapping[str, contents.Gathered], held: contents.Contents
) -> dict[str, index.NodeCame]:
    folders = write.folder_names(saw)
    found = {}
    for name, one in saw.items():
        own = gathered.get(name)
        why = "" if one.facts else _short(one.result) or "it was not asked"
        kernel = plain.text(plain.mapping(one.facts.get("calico_node")).get("kernel"))
        if own is None:
            found[name] = index.NodeCame(folders[name], bool(one.facts), why, kernel)
            continue
        found[name] = index.NodeCame(
            folders[name], bool(one.facts), why, kernel, held.outputs[name], own.problem, own.seconds
        )
    return found


def _short(result: Mapping[str, Any]) -> str:
    """Return why there are no facts, in the words of the diagnosis."""
    return " ".join(inventory.why_not_read({kept.RESULT: result})[0].split())


def _versions(ansible: str) -> dict[str, str]:
    found = {"ansible-core": ansible} if ansible else {}
    version = _own_version()
    return {"netmedic.calico": version, **found} if version else found


def _own_version() -> str:
    """Return this collection's version: of an installed one from its manifest, of a checkout from galaxy.yml."""
    try:
        told = json.loads((_ROOT / "MANIFEST.json").read_text(encoding="utf-8"))
        return plain.text(plain.mapping(plain.mapping(told).get("collection_info")).get("version"))
    except (OSError, ValueError):
        pass
    try:
        lines = (_ROOT / "galaxy.yml").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("version:")), "")


def lines(made: Made) -> list[str]:
    """Return what is told on the terminal."""
    told = made.told
    found = [f"Archive  {made.path}", f"API      {index.api_words(told['api'])}"]
    read = [one for one in told["nodes"] if "read_because" in one]
    whole = [one for one in read if one.get("outputs")]
    facts = sum(one["facts"] for one in told["nodes"])
    found.append(f"Nodes    facts of {facts} of {len(told['nodes'])}, outputs and logs of {len(whole)}")
    found += [f"         {one['node']}: {index.counted(one)} ({one['read_because']})" for one in read]
    found += [f"         {one['node']}: no facts: {one['why_no_facts']}" for one in told["nodes"] if not one["facts"]]
    over = told["not_read"]["over_the_limit"]
    if over:
        found.append(f"         {len(over)} more were not read (must_gather_max_nodes): {', '.join(over[:10])}")
    first = next(iter(told["diagnosis"]["findings"]), None)
    found.append(f"Verdict  {told['diagnosis']['verdict']}" + (f"; {plain.text(first['summary'])}" if first else ""))
    return found
