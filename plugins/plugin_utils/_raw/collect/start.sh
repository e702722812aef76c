# shellcheck shell=sh
# What the controller puts in front is assigned nowhere here; "a= b=" empties both; lists of words are split on purpose;
# find and pgrep are not everywhere; the trap is for the process that is known now; "do not" is no loop's `do`.
# shellcheck disable=SC2154,SC1007,SC2034,SC2046,SC2086,SC2116,SC2005,SC2015,SC2064,SC2012,SC2009,SC1010,SC2194,SC2030,SC2031
#
# What a node without Python can tell, read by a POSIX shell (dash, busybox ash). It reads and changes nothing, makes no
# file, loads no kernel module, and gives every program a time limit. Passwords of BGP are cut out here, before anything
# leaves the node. The controller puts in front what
# script.py and places.py say, and puts the parts together.
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
# Counters tell of today only by what they grow.
first=$({ grep -H "" /proc/net/stat/nf_conntrack /proc/net/stat/arp_cache /proc/net/stat/ndisc_cache
  grep -H "^TcpExt:" /proc/net/netstat; grep -HE "^(Tcp|Udp):" /proc/net/snmp; grep -HvE "^ *(cali|veth)" /proc/net/dev; grep -H "^oom_kill " /proc/vmstat; } 2>/dev/null | head -c 524288)

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

# Of BIRD's configuration only the statements leave the node that the controller understands, and of comments one remark
# of confd's: a password may stand anywhere else, as a string or a number, under a constant's name, in a file of its own.
# Lines keep their numbers. The controller does the same once more (module_utils/_bird/statements.py): change both or none.
without_passwords() {
  command -v awk >/dev/null 2>&1 || { echo "hold nothing: no awk"; return; }
  tr "\000\r\f\013" "    " | awk '
function add(text) { line = (line == "" ? substr("                ", 1, 2 * (depth - (text == "}"))) : line " ") text }
function put(mark, told, number, most) {
  told = ""; most = 0
  if (mark == "{" && (words[1] == "protocol" || words[1] == "template")) most = 5
  else if ((words[1] in kept) || (words[1] " " words[2] in kept)) most = 32
  for (number = 1; number <= count && number <= most; number++) told = told " " words[number]
  if (secret) told = told " password \"cut\""
  else if (words[1] == "passwords") told = " passwords"
  else if (told == "" && path != "" && count == 2) told = " include \"" path "\""
  else if (told == "" && device != "") told = " krt_tunnel = \"" device "\""
  told = substr(told, 2)
  if (mark == "{") add(told (told == "" ? "" : " ") mark)
  else if (told != "" && mark == "}") { add(told); line = line " }" }
  else if (told != "" || mark == "}") add(told mark)
  if (mark == "{") depth++
  if (mark == "}" && depth) depth--
  begin()
}
function begin() { split("", words); count = secret = tunnel = 0; path = device = "" }
function word(text) {
  if (secret) return
  if (text == "password") { secret = 1; return }
  if (text !~ /^[A-Za-z0-9_.:,()~!=<>+*?|&%\/-]+$/ || length(text) > 64) text = "_"
  if (index(text, "krt_tunnel")) tunnel = 1
  if (count < 32) words[++count] = text
}
function string(text) {
  if (secret) return
  if (count == 1 && words[1] == "include" && text ~ /^[A-Za-z0-9_.:+*@%=\/ -]+$/) path = text
  if (tunnel && words[count] ~ /=$/ && text ~ /^[A-Za-z0-9_.-]+$/ && length(text) < 16) device = text
  if (count < 32) words[++count] = "\"cut\""
}
function plain(text, parts, number, size) {
  size = split(text, parts, " ")
  for (number = 1; number <= size; number++) word(parts[number])
}
BEGIN {
  size = split("router id,listen bgp,neighbor,local,source,multihop,passive,disabled,direct,ttl,hold,keepalive", pieces, ",")
  for (number = 1; number <= size; number++) kept[pieces[number]] = 1
  begin()
}
NR > 1 { print line; line = "" }
length($0) > 65536 { put(""); plain("hold too_long_a_line_and_all_below_it"); exit }
{
  gsub(/\/\*|\*\/|[;{}"#\047]/, "\n&\n")
  size = split($0, pieces, "\n")
  for (number = 1; number <= size; number++) {
    piece = pieces[number]
    if (comment) { if (piece == "*/") comment = 0 }
    else if (piece == "/*") comment = 1
    else if (piece == ";" || piece == "{" || piece == "}") put(piece)
    else if (piece == "\047") { if (number + 2 <= size && pieces[number + 2] == piece) { word(pieces[number + 1]); number += 2 } }
    else if (piece == "\"" || piece == "#") {
      text = ""
      for (number++; number <= size && (piece == "#" || pieces[number] != piece); number++) text = text pieces[number]
      if (piece == "\"") string(text)
      else if (text ~ /^[ \t]*IPv[46] disabled on this node/) { sub(/^[ \t]*/, "", text); add("# " substr(text, 1, 26)) }
    }
    else plain(piece)
  }
}
END {
  if (index(line, "#") && (count || secret)) { print line; line = "" }
  put("")
  if (NR) print line
}'
}
