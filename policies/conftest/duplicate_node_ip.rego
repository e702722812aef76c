# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.duplicate_node_ip

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "duplicate_node_ip")
	some place in broken
	msg := concat("", [
		"duplicate_node_ip: Two nodes may have one address (",
		place,
		"). ",
		"BIRD's configuration is refused on all other nodes, which then keep to an old one. ",
		"Remove DISABLE_NODE_IP_CHECK; give each Node an address of its own.",
	])
}

broken contains "DISABLE_NODE_IP_CHECK" if {
	some agent in calico.agents(resource)
	lower(calico.value(agent, "DISABLE_NODE_IP_CHECK", "false")) == "true"
}
