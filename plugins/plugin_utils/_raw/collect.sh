# shellcheck shell=sh
# What the controller puts in front is assigned nowhere here; "a= b=" empties both; lists of words are split on purpose;
# find and pgrep are not everywhere; the trap is for the process that is known now; "do not" is no loop's `do`.
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
#
# What a node without Python can tell, read by a POSIX shell (dash, busybox ash). It reads and changes nothing, makes no
# file, loads no kernel module, and gives every program a time limit. Passwords of BGP are cut out here, before anything
# leaves the node. The controller puts in front: mark_a, mark_b, seconds, log_window, probe, more_peers, socket4, socket6.
LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin
export LC_ALL PATH
exec </dev/null 4>&1
mark=$mark_a$mark_b
tab=$(printf "\t")
nl="
"
told=
# With fractions where the programs know them (coreutils), else whole seconds (busybox).
now() { date +%s.%N | grep "^[0-9][0-9.]*$" || date +%s; }
began=$(now)

has() { command -v "$1" >/dev/null 2>&1; }
fact() { told="$told$*$nl"; }

# Old busybox wants `timeout -t`, some systems have none: then the shell itself keeps watch.
if timeout -s KILL 9 true >/dev/null 2>&1; then
  limited() { timeout -s KILL "$seconds" "$@"; }
else
  limited() {
    "$@" <&0 & child=$!
    { sleep "$seconds" & nap=$!; trap "kill $nap" TERM; wait $nap && kill -9 $child; } >/dev/null 2>&1 3>&- 4>&- &
    dog=$!
    wait $child; code=$?
    kill $dog 2>/dev/null
    return $code
  }
fi

# section NAME STATUS TEXT: something already read.
section() { printf "\n%s> %s\n%s\n%s< %s\n" "$mark" "$1" "$3" "$mark" "$2"; }

# show NAME COMMAND…: what a program prints, as it comes.
show() {
  printf "\n%s> %s\n" "$mark" "$1"; shift
  code=$({ { limited "$@" 2>/dev/null 3>&-; echo $? >&3; } | head -c 33554432 >&4; } 3>&1)
  printf "\n%s< %s\n" "$mark" "$code"
}

# heard COMMAND…: sets `said` and `code`.
heard() {
  said=$({ limited "$@" 2>&1; echo "code=$?"; } | head -c 33554432)
  code=${said##*code=}; said=${said%code=*}
}

modified() { stat -L -c %.Y "$1" 2>/dev/null | grep "^[0-9][0-9.]*$" || stat -L -c %Y "$1" 2>/dev/null || date -r "$1" +%s 2>/dev/null; }

# A statement that gives a password goes to its semicolon outside of quotes; what is not plain is cut with all that follows.
without_passwords() {
  sed -e '/[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]/{' -e 's/^\([^"#]*#\).*/\1/' -e ':more' \
    -e '/password[^";]*\("[^"]*"[^";]*\)*;/!{' -e '/password/{' -e '/\n.*\n.*\n.*\n/!{' -e '$!{' -e N -e 'b more' \
    -e '}' -e '}' -e '}' -e '}' \
    -e 's/[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]/%%/' \
    -e 's/%%[^";]*\("[^"]*"[^";]*\)*;\([^"#]*\)$/password "cut";\2/' -e 's/%%.*/password "cut";/' \
    -e 's/password "cut";.*[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd].*/password "cut";/' -e '}'
}

# --- who runs ---

here=$(readlink /proc/self/ns/net 2>/dev/null)
container_of() { sed -n 's/.*\([0-9a-f]\{64\}\).*/\1/p' "/proc/$1/cgroup" 2>/dev/null | tail -n 1; }
pid4= pid6= roots= clock= images=
for folder in /proc/[0-9]*; do
  comm=; read -r comm 2>/dev/null <"$folder/comm" || continue
  case $comm in
    calico-node|calico-felix|calico|confd|runsvdir|runsv|svlogd|bird|bird6|chronyd|ntpd|systemd-timesyn|kubelet|containerd|dockerd|crio|NetworkManager|systemd-network) ;;
    *) continue ;;
  esac
  line=; read -r line 2>/dev/null <"$folder/stat" || continue
  pid=${folder#/proc/}
  set -- ${line##*) }
  state=$1 parent=$2 ticks=${20}
  there=$(readlink "$folder/ns/net" 2>/dev/null)
  container=$(container_of "$pid")
  argv=$(tr "\000\n\t" "\t  " 2>/dev/null <"$folder/cmdline")
  config=0; [ -d "$folder/root/etc/calico/confd/config" ] && config=1
  backend=-
  case $comm in
    calico*|confd|runsv*|svlogd|bird|bird6)
      # Only these of a process' environment: others hold credentials.
      if [ -r "$folder/environ" ]; then
        backend=$(tr "\000" "\n" 2>/dev/null <"$folder/environ" | sed -n "s/^CALICO_NETWORKING_BACKEND=//p")
        told="$told$(tr "\000" "\n" 2>/dev/null <"$folder/environ" |
          sed -n "/^\(IP6*\|IP6*_AUTODETECTION_METHOD\|FELIX_[A-Z]*MTUV*6*\|FELIX_MTUIFACEPATTERN\)=/s/^/environ$tab$pid$tab/p")$nl"
      fi ;;
  esac
  fact "process$tab$pid$tab$parent$tab$state$tab$ticks$tab$there$tab$container$tab$config$tab$backend$tab$comm$tab$argv"
  [ -n "$here" ] && [ -n "$there" ] && [ "$here" != "$there" ] && continue
  case $comm in
    chronyd|ntpd|systemd-timesyn) clock=${clock:-$comm}; continue ;;
    kubelet|containerd|dockerd|crio|NetworkManager|systemd-network) continue ;;
  esac
  case "$config $argv" in
    1*|*calico*) ;;
    *) case $comm in calico*) ;; *) continue ;; esac ;;
  esac
  case $comm in
    bird) pid4=$pid ;;
    bird6) pid6=$pid ;;
    *) roots="$roots /proc/$pid/root" ;;
  esac
  case " $images " in *" $container "*) ;; *) images="$images $container" ;; esac
done
# A BIRD that is not Calico's counts only where nothing of Calico is.
if [ -z "$pid4$pid6$roots" ] && [ ! -e /var/run/calico ]; then
  for folder in /proc/[0-9]*; do
    read -r comm 2>/dev/null <"$folder/comm" || continue
    [ "$comm" = bird ] && pid4=${folder#/proc/}
    [ "$comm" = bird6 ] && pid6=${folder#/proc/}
  done
fi
for container in $images; do
  for file in /run/containerd/io.containerd.runtime.v2.task/k8s.io /run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io \
    /var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io /run/containers/storage/overlay-containers \
    /var/lib/docker/containers; do
    for name in config.json userdata/config.json config.v2.json; do
      image=$(grep -o '"\(io.kubernetes.cri.image-name\|io.kubernetes.cri-o.ImageName\|Image\)" *: *"[^"]*"' "$file/$container/$name" 2>/dev/null | head -n 1)
      [ -n "$image" ] && fact "image$tab$image"
    done
  done
done

# --- BIRD: what it says, what is on disk for it, what it logged ---

# option LETTER PID: the value of an option on a command line.
option() {
  tr "\000" "\n" 2>/dev/null <"/proc/$2/cmdline" | {
    while read -r word; do
      case $word in -"$1") read -r word; echo "$word"; break ;; -"$1"*) echo "${word#-"$1"}"; break ;; esac
    done
  }
}

# ask ROOT SOCKET QUESTION…: by the client that is in the container, else by the host's own.
ask() {
  root=$1 socket=$2; shift 2
  for client in birdcl birdc; do
    if [ -n "$root" ]; then heard chroot "$root" "$client" -r -s "$socket" "$@"; else heard "$client" -r -s "$socket" "$@"; fi
    case $code in 125|126|127) ;; *) return 0 ;; esac
  done
  return 1
}

bird() {
  family=$1 program=$2 pid=$3 suffix=$4 given=$5
  socket=$given config=
  if [ -n "$pid" ]; then
    [ -n "$socket" ] || socket=$(option s "$pid")
    config=$(option c "$pid")
  fi
  [ -n "$socket" ] || socket=/var/run/calico/$program.ctl
  [ -n "$config" ] || config=/etc/calico/confd/config/$program.cfg
  bases="${pid:+/proc/$pid/root} $roots /"
  answered=no
  for base in $bases; do
    base=${base%/}
    [ -n "$given" ] && [ -n "$base" ] && continue
    if ask "$base" "$socket" show status; then
      answered=yes
      case $said in *"No such file"*) [ -z "$pid" ] && [ -n "$base" ] && continue ;; esac
      break
    fi
  done
  if [ $answered = yes ]; then
    fact "bird$tab$family$tab$socket$tab$code$tab$(now)"
    section "birdcl$suffix-status.txt" "$code" "$said"
    if [ "$code" = 0 ]; then
      ask "$base" "$socket" show protocols all
      section "birdcl$suffix-protocols.txt" "$code" "$said"
      sessions="$sessions$nl$said"
    fi
  elif [ -S "$socket" ]; then
    fact "bird$tab$family$tab$socket${tab}no_client"
  else
    fact "bird$tab$family$tab$socket${tab}absent"
  fi
  for base in $bases; do
    base=${base%/}
    [ -r "$base$config" ] || continue
    written "$program.cfg" "$base" "$config"
    folder=${config%/*}
    for name in $(sed -n 's/^ *include  *"\([^"]*\)".*/\1/p' "$base$config" 2>/dev/null | head -n 32); do
      case $name in /*) path=$name ;; *) path=$folder/$name ;; esac
      if [ -r "$base$path" ]; then written "${path##*/}" "$base" "$path"; else fact "missing$tab$path"; fi
    done
    break
  done
}

# written NAME ROOT PATH: one file of a configuration.
written() {
  text=$(head -c 16777216 "$2$3" | without_passwords)
  fact "file$tab$1$tab$(modified "$2$3")$tab$3"
  section "$1" 0 "$text"
  peers="$peers $(printf "%s\n" "$text" | sed -n 's/.*neighbor  *\([0-9A-Fa-f:.]*\) .*/\1/p')"
  case $text in *password*) signed=yes ;; esac
  port=$(printf "%s\n" "$text" | sed -n 's/^ *listen bgp.* port  *\([0-9][0-9]*\).*/\1/p' | head -n 1)
  [ -n "$port" ] && ports="$ports $port"
}

logs() {
  for name in bird bird6 confd; do
    for base in "" ${pid4:+/proc/$pid4/root}; do
      [ -r "$base/var/log/calico/$name/current" ] || continue
      log "$name.log" "$base/var/log/calico/$name/current" "/var/log/calico/$name/current"
      break
    done
  done
  file=$(ls -t /var/log/pods/*_calico-node-*/calico-node/*.log 2>/dev/null | head -n 1)
  [ -n "$file" ] && log calico-node.log "$file" "$file"
}

# log NAME FILE PATH: the lines of a log's end that may tell something, if it was written to within the window.
log() {
  at=$(modified "$2")
  fact "file$tab$1$tab$at$tab$3"
  at=${at%.*}
  [ "${at:-0}" -ge $((${began%.*} - log_window)) ] || return
  text=$(tail -c 262144 "$2" | grep -e "State changed to" -e "Unexpected connect" -e "Error: " -e "Received: " -e "Hold timer expired" \
    -e "Cannot open listening" -e "Socket error: " -e "Error from checkcmd" -e "Config check failed" -e "Started" -e "Shutting down" \
    -e "Shutdown completed" -e "[.]cfg:" -e "[.]conf:" -e ", line " -e "Reconfigured" -e "has been updated" |
    sed 's/\([Pp]assword\|[Ss]ecret\).*/\1 …/')
  section "$1" 0 "$text"
}

sessions= peers=$more_peers signed=no ports=179
bird ipv4 bird "$pid4" "" "$socket4"
bird ipv6 bird6 "$pid6" 6 "$socket6"
logs

# --- the kernel: counters, sockets, links, ways ---

net=/proc/${pid4:-self}/net
counted_at=$(date +%s)
show netstat.txt grep "^TcpExt:" "$net/netstat"
pattern=
for port in $ports; do pattern="$pattern|[0-9A-F]+:$(printf %04X "$port")"; done
pattern="^ *[0-9]+: (${pattern#|}|[0-9A-F]+:[0-9A-F]+ (${pattern#|})) "
table=$(cat "$net/tcp" "$net/tcp6" 2>/dev/null | grep -E "$pattern")
[ -r "$net/tcp" ] && section proc-net-tcp.txt 0 "$table"
inodes=$(printf "%s\n" "$table" | while read -r _ _ _ st _ _ _ _ _ inode _; do [ "$st" = 0A ] && echo "$inode"; done)
holders() { limited ls -l "$@" 2>/dev/null | grep -E "^/proc/|socket:.($(echo $inodes | tr " " "|"))]"; }
if [ -n "$inodes" ]; then
  holder=
  # Calico's own first: a host has thousands of open files.
  held=$(holders /proc/self/fd ${pid4:+/proc/$pid4/fd} ${pid6:+/proc/$pid6/fd})
  [ "$(echo "$held" | grep -c socket:)" -ge "$(echo "$inodes" | grep -c .)" ] || held=$(holders /proc/[0-9]*/fd)
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
  if [ -n "$peers" ]; then
    case $(ip -V 2>&1) in
      *iproute2*) ways=$(printf "route get %s\n" $peers | limited ip -o -force -batch - 2>/dev/null) ;;
      *) ways=$(for peer in $(printf "%s\n" $peers | head -n 64); do limited ip route get "$peer" 2>/dev/null | head -n 1; done) ;;
    esac
    section ip-route-get.txt 0 "$ways"
    fact "asked$tab$(echo $peers)"
  fi
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

# --- packet filters: only what the kernel has already, for the programs would load it ---

in_kernel() {
  [ ! -e /proc/modules ] || [ -d "/sys/module/$1" ] || grep -q "^$1 " /proc/modules 2>/dev/null ||
    grep -q "/$1[.]ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null
}
saved=
save() {
  heard "$@"
  section "$name-save.txt" "$code" "$said"
  saved="$saved$said"
}
if [ "$(id -u)" = 0 ]; then
  for name in iptables ip6tables; do
    listing=/proc/net/ip_tables_names; [ $name = ip6tables ] && listing=/proc/net/ip6_tables_names
    names=$(echo $(cat $listing 2>/dev/null))
    if [ -n "$names" ]; then
      fact "legacy$tab$name$tab$names"
      if has $name-legacy-save; then save $name-legacy-save -c
      elif has $name-save; then case $($name --version 2>/dev/null) in *nf_tables*) ;; *) save $name-save -c ;; esac; fi
    fi
  done
  if in_kernel nf_tables; then
    fact "nf_tables${tab}yes"
    for name in iptables ip6tables; do
      if has $name-nft-save; then save $name-nft-save -c
      elif has $name-save; then case $($name --version 2>/dev/null) in *nf_tables*) save $name-save -c ;; esac; fi
    done
    if has nft; then
      show nft-ruleset.json nft -j list chains
      limited nft list tables 2>/dev/null | head -n 64 | while read -r _ family table; do
        case "$family $table" in
          "ip "*|"ip6 "*) case " raw mangle nat filter security " in
            *" $table "*) case $saved in *"able \`$table' is incompatible"*) ;; *) [ -n "$saved" ] && continue ;; esac ;;
          esac ;;
        esac
        show nft-ruleset.json nft -j list table "$family" "$table"
      done
    fi
  else
    fact "nf_tables${tab}no"
  fi
  case $saved in *match-set*|*--set*) has ipset && in_kernel ip_set && show ipset.txt ipset save ;; esac
fi

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
section sysctl.txt 0 "$(
  for file in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/conf/*/rp_filter \
    /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max /proc/sys/net/ipv4/tcp_mtu_probing; do
    case $file in */cali*|*/veth*) ;; *) echo "$file" ;; esac
  done | head -n 200 | xargs grep -H "" 2>/dev/null | sed -e "s,^/proc/sys/,," -e "s/:/ = /" -e "y,/.,./,")"

fact "began$tab$began"
fact "uid$tab$(id -u)"
fact "hostname$tab$(uname -n)"
fact "kernel$tab$(uname -r)"
fact "boot$tab$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
fact "uptime$tab$(cat /proc/uptime 2>/dev/null)"
fact "ticks$tab$(getconf CLK_TCK 2>/dev/null || echo 100)"
fact "netns$tab$here"

# A wrong BGP password shows as counters that grow: a dialler repeats its SYN within this time.
if [ $signed = yes ] && [ -n "${troubled# }" ]; then
  passed=$(($(date +%s) - counted_at)); [ $passed -lt 3 ] && sleep $((3 - passed))
  show netstat-later.txt grep "^TcpExt:" "$net/netstat"
  fact "counted$tab$(($(date +%s) - counted_at))"
fi
fact "ended$tab$(now)"
section raw-node.txt 0 "# netmedic.calico raw-node 1$nl$told"
printf "\n%s.\n" "$mark"
