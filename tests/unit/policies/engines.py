# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies as engines read them: each file of policies/ evaluated on an object, the way its engine is asked."""

from __future__ import annotations

import contextlib
import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "policies"
RULES = sorted(path.stem for path in (POLICIES / "conftest").glob("*.rego"))


def documents(path: Path) -> list[dict[str, Any]]:
    """The objects of a file, those of a List each by itself, as an API server gets them."""
    found = [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]
    return [each for one in found for each in (one["items"] if one.get("kind") == "List" else [one])]


@cache
def of_rule(engine: str, rule: str) -> list[dict[str, Any]]:
    return documents(POLICIES / engine / f"{rule.replace('_', '-')}.yaml")


def there(module: str) -> bool:
    """Whether an engine is installed."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


class Cel:
    """The engine of the Rust crate cel, with the one function of Kubernetes' own that is used."""

    module = "cel"

    def __init__(self) -> None:
        import cel

        self._cel = cel

    def value(self, expression: str, known: dict[str, Any]) -> Any:
        """What an expression yields. Whatever the engine raises where it cannot be evaluated."""
        context = self._cel.Context()
        for name, one in known.items():
            context.add_variable(name, one)
        context.add_function("split", lambda text, sign: text.split(sign))
        return self._cel.evaluate(expression, context)


def is_meant(spec: dict[str, Any], resource: dict[str, Any]) -> bool:
    """What the API server does with matchConstraints: group and resource must be listed."""
    group = resource["apiVersion"].rpartition("/")[0]
    plural = resource["kind"].lower() + "s"
    return any(
        group in row["apiGroups"] and plural in row["resources"] for row in spec["matchConstraints"]["resourceRules"]
    )


def cel_refuses(engine: Any, spec: dict[str, Any], resource: dict[str, Any], old: Any = None) -> list[str]:
    """The messages with which a policy in CEL refuses an object. Errors let it through: failurePolicy is Ignore."""
    if not is_meant(spec, resource):
        return []
    known = {"object": resource, "oldObject": old}
    try:
        if not all(engine.value(one["expression"], known) for one in spec["matchConditions"]):
            return []
    except Exception:  # noqa: BLE001  (each engine has errors of its own)
        return []
    made: dict[str, Any] = {}
    for one in spec.get("variables", ()):
        # A variable that cannot be made is only missed where it is used.
        with contextlib.suppress(Exception):
            made[one["name"]] = engine.value(one["expression"], {**known, "variables": made})
    known["variables"] = made
    messages = []
    for one in spec["validations"]:
        try:
            holds = bool(engine.value(one["expression"], known))
        except Exception:  # noqa: BLE001
            holds = True
        messages += [] if holds else [one["message"]]
    return messages


class _Rego:
    """Modules compiled together, as an engine holds them. entries: paths of rules, package/name."""

    def __init__(self, modules: dict[str, str], entries: list[str]) -> None:
        import regopy

        self._interpreter = regopy.Interpreter()
        for name, text in modules.items():
            self._interpreter.add_module(name, text)
        self._bundle = self._interpreter.build(None, entries)

    def asked(self, entry: str, told: Any) -> list[Any]:
        """What a rule yields for an input."""
        self._interpreter.set_input(told)
        found = self._interpreter.query_bundle_entrypoint(self._bundle, entry)
        if not found.ok():
            raise AssertionError(str(found))
        return list(json.loads(str(found))["expressions"][0])


def _conftest_text(rule: str) -> str:
    return (POLICIES / "conftest" / f"{rule}.rego").read_text(encoding="utf-8")


def _conftest_entry(rule: str) -> str:
    return f"calico/{rule}/{'deny' if chr(10) + 'deny contains' in _conftest_text(rule) else 'warn'}"


@cache
def _conftest() -> _Rego:
    library = (POLICIES / "conftest" / "lib" / "calico.rego").read_text(encoding="utf-8")
    modules = {"lib": library, **{rule: _conftest_text(rule) for rule in RULES}}
    return _Rego(modules, [_conftest_entry(rule) for rule in RULES])


def conftest_refuses(rule: str, resource: dict[str, Any]) -> list[str]:
    """What conftest would print: the messages of deny or of warn."""
    return _conftest().asked(_conftest_entry(rule), resource)


def _source(rule: str) -> dict[str, Any]:
    (template,) = of_rule("gatekeeper/templates", rule)
    source: dict[str, Any] = template["spec"]["targets"][0]["code"][0]["source"]
    return source


def _gatekeeper_entry(rule: str) -> str:
    return f"{_source(rule)['rego'].partition(chr(10))[0].removeprefix('package ').strip()}/violation"


@cache
def _gatekeeper() -> _Rego:
    libraries = {text for rule in RULES for text in _source(rule)["libs"]}
    assert len(libraries) == 1
    modules = {"lib": libraries.pop(), **{rule: _source(rule)["rego"] for rule in RULES}}
    return _Rego(modules, [_gatekeeper_entry(rule) for rule in RULES])


def gatekeeper_refuses(rule: str, resource: dict[str, Any], old: Any = None, operation: str = "CREATE") -> list[str]:
    """What Gatekeeper would answer: the constraint's match first, then the template's violations."""
    (constraint,) = of_rule("gatekeeper/constraints", rule)
    group = resource["apiVersion"].rpartition("/")[0]
    rows = constraint["spec"]["match"]["kinds"]
    if not any(group in row["apiGroups"] and resource["kind"] in row["kinds"] for row in rows):
        return []
    review = {"object": resource, "oldObject": old, "operation": operation}
    told = _gatekeeper().asked(_gatekeeper_entry(rule), {"review": review, "parameters": {}})
    return [one["msg"] for one in told]
