# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.installation_bgp_conflict

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "installation_bgp_conflict")
	some place in broken
	msg := concat("", [
		"installation_bgp_conflict: The Installation's pool needs BGP, and BGP is disabled (",
		place,
		"). ",
		"The operator refuses the Installation and rolls nothing out. ",
		"Set calicoNetwork.bgp to Enabled, or the pool's encapsulation to VXLAN or VXLANCrossSubnet.",
	])
}

by_felix if startswith(resource.spec.calicoNetwork.clusterRoutingMode, "Felix")

broken contains pool.cidr if {
	resource.kind == "Installation"
	resource.spec.calicoNetwork.bgp == "Disabled"
	not by_felix
	some pool in calico.pools(resource)
	pool.vxlan == "Never"
}
