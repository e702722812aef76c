# shellcheck shell=sh
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
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
      seen=no
      for file in "$socket" "/var/run/calico/$program.ctl" "/var/snap/microk8s/current/var/run/calico/$program.ctl"; do
        [ -S "$file" ] && seen=yes
      done
      [ -n "$base" ] && [ -n "$pid" ] && [ $seen = no ] && fact "hidden_socket$tab$family"
      ask "$base" "$socket" show protocols all
      section "birdcl$suffix-protocols.txt" "$code" "$said"
      sessions="$sessions$nl$said"
      given_to=$(printf "%s\n" "$said" | sed -n -e "/ Kernel .* up /,/^ *\$/{" -e "s/^\([0-9]\{4\}-\)\{0,1\}\([^ ]*\) *Kernel .*/n \2/p" \
        -e "s/^.*Routes: .* \([0-9]*\) exported.*/r \1/p" -e "}")
      count=0
      for number in $(printf "%s\n" "$given_to" | sed -n "s/^r //p"); do count=$((count + number)); done
      given_to=$(echo $(printf "%s\n" "$given_to" | sed -n "s/^n \([A-Za-z0-9_]*\)\$/\1/p" | head -n 8))
      [ $count -gt 0 ] && kernels="$kernels$family$tab${suffix:-4}$tab-$base$tab$socket$tab$given_to$tab$count$nl"
    fi
  elif [ -S "$socket" ]; then
    fact "bird$tab$family$tab$socket${tab}no_client"
  else
    fact "bird$tab$family$tab$socket${tab}absent"
  fi
  for base in $bases; do
    base=${base%/}
    [ -f "$base$config" ] && [ -r "$base$config" ] || continue
    written "$program.cfg" "$base" "$config"
    folder=${config%/*}
    for name in $(sed -n 's/^ *include  *"\([^"]*\)".*/\1/p' "$base$config" 2>/dev/null | head -n 32); do
      case $name in /*) path=$name ;; *) path=$folder/$name ;; esac
      if [ -f "$base$path" ] && [ -r "$base$path" ]; then written "${path##*/}" "$base" "$path"; else fact "missing$tab$path"; fi
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
      [ -f "$base/var/log/calico/$name/current" ] || { fact "not_regular$tab/var/log/calico/$name/current"; break; }
      log "$name.log" "$base/var/log/calico/$name/current" "/var/log/calico/$name/current"
      break
    done
  done
  # The runtime's copy holds the same lines.
  [ -n "$fresh_logs" ] && return
  file=$(ls -t /var/log/pods/*_calico-node-*/calico-node/*.log 2>/dev/null | head -n 1)
  [ -f "$file" ] && log calico-node.log "$file" "$file"
}

# log NAME FILE PATH: the lines of a log's end that may tell something, if it was written to within the window.
log() {
  at=$(modified "$2")
  fact "file$tab$1$tab$at$tab$3"
  at=${at%.*}
  [ "${at:-0}" -ge $((${began%.*} - log_window)) ] || return
  fresh_logs=yes
  # Of a long log only the end is read: how that begins shows how far it reaches back.
  [ "$(wc -c <"$2")" -gt 262144 ] && fact "begins$tab$3$tab$(tail -c 262144 "$2" | sed -n "2{s/$tab/ /g;p;q;}" | cut -c 1-32)"
  text=$(tail -c 262144 "$2" | grep -F -e "$bird_words" |
    sed 's/\([Pp]assword\|[Ss]ecret\).*/\1 …/')
  section "$1" 0 "$text"
}

fresh_logs= kernels= sessions= peers=$more_peers signed=no ports=179
bird ipv4 bird "$pid4" "" "$socket4"
bird ipv6 bird6 "$pid6" 6 "$socket6"
logs
