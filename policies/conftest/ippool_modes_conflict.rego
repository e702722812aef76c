# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.ippool_modes_conflict

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "ippool_modes_conflict")
	some place in broken
	msg := concat("", [
		"ippool_modes_conflict: A pool has encapsulations that do not go together (",
		place,
		"). ",
		"Calico refuses the object, or, where it was written past its API, encapsulates in neither way. ",
		"Set one of ipipMode and vxlanMode, and the other one to Never; IPv6 has VXLAN only.",
	])
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	pool.ipip != "Never"
	pool.vxlan != "Never"
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	contains(pool.cidr, ":")
	pool.ipip != "Never"
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	resource.kind == "IPPool"
	"LoadBalancer" in pool.uses
	{pool.ipip, pool.vxlan} != {"Never"}
}
