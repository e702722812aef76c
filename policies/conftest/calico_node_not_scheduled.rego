# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.calico_node_not_scheduled

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "calico_node_not_scheduled")
	some place in broken
	msg := concat("", [
		"calico_node_not_scheduled: calico-node does not tolerate every taint (",
		place,
		"). ",
		"Tainted nodes get no calico-node: no routes, no policies, and no BGP sessions with them. ",
		"Add the tolerations {effect: NoSchedule, operator: Exists} and {effect: NoExecute, operator: Exists}.",
	])
}

tolerates(effect) if {
	some one in resource.spec.template.spec.tolerations
	one.operator == "Exists"
	calico.get(one, "key", "") == ""
	calico.get(one, "effect", "") in {"", effect}
}

broken contains effect if {
	count(calico.agents(resource)) > 0
	some effect in ["NoSchedule", "NoExecute"]
	not tolerates(effect)
}
