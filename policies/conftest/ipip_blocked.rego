# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.ipip_blocked

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "ipip_blocked")
	some place in broken
	msg := concat("", [
		"ipip_blocked: IPIP is used in Azure (",
		place,
		"). ",
		"BGP sessions come up, and no packet between pods of different nodes arrives. ",
		"Use VXLAN.",
	])
}

broken contains pool.cidr if {
	resource.spec.kubernetesProvider == "AKS"
	some pool in calico.pools(resource)
	calico.for_pods(pool)
	pool.ipip != "Never"
}
