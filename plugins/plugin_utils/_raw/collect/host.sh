# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- the clock, the host ---

case $clock in
  chronyd) has chronyc && show chronyc-tracking.txt chronyc -c -n -m tracking sources ;;
  ntpd) has ntpq && show ntpq.txt ntpq -n -c rv -p ;;
  systemd-timesyn) has timedatectl && show timedatectl.txt timedatectl timesync-status --no-pager
    at=$(modified /run/systemd/timesync/synchronized); [ -n "$at" ] && fact "timesync$tab$at" ;;
esac

for file in /var/lib/calico/nodename /var/snap/microk8s/current/var/lib/calico/nodename; do
  [ -r $file ] && { fact "nodename$tab$(head -c 256 $file | head -n 1)"; break; }
done
for file in /var/lib/calico/mtu /var/snap/microk8s/current/var/lib/calico/mtu; do
  [ -r $file ] && { fact "mtu$tab$(head -c 64 $file | head -n 1)"; break; }
done
for folder in /etc/cni/net.d /var/lib/rancher/k3s/agent/etc/cni/net.d /var/lib/rancher/rke2/agent/etc/cni/net.d \
  /var/snap/microk8s/current/args/cni-network; do
  for file in "$folder"/*.conf "$folder"/*.conflist; do [ -r "$file" ] && echo "$file"; done | sort
done | head -n 1 | {
  read -r file && section cni.txt 0 "$file$nl$(grep -o '"mtu" *: *[^,}]*' "$file" | head -n 1)"
}
for file in /etc/os-release /usr/lib/os-release; do
  [ -r $file ] && { show os-release.txt cat $file; break; }
done
section uname.txt 0 "$(uname -a)"
# Of pods' interfaces only those that do not forward are told.
section sysctl.txt 0 "$({
  for file in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/tcp_mtu_probing /proc/sys/net/netfilter/nf_conntrack_count \
    /proc/sys/net/netfilter/nf_conntrack_max /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal \
    /proc/sys/net/ipv[46]/neigh/default/gc_thresh3 \
    /proc/sys/net/ipv[46]/conf/*/forwarding /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/promote_secondaries; do
    case $file in */cali*|*/veth*|*/default/[fpr]*) ;; *) echo "$file" ;; esac
  done | head -n 1000 | xargs grep -H ""
  grep -H "^0" /proc/sys/net/ipv[46]/conf/cali*/forwarding | head -n 1000
} 2>/dev/null | sed -e "s,^/proc/sys/,," -e "s/:/ = /" -e "y,/.,./,")"

fact "began$tab$began"
fact "uid$tab$(id -u)"
fact "hostname$tab$(uname -n)"
fact "kernel$tab$(uname -r)"
fact "boot$tab$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
fact "uptime$tab$(cat /proc/uptime 2>/dev/null)"
fact "ticks$tab$(getconf CLK_TCK 2>/dev/null || echo 100)"
fact "netns$tab$here"
fact "zone$tab$(date +%z)"
for file in $runtime_sockets; do [ -S "$file" ] && fact "socket$tab$file"; done
