# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.typha_port_blocked

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "typha_port_blocked")
	some place in broken
	msg := concat("", [
		"typha_port_blocked: Failsafe ports are given without Typha's (",
		place,
		"). ",
		"A list that is given replaces Felix' own one; a policy for host endpoints then cuts Felix and confd off from Typha, so that nothing that could repair the policy arrives any more. ",
		"Add {protocol: TCP, port: 5473} to failsafeInboundHostPorts and failsafeOutboundHostPorts, or leave them out.",
	])
}

broken contains key if {
	calico.is_a(resource, "FelixConfiguration")
	some key in ["failsafeInboundHostPorts", "failsafeOutboundHostPorts"]
	calico.has(resource.spec, key)
	not calico.lists_port(resource.spec[key], {5473})
}
