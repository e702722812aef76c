# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as SARIF 2.1.0: what code scanning shows beside the lines of a file.

A finding whose object or rule stands in a file of a bundle (its `location`) has the file's path and line; all others
have the node or the object as a logical location.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .clean import clean
from .terminal import few, place

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/netmedic/calico"
BASE = "BUNDLE"
BASE_SAYS = "The evidence bundle that was analysed."
_LEVELS = {"critical": "error", "major": "error", "minor": "warning", "info": "note"}
_KINDS = {"not_a_fault": "informational"}
_PLACES = 100


def sarif(report: Mapping[str, Any], base: str = BASE, base_says: str = BASE_SAYS) -> str:
    """The whole file. base: what the paths of locations are relative to, and base_says what that is. KeyError,
    TypeError or AttributeError for what is no whole report."""
    told = clean(report)
    found = [item for item in told["findings"] if item["role"] != "consequence" and not item.get("guess")]
    rules: dict[str, int] = {}
    for item in found:
        rules.setdefault(item["fault"], len(rules))
    first = {item["fault"]: item for item in reversed(found)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "netmedic.calico",
                "informationUri": HOME,
                "rules": [_rule(first[fault]) for fault in rules],
            }
        },
        "originalUriBaseIds": {base: {"description": {"text": base_says}}},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": told["generated_at"]}],
        "results": [_result(item, rules[item["fault"]], base) for item in found],
        "columnKind": "unicodeCodePoints",
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(item: Mapping[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": item["fault"],
        "name": "".join(word.capitalize() for word in item["fault"].replace(":", "_").split("_")),
        "shortDescription": {"text": item["title"] or item["fault"]},
        "defaultConfiguration": {"level": _LEVELS.get(item["severity"], "none")},
        "properties": {"family": item["family"]},
    }
    if item["means"]:
        rule["fullDescription"] = {"text": item["means"]}
    if item["fix"]["text"]:
        rule["help"] = {"text": item["fix"]["text"]}
    if ":" not in item["fault"]:
        rule["helpUri"] = f"{HOME}/blob/main/{item.get('help') or 'docs/faults/' + quote(item['fault']) + '.md'}"
    return rule


def _result(item: Mapping[str, Any], index: int, base: str) -> dict[str, Any]:
    at_fault = place(item["where"])
    text = item["summary"] or item["title"] or item["fault"]
    result: dict[str, Any] = {
        "ruleId": item["fault"],
        "ruleIndex": index,
        "message": {"text": f"{text} ({at_fault})" if at_fault else text},
        "locations": _locations(item, base),
        "partialFingerprints": {"faultAndPlace/v1": f"{item['fault']}@{','.join(item['nodes'])}@{_object(item)}"},
        "properties": {
            "severity": item["severity"],
            "role": item["role"],
            "confidence": item["confidence"],
            "nodes": item["nodes"][:_PLACES],
            "fix": "\n".join([item["fix"]["text"], *item["fix"]["commands"]]).strip(),
        },
    }
    kind = _KINDS.get(item["role"])
    # Anything but a failure has no level, and no rank.
    if kind:
        result.update(kind=kind, level="none")
    else:
        result.update(level=_LEVELS.get(item["severity"], "none"), rank=round(item["confidence"] * 100, 1))
    if item["waived"]:
        result["suppressions"] = [{"kind": "external", "justification": item["waived"]["reason"]}]
    return result


def _object(item: Mapping[str, Any]) -> str:
    return str(item["where"].get("object", ""))


def _locations(item: Mapping[str, Any], base: str) -> list[dict[str, Any]]:
    logical = [{"fullyQualifiedName": name, "kind": "resource"} for name in item["nodes"][:_PLACES]]
    if _object(item):
        field = item["where"].get("field")
        name = f"{_object(item)}.{field}" if field else _object(item)
        logical.insert(0, {"fullyQualifiedName": name, "kind": "member" if field else "object"})
    where: dict[str, Any] = {}
    if item.get("location"):
        where["physicalLocation"] = {
            "artifactLocation": {"uri": quote(item["location"]["file"]), "uriBaseId": base},
            "region": {"startLine": item["location"]["line"]},
        }
    if logical:
        where["logicalLocations"] = logical
    if where and len(item["nodes"]) > _PLACES:
        where["message"] = {"text": f"and more: {few(item['nodes'])}"}
    return [where] if where else []
