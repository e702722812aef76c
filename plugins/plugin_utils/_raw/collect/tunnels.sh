# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- programs beside netfilter, and what tunnel devices leave to others: what `ip` does not print ---

# Filters of traffic control, on what may lead to other nodes or to the first few pods.
if has tc; then
  heard tc qdisc show
  fact "tc$tab$code"
  hooked=$(printf "%s\n" "$said" | sed -n "s/^qdisc \(clsact\|ingress\) .* dev \([^ ]*\) .*/\1 \2/p" | grep -vE " (veth|lo\$|docker|br-)" | head -n 40)
  [ -n "$hooked" ] && section tc-filters.txt 0 "$(printf "%s\n" "$hooked" | while read -r kind device; do
    for way in ingress egress; do
      [ "$kind$way" = ingressegress ] && continue
      echo "dev $device $way"
      limited tc filter show dev "$device" "$way" 2>/dev/null | grep "^filter " | cut -c 1-300 | head -n 64
    done
  done)"
fi

for device in $tunnel_devices; do
  [ -d "/sys/class/net/$device" ] || continue
  if has ethtool; then
    fact "offload$tab$device$tab$(limited ethtool -k "$device" 2>/dev/null | sed -n "s/^tx-checksumming: *//p")"
  else fact "offload$tab$device"; fi
done
