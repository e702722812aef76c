# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.routes_missing

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "routes_missing")
	some place in broken
	msg := concat("", [
		"routes_missing: A pool that needs BGP's routes is kept from BGP (",
		place,
		"). ",
		"Nodes do not learn where the pool's pods are (with IPIP: before Calico 3.33, where Felix makes these routes). ",
		"Remove disableBGPExport; to keep routes from a router, give its BGPPeer a BGPFilter.",
	])
}

broken contains pool.cidr if {
	some pool in calico.pools(resource)
	calico.for_pods(pool)
	pool.export_disabled
	pool.vxlan == "Never"
}
