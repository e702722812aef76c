# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule in the languages of policy engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.model import ACCEPT

if TYPE_CHECKING:
    from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.model import Rule
    from scripts.policy_sources import Source

NOTE = "Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit."
PREFIX = "netmedic-calico"
SEVERITY = "lint.netmedic.calico/severity"
_CALICO = ("projectcalico.org", "crd.projectcalico.org")
# Groups and plural of each kind.
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "IPPool": (_CALICO, "ippools"),
    "BGPConfiguration": (_CALICO, "bgpconfigurations"),
    "BGPPeer": (_CALICO, "bgppeers"),
    "FelixConfiguration": (_CALICO, "felixconfigurations"),
    "Installation": (("operator.tigera.io",), "installations"),
    "DaemonSet": (("apps",), "daemonsets"),
    "Deployment": (("apps",), "deployments"),
    "StatefulSet": (("apps",), "statefulsets"),
}
COMMON = {
    "pools": (
        "object.kind == 'IPPool' ? [object.spec] : object.kind == 'Installation' && has(object.spec.calicoNetwork) && "
        "has(object.spec.calicoNetwork.ipPools) ? object.spec.calicoNetwork.ipPools : []"
    ),
    "sized": "variables.pools.filter(p, has(p.cidr) && p.cidr.matches('^[0-9a-fA-F:.]+/[0-9]{1,3}$'))",
    # Pods get their addresses from Calico: by default not in the clouds' own clusters.
    "ours": (
        "has(object.spec.cni) && has(object.spec.cni.type) ? object.spec.cni.type == 'Calico' : "
        "!has(object.spec.kubernetesProvider) || !(object.spec.kubernetesProvider in ['AKS', 'EKS', 'GKE'])"
    ),
    "agents": (
        "object.kind == 'DaemonSet' ? object.spec.template.spec.containers.filter(c, c.name == 'calico-node') : []"
    ),
}


class _Dumper(yaml.SafeDumper):
    """Long texts folded, several lines as they are, items of lists under their key's column."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Everything is written out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  (PyYAML's own)
        """Items are indented."""
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else ">" if len(value) > 90 else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dumped(*documents: dict[str, Any]) -> str:
    """The one document of a file, with the note above it; several become a List."""
    one = documents[0] if len(documents) == 1 else {"apiVersion": "v1", "kind": "List", "items": list(documents)}
    text = yaml.dump(one, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    return f"# {NOTE}\n# yamllint disable rule:line-length\n---\n{text}"


def dashed(rule: str) -> str:
    """A rule's id as names of objects are written."""
    return rule.replace("_", "-")


def says(rule: Rule) -> str:
    """What a person reads whose object is refused."""
    return f"{rule.id}: {rule.title}. {rule.why} {rule.fix}"


def denies(rule: Rule) -> bool:
    """Whether it refuses, or only warns."""
    return rule.severity in ("major", "critical")


def _metadata(rule: Rule) -> dict[str, Any]:
    return {"name": f"{PREFIX}-{dashed(rule.id)}", "annotations": {SEVERITY: rule.severity}}


def variables(source: Source) -> dict[str, str]:
    """What a rule's expressions need, in the order in which it is made."""
    known = {**COMMON, **source.variables}
    texts = " ".join(one for each in source.cel.values() for one in each)
    needed: set[str] = set()
    while found := {name for name in known if f"variables.{name}" in texts} - needed:
        needed |= found
        texts = " ".join([texts, *(known[name] for name in found)])
    return {name: expression for name, expression in known.items() if name in needed}


def expressions(source: Source) -> list[str]:
    """All expressions; each is true for objects of other kinds."""
    one_kind = len(source.cel) == 1
    return [
        expression if one_kind else f"object.kind != '{kind}' || ({expression})"
        for kind, listed in source.cel.items()
        for expression in listed
    ]


def conditions(rule: Rule) -> list[dict[str, str]]:
    """When an object is looked at: not where somebody accepts the rule, nor where its specification stays as it is."""
    told = f"object.metadata.annotations['{ACCEPT}']"
    accepted = (
        f"!has(object.metadata.annotations) || !('{ACCEPT}' in object.metadata.annotations) || "
        f"!{told}.matches('(^|[,\\\\s]){rule.id}($|[,\\\\s])')"
    )
    # What an object lacks cannot be compared: that is an error, which lets it through.
    changed = "oldObject == null || !has(oldObject.spec) || object.spec != oldObject.spec"
    return [
        {"name": "has-a-specification", "expression": "has(object.spec)"},
        {"name": "is-changed", "expression": changed},
        {"name": "is-not-accepted", "expression": accepted},
    ]


def _cel_spec(rule: Rule, source: Source) -> dict[str, Any]:
    rows = [
        {
            "apiGroups": list(KINDS[kind][0]),
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": [KINDS[kind][1]],
        }
        for kind in source.cel
    ]
    told = variables(source)
    return {
        # What cannot be evaluated is let through: a policy must never be why a repair cannot be made.
        "failurePolicy": "Ignore",
        "matchConstraints": {"resourceRules": rows},
        "matchConditions": conditions(rule),
        **({"variables": [{"name": name, "expression": text} for name, text in told.items()]} if told else {}),
        "validations": [{"expression": one, "message": says(rule)} for one in expressions(source)],
    }


def vap(rule: Rule, source: Source) -> str:
    """A ValidatingAdmissionPolicy and its binding."""
    actions = ["Deny"] if denies(rule) else ["Warn", "Audit"]
    api = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": _metadata(rule),
        "spec": _cel_spec(rule, source),
    }
    binding = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": _metadata(rule),
        "spec": {"policyName": _metadata(rule)["name"], "validationActions": actions},
    }
    return dumped(policy, binding)


def kyverno(rule: Rule, source: Source) -> str:
    """A ValidatingPolicy of Kyverno."""
    spec = {
        "validationActions": ["Deny"] if denies(rule) else ["Warn", "Audit"],
        **_cel_spec(rule, source),
    }
    policy = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": _metadata(rule),
        "spec": spec,
    }
    return dumped(policy)


def _kind(rule: Rule) -> str:
    return "NetmedicCalico" + "".join(word.capitalize() for word in rule.id.split("_"))


def template(rule: Rule, source: Source, library: str) -> str:
    """A ConstraintTemplate of Gatekeeper, in Rego v1."""
    lines = [
        f"package {_kind(rule).lower()}",
        "import data.lib.calico",
        "resource := input.review.object",
        # Gatekeeper's audit has no operation: what is there is looked at as it is.
        (
            'unchanged if {\n  input.review.operation == "UPDATE"\n'
            '  object.get(input.review.oldObject, "spec", {}) == object.get(resource, "spec", {})\n}'
        ),
        # Where its webhook is told of deletions, it gives what is to go as the object.
        'unchanged if input.review.operation == "DELETE"',
        _head(rule, 'violation contains {"msg": msg}', "  not unchanged\n"),
        source.rego.strip(),
    ]
    code = {
        "engine": "Rego",
        "source": {
            "version": "v1",
            "libs": ["package lib.calico\n\n" + library.replace("\t", "  ")],
            "rego": "\n\n".join(lines) + "\n",
        },
    }
    return dumped(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {
                "name": _kind(rule).lower(),
                "annotations": {"description": f"{rule.title}. {rule.why}", SEVERITY: rule.severity},
            },
            "spec": {
                "crd": {"spec": {"names": {"kind": _kind(rule)}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": [code]}],
            },
        }
    )


def constraint(rule: Rule, source: Source) -> str:
    """The Constraint that has Gatekeeper obey the template."""
    kinds = [{"apiGroups": list(KINDS[kind][0]), "kinds": [kind]} for kind in source.cel]
    return dumped(
        {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": _kind(rule),
            "metadata": _metadata(rule),
            "spec": {"enforcementAction": "deny" if denies(rule) else "warn", "match": {"kinds": kinds}},
        }
    )


def _head(rule: Rule, contains: str, first: str = "") -> str:
    """The rule that an engine asks for: a message for each place that is broken."""
    pieces = [f"{rule.id}: {rule.title} (", None, "). ", f"{rule.why} ", rule.fix]
    told = ["    place," if one is None else f"    {json.dumps(one)}," for one in pieces]
    lines = [f'  not calico.accepted(resource, "{rule.id}")', "  some place in broken", '  msg := concat("", [']
    return "\n".join([f"{contains} if {{", *([first.rstrip()] if first else []), *lines, *told, "  ])", "}"])


def conftest(rule: Rule, source: Source) -> str:
    """A Rego policy for conftest, in a package of its own."""
    lines = [
        f"# {NOTE}",
        f"package calico.{rule.id}",
        "import rego.v1\n\nimport data.lib.calico",
        "resource := input",
        _head(rule, f"{'deny' if denies(rule) else 'warn'} contains msg"),
        source.rego.strip(),
    ]
    return _tabbed("\n\n".join(lines) + "\n")


def conftest_library(library: str) -> str:
    """What conftest's policies share."""
    return f"# {NOTE}\npackage lib.calico\n\nimport rego.v1\n\n{library}"


def _tabbed(rego: str) -> str:
    """Indented as `opa fmt` does."""
    return "\n".join("\t" * ((len(line) - len(line.lstrip(" "))) // 2) + line.lstrip(" ") for line in rego.split("\n"))
