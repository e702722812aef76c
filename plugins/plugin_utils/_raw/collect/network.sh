# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
# --- the kernel: counters, sockets, links, ways ---

net=/proc/${pid4:-self}/net
counted_at=$(date +%s)
show netstat.txt grep "^TcpExt:" "$net/netstat"
pattern=
for port in $ports; do pattern="$pattern|[0-9A-F]+:$(printf %04X "$port")"; done
pattern=${pattern#|}
here_too= there_too=
for port in $typha_port $own_ports; do here_too="$here_too|[0-9A-F]+:$(printf %04X "$port")"; done
for port in $typha_port $api_port; do there_too="$there_too|[0-9A-F]+:$(printf %04X "$port")"; done
# seen: the sockets looked for, as the kernel's tables have them.
seen() { cat "$net/tcp" "$net/tcp6" 2>/dev/null | grep -E "^ *[0-9]+: ($pattern$here_too|[0-9A-F]+:[0-9A-F]+ ($pattern$there_too$remotes)) " | head -n 50000; }
table=$(seen); looked_at=$(date +%s)
[ -r "$net/tcp" ] && section proc-net-tcp.txt 0 "$table"
# inodes_of STATES: of sockets in these states; of connections only BGP's.
inodes_of() {
  printf "%s\n" "$table" | grep -E "^ *[0-9]+: ($2) " |
    sed -nE "s/^ *[0-9]+: [^ ]+ [^ ]+ $1 [^ ]+ [^ ]+ [^ ]+ +[0-9]+ +[0-9]+ ([0-9]+).*/\1/p"
}
inodes=$(inodes_of 0A ".*")
likely=$(inodes_of 02 ".*")
# Who else speaks BGP, if there are more connections than sessions.
connected=$(inodes_of 01 "$pattern|[0-9A-F]+:[0-9A-F]+ ($pattern)")
if [ "$(echo "$connected" | grep -c .)" -gt "$(printf "%s\n" "$sessions" | grep -c "BGP state: *Established")" ]; then inodes="$inodes$nl$connected"; fi
holders() { limited ls -l "$@" 2>/dev/null | grep -E "^/proc/|socket:.($(echo $inodes $likely | tr " " "|"))]"; }
inodes=$(printf "%s\n" $inodes)
found=
if [ -n "$inodes$likely" ]; then
  holder=
  # Calico's own first: a host has thousands of open files.
  held=$(holders $(for pid in self $pid4 $pid6 $grouped $certified $keeper; do echo "/proc/$pid/fd"; done | sort -u))
  [ "$(echo "$held" | grep -cE "socket:.($(echo $inodes | tr " " "|"))]")" -ge "$(echo "$inodes" | grep -c .)" ] || held=$(holders /proc/[0-9]*/fd)
  found=$(echo "$held" | while read -r line; do
    case $line in
      /proc/*) holder=${line#/proc/}; holder=${holder%%/*} ;;
      *) inode=${line##*socket:?}; comm=; read -r comm 2>/dev/null <"/proc/$holder/comm"
        echo "holder$tab${inode%?}$tab$holder$tab$comm$tab$(container_of "$holder")" ;;
    esac
  done)
  fact "$found"
fi

peers=$(printf "%s\n" "$sessions" | sed -n 's/^.*Neighbor address: *\([0-9A-Fa-f:.]*\).*/\1/p'; printf "%s\n" $peers)
peers=$(printf "%s\n" $peers | sort -u | head -n 1000)
troubled=$(printf "%s\n" "$sessions" | sed -n -e 's/^.*BGP state: *\([A-Za-z]*\).*/s \1/p' -e 's/^.*Neighbor address: *\([0-9A-Fa-f:.]*\).*/n \1/p' |
  while read -r kind value; do
    case $kind in s) state=$value ;; n) [ "$state" = Established ] || echo "$value" ;; esac
  done | sort -u)
troubled="$troubled $more_peers"
if [ "$probe" = yes ] && has ping; then
  answers=$({
    count=0
    for peer in $troubled; do
      count=$((count + 1)); [ $count -gt 32 ] && break
      {
        answer=$(limited ping -n -c 1 -W 1 "$peer" 2>&1); code=$?
        case $code$answer in 0*) answer=answered ;; *nreachable*) answer=unreachable ;; *) answer=silent ;; esac
        echo "ping$tab$peer$tab$answer"
      } &
    done
    wait
  } 4>&-)
  [ -n "$answers" ] && fact "$answers"
fi

# ask_ways KIND QUESTIONS: sets `ways`; what has none is told with the kernel's words.
ask_ways() {
  ways=$(printf "%s\n" "$2" | limited ip -o -force -batch - 2>/dev/null)
  [ "$(printf "%s\n" "$ways" | grep -c .)" -lt "$(printf "%s\n" "$2" | grep -c .)" ] || return
  fact "$(printf "%s\n" "$2" | limited ip -o -force -batch - 2>&1 >/dev/null | sed -n -e "/answers: /{" -e N \
    -e "s/^.*answers: \(.*\)\nCommand failed -:\([0-9]*\).*/noway$tab$1$tab\2$tab\1/p" -e "}")"
}
source4=$(printf "%s\n" "$sessions" | sed -n "s/^.*Source address: *\([0-9.]*\)\$/\1/p" | head -n 1)
source6=$(printf "%s\n" "$sessions" | sed -n "s/^.*Source address: *\([0-9A-Fa-f]*:[0-9A-Fa-f:.]*\)\$/\1/p" | head -n 1)

# Where BIRD gives more routes to the kernel than this has, BIRD is asked which.
not_in_kernel() {
  [ -n "$kernels" ] && printf "%s" "$kernels" | while IFS=$tab read -r family suffix base socket protocols count; do
    [ "$(limited ip "-${suffix:-4}" route show proto bird 2>/dev/null | grep -c "^[^ ]")" -lt "$count" ] || continue
    for protocol in $protocols; do
      ask "${base#-}" "$socket" show route export "$protocol"
      section "birdcl${suffix#4}-export.txt" "$code" "$said"
    done
  done
}

if has ip; then
  heard ip -j -d addr show
  case $said in
    "["*) section ip-addr.json "$code" "$said" ;;
    *) heard ip -d addr show
      [ "$code" = 0 ] || heard ip addr show
      section ip-addr.txt "$code" "$said" ;;
  esac
  show ip-route.txt ip route show
  show ip-neigh.txt ip neigh show
  show ip6-route.txt ip -6 route show
  # Of the other tables only BIRD's and Felix's routes are asked for.
  for family in 4 6; do
    others=$(limited ip -$family route show table all 2>/dev/null | grep -E "proto (bird|12|80)( .*)? table | table .* proto (bird|12|80)( |\$)" | head -n 10000)
    case $family in 4) name=ip-route.txt ;; *) name=ip6-route.txt ;; esac
    [ -n "$others" ] && section $name 0 "$others"
  done
  not_in_kernel
  rules=
  for family in 4 6; do
    heard ip -N -$family rule show
    [ "$code" = 0 ] || heard ip -$family rule show
    case $family in 4) name=ip-rule.txt ;; *) name=ip6-rule.txt ;; esac
    [ "$code" = 0 ] && { section $name 0 "$said"; rules="$rules$nl$said"; }
  done
  if [ -n "$peers" ]; then
    case $(ip -V 2>&1) in
      *iproute2*)
        if printf "%s\n" "$rules" | grep -qvE "^(0|3276[67]):.from all lookup (local|main|default|25[345]) *\$|^ *\$"; then
          questions=$(for peer in $peers; do
            case $peer in *:*) source=$source6 ;; *) source=$source4 ;; esac
            [ -n "$source" ] && echo "route get $peer from $source ipproto tcp dport 179"
          done)
          ask_ways bgp "$questions"
          fact "asked_bgp$tab$(echo $(printf "%s\n" "$questions" | cut -d " " -f 3))"
          section ip-route-get-bgp.txt 0 "$ways"
        fi
        ask_ways plain "$(printf "route get %s\n" $peers)" ;;
      *) ways=$(for peer in $(printf "%s\n" $peers | head -n 64); do limited ip route get "$peer" 2>/dev/null | head -n 1; done) ;;
    esac
    section ip-route-get.txt 0 "$ways"
    fact "asked$tab$(echo $peers)"
  fi
  # Networks for documentation stand for the world outside; nothing is sent there.
  for address in $outside $(printf "%s\n" "$told" | sed -n "s/^environ$tab.*METHOD=can-reach=\([0-9A-Fa-f:.]*\)\$/\1/p" | sort -u); do
    fact "outward$tab$address$tab$(limited ip route get "$address" 2>/dev/null | sed -n 's/^.* src \([0-9A-Fa-f:.]*\).*/\1/p' | head -n 1)"
  done
fi

# On the link itself no router can answer, so that nothing is left in the kernel's memory of path sizes; behind a router
# nothing is measured. As in a whole mesh of modules, each node looks at the peer that follows it.
carried() { limited ping -n -M do -c 1 -W 1 -s $(($2 - 28)) "$1" >/dev/null 2>&1; }
if [ "$probe" = yes ] && ping -M 2>&1 | grep -q "M <"; then
  for device in $(printf "%s\n" "$ways" | sed -n "/ via /!s/^[0-9.]* dev \([^ ]*\) .*/\1/p" | sort -u | head -n 4); do
    size=$(cat "/sys/class/net/$device/mtu")
    own=$(printf "%s\n" "$ways" | sed -n "/ via /!s/^[0-9.]* dev $device .*src \([0-9.]*\).*/\1/p" | head -n 1)
    ring=$({ printf "%s\n" "$ways" | sed -n "/ via /!s/^\([0-9.]*\) dev $device .*/\1/p"; echo "$own"; } |
      sort -u -t . -k 1,1n -k 2,2n -k 3,3n -k 4,4n)
    before= after=
    for peer in $ring; do
      if [ "$peer" = "$own" ]; then after=" "; elif [ -n "$after" ]; then after="$after $peer"; else before="$before $peer"; fi
    done
    for peer in $(echo $after $before | cut -d " " -f 1-3); do
      limited ping -n -c 1 -W 1 "$peer" >/dev/null 2>&1 || continue
      least=576 most=$size
      if carried "$peer" "$size" || carried "$peer" "$size"; then least=$size; elif ! carried "$peer" $least; then least=0; fi
      while [ $least -gt 0 ] && [ $((most - least)) -gt 1 ]; do
        middle=$(((least + most) / 2))
        if carried "$peer" $middle; then least=$middle; else most=$middle; fi
      done
      fact "path$tab$device$tab$peer$tab$size$tab$least"
      break
    done
  done
fi
