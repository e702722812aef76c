# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.ippool_cidr_invalid

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "ippool_cidr_invalid")
	some place in broken
	msg := concat("", [
		"ippool_cidr_invalid: A pool's range cannot be used (",
		place,
		"). ",
		"Calico refuses the pool, or pods get addresses that are valid on one link only. ",
		"Write the whole range with its prefix, as 10.244.0.0/16, outside of 169.254.0.0/16 and fe80::/10.",
	])
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	not calico.sized(pool)
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	regex.match(`^(169[.]254[.]|[fF][eE][89abAB][0-9a-fA-F]:)`, pool.cidr)
}
