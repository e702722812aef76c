# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.bird_probe_without_bird

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "bird_probe_without_bird")
	some place in broken
	msg := concat("", [
		"bird_probe_without_bird: A probe asks for BIRD where the backend has none (",
		place,
		"). ",
		"The pods never become ready, or are restarted again and again, and a roll-out stops at the first node. ",
		"Remove the flags -bird-ready and -bird-live from the probes, or set CALICO_NETWORKING_BACKEND to bird.",
	])
}

broken contains probe if {
	some agent in calico.agents(resource)
	calico.value(agent, "CALICO_NETWORKING_BACKEND", "bird") in {"vxlan", "none"}
	some probe in ["readinessProbe", "livenessProbe", "startupProbe"]
	some word in agent[probe].exec.command
	regex.match(`^--?bird6?-(ready|live)$`, word)
}
