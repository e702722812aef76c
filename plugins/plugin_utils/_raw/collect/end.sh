# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- the end ---

# A wrong BGP password shows as counters that grow: a dialler repeats its SYN within this time.
if [ $signed = yes ] && [ -n "${troubled# }" ]; then
  passed=$(($(date +%s) - counted_at)); [ $passed -lt 3 ] && sleep $((3 - passed))
  show netstat-later.txt grep "^TcpExt:" "$net/netstat"
  fact "counted$tab$(($(date +%s) - counted_at))"
fi
# A queue says something only if it is there still after a while.
if printf "%s\n" "$table" | grep -E "^ *[0-9]+: ($pattern|[0-9A-F]+:[0-9A-F]+ ($pattern)) " |
  grep -qE "^ *[0-9]+: [^ ]+ [^ ]+ 0[^A] ([0-9A-F]*[1-9A-F][0-9A-F]*:[0-9A-F]+ 04|[0-9A-F]+:[0-9A-F]*[1-9A-F])"; then
  passed=$(($(date +%s) - looked_at)); [ $passed -lt 1 ] && sleep 1
  section proc-net-tcp-later.txt 0 "$(seen)"
  fact "looked_again$tab$(($(date +%s) - looked_at))"
fi
fact "ended$tab$(now)"
section raw-node.txt 0 "# netmedic.calico raw-node 1$nl$told"
printf "\n%s.\n" "$mark"
