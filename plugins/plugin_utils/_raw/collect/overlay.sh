# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- other nodes, where BIRD tells of none: by tunnels and by Felix's routes ---

present=
for device in $vxlan_devices; do [ -d "/sys/class/net/$device" ] && present="$present|$device"; done
said=
if [ -n "$present" ]; then
  if has bridge; then
    heard bridge fdb show
    said=$(printf "%s\n" "$said" | grep -E " dev (${present#|}) .*dst " | head -n 20000)
    section bridge-fdb.txt "$code" "$said"
    fact "fdb$tab$code"
  else fact "fdb${tab}no_program"; fi
fi
# Of WireGuard's peers nothing but their endpoints is asked for.
case $sessions in *"Neighbor address:"*) ;; *)
  peers="$peers $(printf "%s\n" "$said" | sed -n "s/^.* dst \([0-9A-Fa-f:.]*\) .*/\1/p" | grep -vE "^(2[23][0-9][.]|ff|0[.]0|::\$)")"
  has ip && peers="$peers $({ limited ip route show proto 80; limited ip -6 route show proto 80; } 2>/dev/null |
    grep -vE " dev (vxlan|flannel|wireguard|wg-)| via fe80:" | sed -n "s/^.* via \([0-9A-Fa-f:.]*\) .*/\1/p")"
  for device in $wireguard_devices; do
    [ -d "/sys/class/net/$device" ] || continue
    if has wg; then
      heard wg show "$device" endpoints
      section wg-endpoints.txt "$code" "$(printf "%s\n" "$said" | sed -n "s/^.*${tab}\([][0-9A-Fa-f:.%]*\)\$/$device$tab\1/p" | head -n 10000)"
      fact "wg$tab$device$tab$code"
    else fact "wg$tab$device${tab}no_program"; fi
  done ;;
esac
