# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.encapsulation_disabled_but_needed

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "encapsulation_disabled_but_needed")
	some place in broken
	msg := concat("", [
		"encapsulation_disabled_but_needed: A pool encapsulates nothing (",
		place,
		"). ",
		"Packets between pods of different nodes are lost wherever the network does not know pods' addresses. ",
		"Use VXLANCrossSubnet or VXLAN (IPIP where it is carried), or accept the rule if the network has the routes.",
	])
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	calico.for_pods(pool)
	pool.ipip == "Never"
	pool.vxlan == "Never"
}
