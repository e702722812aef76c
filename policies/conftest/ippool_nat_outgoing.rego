# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.ippool_nat_outgoing

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "ippool_nat_outgoing")
	some place in broken
	msg := concat("", [
		"ippool_nat_outgoing: A private pool has no outgoing NAT (",
		place,
		"). ",
		"Pods reach nothing outside the cluster unless the network beyond has routes back to them. ",
		"Set natOutgoing (in an Installation: Enabled), or accept the rule if the network has the routes.",
	])
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	calico.for_pods(pool)
	regex.match(`^(10[.]|192[.]168[.]|172[.](1[6-9]|2[0-9]|3[01])[.])`, pool.cidr)
	not pool.nat
}
