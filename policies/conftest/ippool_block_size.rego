# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.ippool_block_size

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "ippool_block_size")
	some place in broken
	msg := concat("", [
		"ippool_block_size: A pool's blockSize does not fit (",
		place,
		"). ",
		"Nodes get no block of addresses from the pool, and pods no address. ",
		"Choose a blockSize from 20 to 32 (IPv6: 116 to 128) that is no shorter than the pool's own prefix.",
	])
}

limits(pool) := {"least": 116, "most": 128} if contains(pool.cidr, ":")

limits(pool) := {"least": 20, "most": 32} if not contains(pool.cidr, ":")

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	not pool.disabled
	calico.sized(pool)
	pool.block < limits(pool).least
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	not pool.disabled
	calico.sized(pool)
	pool.block > limits(pool).most
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	not pool.disabled
	calico.sized(pool)
	to_number(split(pool.cidr, "/")[1]) > pool.block
}
