# shellcheck shell=sh
# Functions of the persistent shell, sent once a session. POSIX sh: dash, bash and busybox ash.
# Set before: RN, a random word that frames every answer.
LC_ALL=C
export LC_ALL
unset BASH_ENV ENV CDPATH
IFS='
 	'
RM=$(umask)
RU=$(id -u)
if [ "$RU" = 0 ]; then RD=/var/lib/runner; else RD=${XDG_STATE_HOME:-${HOME:-/tmp}/.local/state}/runner; fi
RB=-
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r RB </proc/sys/kernel/random/boot_id; fi
RX=0
RS=0
RE=
RR=
RY=
RH=
RP=$$
RL=0

# The end of a command's output is a line on both streams, with exit code and RS. It is written as late as possible,
# that of the last command together with the end of the answer: each write costs a packet.
# re CODE: a command ended. rn: the next one begins. rd: the answer ends.
re() { RX=$1; RE="E $1 $RS"; }
rn() {
  if [ -n "$RE" ]; then
    printf '\n%s %s\n' "$RN" "$RE" >&2
    printf '\n%s %s\n' "$RN" "$RE"
  fi
  RE=
}
rd() {
  printf '\n%s %s D\n' "$RN" "$RE" >&2
  printf '\n%s %s D\n' "$RN" "$RE"
  RE=
}
# rp CODE: what comes before the first command failed with it.
rp() {
  # shellcheck disable=SC2034  # read by the scripts that follow
  RX=$1
  RE="P $1 0"
}

# rc CODE: a code, without the process that "(exit CODE)" costs.
rc() { return "$1"; }

# rj CODE: the end of a command that came from a playbook. It may have left a process behind which holds this shell's
# output and could write into the answers that follow: then RS is 1, and the shell is not used again. Looked at are
# the processes that are new since rg, which stands before the command, or all when there are too many.
rg() { read -r rw rw rw rw RL 2>/dev/null </proc/loadavg; }
rj() {
  RS=0
  if read -r rw rw rw rw rl 2>/dev/null </proc/loadavg; then
    ri=$RL
    if [ "$rl" -lt "$ri" ] || [ "$rl" -gt "$((ri + 500))" ]; then
      for rp in /proc/[0-9]*; do [ "$rp" = "/proc/$$" ] || rh "$rp"; done
    else
      while [ "$ri" -lt "$rl" ]; do
        ri=$((ri + 1))
        rh "/proc/$ri"
      done
    fi
  fi
  re "$1"
}
# shellcheck disable=SC3013  # -ef is in dash, bash and busybox ash
rh() {
  [ -d "$1" ] || return 0
  if [ "$1/fd/1" -ef "/proc/$$/fd/1" ] || [ "$1/fd/2" -ef "/proc/$$/fd/1" ]; then RS=1; fi
  if [ "$1/fd/1" -ef "/proc/$$/fd/2" ] || [ "$1/fd/2" -ef "/proc/$$/fd/2" ]; then RS=1; fi
}

# receive FILE BYTES SHA256: what follows on standard input. "R" asks the controller for it. All of it is taken even
# when there is no room (tee goes on), since the rest would be read as commands. The sum is made on the way.
# A head that reads ahead, as that of busybox does, would swallow commands: then "W" asks for the bytes alone, and "T"
# for what follows.
receive() {
  if [ -z "$RH" ]; then
    RH=W
    case $(head --version 2>/dev/null) in *'GNU coreutils'*) RH=R ;; esac
  fi
  printf '\n%s %s\n' "$RN" "$RH"
  umask 077
  # Five times as fast where it is there; coreutils do without the processor's own instructions.
  rk=sha256sum
  if command -v openssl >/dev/null; then rk='openssl dgst -sha256 -r'; fi
  # shellcheck disable=SC2086  # a command and its words
  rw=$(head -c "$2" | tee "$1" | $rk)
  umask "$RM"
  if [ "$RH" = W ]; then printf '\n%s T\n' "$RN"; fi
  if [ "${rw%% *}" = "$3" ] && [ "$(wc -c <"$1")" -eq "$2" ] 2>/dev/null; then return 0; fi
  # First gone, then told: when the line is lost, telling ends this shell.
  discard "$1"
  echo "what arrived in $1 is not what was sent" >&2
  return 1
}

# discard FILE: removes what could not be finished, and says so when the disk is full: not every shell does.
discard() {
  rk=$1
  # shellcheck disable=SC2046  # words of the last line
  set -- $(df -P "$1" 2>/dev/null | tail -n 1)
  rm -f "$rk"
  if [ "${4:-1}" = 0 ]; then echo "No space left on $6" >&2; fi
}

# flush FILE: its bytes are on the disk when this returns. Programs without that option write all files back.
flush() {
  if [ -z "$RY" ]; then
    RY=all
    case $(sync --help 2>&1) in *FILE*) RY=one ;; esac
  fi
  if [ "$RY" = one ]; then sync "$1"; else sync; fi
}

# rundir RUN: the run's own folder on this host, readable by its owner only.
rundir() {
  [ "$RR" = "$1" ] && return 0
  umask 077
  mkdir -p "$RD/runs/$1/detached" "$RD/runs/$1/captures" || { umask "$RM"; return 1; }
  umask "$RM"
  RR=$1
}

# RP is the process that does the work: this shell, or one apart from it for a detached unit.
# started RUN UNIT, finished RUN UNIT CODE: the record that outlives the controller, a line each.
started() { rundir "$1" && printf '%s started %s %s\n' "$2" "$RB" "$RP" >>"$RD/runs/$1/units"; }
finished() { printf '%s finished %s\n' "$2" "$3" >>"$RD/runs/$1/units"; }

# unit RUN UNIT: what is known of a unit whose result never reached the controller.
unit() {
  rs=''
  rf=''
  # A last line without its end was being written when the host went down; it is there all the same.
  for rw in $(grep -h "^$2 " "$RD/runs/$1/units" 2>/dev/null | tr ' ' '|'); do
    ra=${rw#*|}
    case $ra in started*) rs=${ra#*|}; rf='' ;; finished*) rf=${ra#*|} ;; esac
  done
  if [ -z "$rs" ]; then echo never_started
  elif [ -n "$rf" ]; then echo "finished $rf"
  elif [ "${rs%|*}" = "$RB" ] && kill -0 "${rs#*|}" 2>/dev/null; then echo running
  else echo interrupted; fi
}

# fence RUN: makes sure that no earlier connection of the run still acts here. A command that runs makes it "busy";
# a shell without one is ended, since what was sent to it may still be on the way.
fence() {
  rf=''
  ra=''
  # shellcheck disable=SC2013  # paths under /proc have no blanks
  for rs in $(grep -l "RUNNER_RUN=$1" /proc/[0-9]*/environ 2>/dev/null); do
    grep -q "RUNNER_LINE=$RUNNER_LINE" "$rs" 2>/dev/null || rf="$rf ${rs%/environ}"
  done
  rw=clear
  for rs in $rf; do
    # Between two commands a detached step has no child, and works all the same.
    rk=$(grep " started $RB ${rs#/proc/}\$" "$RD/runs/$1/units" 2>/dev/null | tail -n 1)
    if [ -n "$rk" ] && [ "$(unit "$1" "${rk%% *}")" = running ]; then rw=busy; fi
    read -r rl <"$rs/stat" 2>/dev/null || continue
    rl=${rl##*) }
    rl=${rl#* }
    case " $rf " in
      *" /proc/${rl%% *} "*) rw=busy ;;
      *) ra="$ra ${rs#/proc/}" ;;
    esac
  done
  # shellcheck disable=SC2086  # process ids, split on purpose
  if [ "$rw" = clear ] && [ -n "$ra" ]; then kill -9 $ra 2>/dev/null; fi
  echo "$rw"
}

# lock RUN OWNER LEASE REPLACED: takes this host for a run: "held" or "other RUN|OWNER|SINCE|LEASE AGE". A lock of the same
# run, or of the run REPLACED, is taken over. Seconds; AGE is since its run was last heard of.
lock() {
  rl=$RD/lock
  # A user without rights sees the lock of root, too.
  if [ "$RU" != 0 ] && [ -r /var/lib/runner/lock ]; then rl=/var/lib/runner/lock; fi
  umask 022
  mkdir -p "$RD" || { umask "$RM"; return 1; }
  if [ "$RU" = 0 ]; then chmod 711 "$RD"; fi
  rk="$1|$2|$(date +%s)|$3"
  rs=0
  if ! (set -C && printf '%s\n' "$rk" >"$rl") 2>/dev/null; then
    rw=
    read -r rw <"$rl" || true
    case ${rw%%|*} in
      "$1" | "$4" | '') printf '%s\n' "$rk" >"$rl.$$" && mv -f "$rl.$$" "$rl" || rs=1 ;;
      *) printf 'other %s %s\n' "$rw" "$(($(date +%s) - $(stat -c %Y "$rl")))"; rs=2 ;;
    esac
  fi
  umask "$RM"
  case $rs in 0) echo held ;; 1) return 1 ;; esac
}
# renew RUN, unlock RUN: "held" while the lock is this run's.
renew() {
  rw=
  read -r rw <"$RD/lock" 2>/dev/null || true
  if [ "${rw%%|*}" = "$1" ]; then touch "$RD/lock" && echo held; else echo "lost ${rw%%|*}"; fi
}
unlock() {
  rw=
  read -r rw <"$RD/lock" 2>/dev/null || true
  if [ "${rw%%|*}" = "$1" ]; then rm -f "$RD/lock"; fi
}

# remove_tree PATH: removes a path with all that is in it. A file system that is mounted there is neither emptied nor unmounted.
remove_tree() {
  if [ -d "$1" ] && [ ! -L "$1" ] && [ -r /proc/self/mountinfo ]; then
    rw=$(cd "$1" && pwd -P) || return 1
    rw=$(rw=$rw awk '{
      point = $5
      gsub(/\\040/, " ", point); gsub(/\\011/, "\t", point); gsub(/\\012/, "\n", point); gsub(/\\134/, "\\", point)
      if (point == ENVIRON["rw"] || index(point, ENVIRON["rw"] "/") == 1) printf " %s", point
    }' /proc/self/mountinfo)
    if [ -n "$rw" ]; then echo "$1 is not removed, because file systems are mounted there:$rw. Unmount them first." >&2; return 1; fi
  fi
  rm -rf "$1"
}

# capture RUN PATH NAME: a copy that keeps owner, mode and time. Folders above 100 MiB are refused.
capture() {
  rundir "$1" || return 1
  rc=$RD/runs/$1/captures/$3
  if [ -d "$2" ] && [ ! -L "$2" ]; then
    rk=$(du -sk "$2") || return 1
    if [ "${rk%%[!0-9]*}" -gt 102400 ]; then echo "$2 is larger than 100 MiB" >&2; return 1; fi
  fi
  if [ -e "$2" ] || [ -L "$2" ]; then
    rm -rf "$rc" && cp -a "$2" "$rc" || return 1
    # It must be there after a power cut, too.
    if [ -L "$rc" ]; then :; elif [ -f "$rc" ]; then flush "$rc"; else sync; fi
  fi
}

# keep RUN NAME …: the copies that are small files, as a line NAME and a line of base64 each.
keep() {
  rc=$RD/runs/$1/captures
  shift
  for rk in "$@"; do
    if [ -f "$rc/$rk" ] && [ ! -L "$rc/$rk" ] && [ "$(wc -c <"$rc/$rk")" -le 65536 ]; then
      echo "$rk"
      base64 <"$rc/$rk" | tr -d '\n'
      echo
    fi
  done
}

# tree_sum PATH: one sum of the names, kinds, modes, owners and contents below a directory, or "absent".
tree_sum() {
  if [ ! -d "$1" ]; then echo absent; return 0; fi
  (
    cd "$1" || exit 1
    {
      find . -exec stat -c '%n %f %u %g' {} + | sort
      find . -type f -exec sha256sum {} + | sort
      find . -type l -exec readlink {} \; | sort
    } | sha256sum
  )
}

# publish TEMPORARY PATH MODE OWNER GROUP: gives the new file its owner and mode, then its name.
# Empty values are taken from the file that is replaced, if there is one.
publish() {
  if [ -e "$2" ]; then
    rw=$(stat -L -c '%a %u %g' "$2") || return 1
    ro=${rw#* }
    chmod "${3:-${rw%% *}}" "$1" || return 1
    if [ "$RU" = 0 ] || [ -n "$4$5" ]; then chown "${4:-${ro% *}}:${5:-${ro#* }}" "$1" || return 1; fi
  else
    chmod "${3:-644}" "$1" || return 1
    if [ -n "$4$5" ]; then chown "$4${5:+:$5}" "$1" || return 1; fi
  fi
  flush "$1" && mv -f "$1" "$2"
}

# file_state PATH: type, mode, ids, names, size, time, then checksum or link target.
file_state() {
  if [ -L "$1" ]; then
    stat -c 'link|%a|%u|%g|%U|%G|%s|%Y' "$1" && readlink "$1"
  elif [ -d "$1" ]; then
    stat -c 'directory|%a|%u|%g|%U|%G|%s|%Y' "$1"
  elif [ -f "$1" ]; then
    stat -c 'file|%a|%u|%g|%U|%G|%s|%Y' "$1" && sha256sum "$1"
  elif [ -e "$1" ]; then
    stat -c 'other|%a|%u|%g|%U|%G|%s|%Y' "$1"
  else
    # Absent is an answer only where the folder could be looked into.
    rp=$1
    while [ "$rp" != / ] && [ "$rp" != "${rp%/*}" ]; do
      rp=${rp%/*}
      rp=${rp:-/}
      if [ -e "$rp" ]; then
        if [ -d "$rp" ] && [ ! -x "$rp" ]; then echo "no permission to look into $rp" >&2; return 2; fi
        break
      fi
    done
    echo absent
  fi
}

# attend RUN UNIT: waits while a detached unit runs, then gives its output.
attend() {
  while [ "$(unit "$1" "$2")" = running ]; do sleep 1; done
  rc=$RD/runs/$1/detached/$2
  cat "$rc.out" && cat "$rc.err" >&2
}

# end_shell PID WORD: ends a shell and all it started, known by descent or by the word in their environment.
# TERM first, KILL after a moment; says "ended", or the processes that are left.
end_shell() {
  for rk in TERM KILL; do
    (kill_tree "$1" "$rk")
    rl=$(marked "$2")
    # shellcheck disable=SC2086  # process ids, split on purpose
    kill "-$rk" "$1" $rl 2>/dev/null
    ri=0
    while [ "$ri" -lt 20 ]; do
      [ -d "/proc/$1" ] || [ -n "$(marked "$2")" ] || { echo ended; return 0; }
      ri=$((ri + 1))
      sleep 0.1 2>/dev/null || { sleep 1; ri=20; }
    done
  done
  echo "left: $(marked "$2")"
}
# marked WORD: processes with RUNNER_SHELL=WORD in their environment.
marked() {
  # shellcheck disable=SC2013  # paths under /proc have no blanks
  for rs in $(grep -l "RUNNER_SHELL=$1" /proc/[0-9]*/environ 2>/dev/null); do
    rs=${rs%/environ}
    echo "${rs#/proc/}"
  done
}

# kill_tree PID SIGNAL: all descendants of the process, not the process itself.
kill_tree() {
  for rs in /proc/[0-9]*/stat; do
    read -r rl <"$rs" 2>/dev/null || continue
    rp=${rl%% *}
    rl=${rl##*) }
    rl=${rl#* }
    if [ "${rl%% *}" = "$1" ]; then
      # In a subshell, which keeps the variables of this level.
      (kill_tree "$rp" "$2")
      kill "-$2" "$rp" 2>/dev/null
    fi
  done
  return 0
}
