# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.host_endpoint_policy

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "host_endpoint_policy")
	some place in broken
	msg := concat("", [
		"host_endpoint_policy: Failsafe ports are given without BGP's (",
		place,
		"). ",
		"A list that is given replaces Felix' own one; a policy for host endpoints then cuts every BGP session of the hosts that it is for. ",
		"Add {protocol: TCP, port: 179} to failsafeInboundHostPorts and failsafeOutboundHostPorts, or leave them out.",
	])
}

broken contains key if {
	calico.is_a(resource, "FelixConfiguration")
	some key in ["failsafeInboundHostPorts", "failsafeOutboundHostPorts"]
	calico.has(resource.spec, key)
	not calico.lists_port(resource.spec[key], {179})
}
