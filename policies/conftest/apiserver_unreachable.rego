# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.apiserver_unreachable

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "apiserver_unreachable")
	some place in broken
	msg := concat("", [
		"apiserver_unreachable: Failsafe ports are given without the API server's (",
		place,
		"). ",
		"A list that is given replaces Felix' own one; a policy for host endpoints then cuts the hosts that it is for off from the Kubernetes API. ",
		"Add {protocol: TCP, port: 6443}, or the port that your API server has, to failsafeOutboundHostPorts.",
	])
}

broken contains "failsafeOutboundHostPorts" if {
	calico.is_a(resource, "FelixConfiguration")
	calico.has(resource.spec, "failsafeOutboundHostPorts")
	not calico.lists_port(resource.spec.failsafeOutboundHostPorts, {443, 6443})
}
