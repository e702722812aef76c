# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.configuration_name_ignored

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "configuration_name_ignored")
	some place in broken
	msg := concat("", [
		"configuration_name_ignored: A configuration has a name that Calico takes no notice of (",
		place,
		"). ",
		"Nothing of what it says holds, and nothing tells so. ",
		"Call it default, or node.NODENAME for one node.",
	])
}

taken if resource.metadata.name == "default"

taken if startswith(resource.metadata.name, "node.")

taken if {
	resource.kind == "FelixConfiguration"
	resource.spec.nodeSelector
}

broken contains resource.metadata.name if {
	some kind in ["BGPConfiguration", "FelixConfiguration"]
	calico.is_a(resource, kind)
	not taken
}
