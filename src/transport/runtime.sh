# shellcheck shell=sh
# Functions of the session shell, sent once for each session. POSIX sh: dash, bash and busybox ash.
# Every name begins with "rn_", which no playbook uses. Variables are global: "local" is not in POSIX.
# Set before: rn_nonce, a random word that frames every answer.
LC_ALL=C
export LC_ALL
unset BASH_ENV ENV CDPATH
IFS='
 	'
# A command that signals its process group, as "kill 0" does, also signals this shell. Unlike an ignored signal, a handler is
# not inherited. SIGPIPE keeps its default, so that a shell ends at its next output after the connection is lost.
trap : HUP INT QUIT ALRM TERM USR1 USR2
rn_umask=$(umask)
rn_uid=$(id -u)
if [ "$rn_uid" = 0 ]; then rn_dir=/var/lib/runner; else rn_dir=${XDG_STATE_HOME:-${HOME:-/tmp}/.local/state}/runner; fi
rn_boot=-
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r rn_boot </proc/sys/kernel/random/boot_id; fi
# Exit code of the last command, and whether one of its background processes holds the output of this shell.
rn_code=0
rn_shared=0
# The end marker that has not been written yet.
rn_ending=
# The run whose directory exists, the kind of sync(1), and the kind of head(1).
rn_made=
rn_sync=
rn_head=
# The process that runs commands: this shell, or a separate one for a detached unit, which starts commands with rn_setsid.
rn_worker=$$
# shellcheck disable=SC2034  # read by the scripts that follow
rn_setsid=
rn_last_pid=0

# A command's output ends with a marker line on both streams, which has the exit code and rn_shared. It is written as late as
# possible, for the last command together with the end of the answer, because each write costs a packet.
# rn_end CODE: a command ended. rn_next: the next command begins. rn_done: the answer ends.
rn_end() { rn_code=$1; rn_ending="E $1 $rn_shared"; }
rn_next() {
  if [ -n "$rn_ending" ]; then
    printf '\n%s %s\n' "$rn_nonce" "$rn_ending" >&2
    printf '\n%s %s\n' "$rn_nonce" "$rn_ending"
  fi
  rn_ending=
}
rn_done() {
  printf '\n%s %s D\n' "$rn_nonce" "$rn_ending" >&2
  printf '\n%s %s D\n' "$rn_nonce" "$rn_ending"
  rn_ending=
}
# rn_refuse CODE: the prologue, before the first command, failed with CODE.
# shellcheck disable=SC2034  # read by the scripts that follow
rn_refuse() { rn_code=$1; rn_ending="P $1 0"; }

# rn_end_foreign CODE: a command from a playbook ended. If one of its background processes holds this shell's output and could
# write into later answers, rn_shared is set to 1 and the shell is not used again. Examines processes started after
# rn_begin_foreign, which runs before the command, or all processes if there are too many.
rn_begin_foreign() { read -r rn_word rn_word rn_word rn_word rn_last_pid 2>/dev/null </proc/loadavg; }
rn_end_foreign() {
  rn_shared=0
  if read -r rn_word rn_word rn_word rn_word rn_newest 2>/dev/null </proc/loadavg; then
    rn_pid=$rn_last_pid
    if [ "$rn_newest" -lt "$rn_pid" ] || [ "$rn_newest" -gt "$((rn_pid + 500))" ]; then
      for rn_process in /proc/[0-9]*; do [ "$rn_process" = "/proc/$$" ] || rn_check_output "$rn_process"; done
    else
      while [ "$rn_pid" -lt "$rn_newest" ]; do
        rn_pid=$((rn_pid + 1))
        rn_check_output "/proc/$rn_pid"
      done
    fi
  fi
  rn_end "$1"
}
# rn_check_output /proc/PID: sets rn_shared if the process holds the output of this shell.
# shellcheck disable=SC3013  # -ef is in dash, bash and busybox ash
rn_check_output() {
  [ -d "$1" ] || return 0
  if [ "$1/fd/1" -ef "/proc/$$/fd/1" ] || [ "$1/fd/2" -ef "/proc/$$/fd/1" ]; then rn_shared=1; fi
  if [ "$1/fd/1" -ef "/proc/$$/fd/2" ] || [ "$1/fd/2" -ef "/proc/$$/fd/2" ]; then rn_shared=1; fi
}

# rn_receive FILE BYTES SHA256: writes the next bytes of standard input to FILE. "R" requests them from the controller. All bytes
# are read even if the disk is full (tee continues), because the rest would be read as commands.
# A head that reads ahead, such as that of busybox, would consume commands. For it, "W" requests only the bytes, and "T" the
# text after them.
rn_receive() {
  if [ -z "$rn_head" ]; then
    rn_head=W
    case $(head --version 2>/dev/null) in *'GNU coreutils'*) rn_head=R ;; esac
  fi
  printf '\n%s %s\n' "$rn_nonce" "$rn_head"
  umask 077
  # openssl is five times as fast as coreutils, which do not use the processor's SHA instructions.
  rn_sum_program=sha256sum
  if command -v openssl >/dev/null; then rn_sum_program='openssl dgst -sha256 -r'; fi
  # shellcheck disable=SC2086  # a command and its arguments
  rn_sum=$(head -c "$2" | tee "$1" | $rn_sum_program)
  umask "$rn_umask"
  if [ "$rn_head" = W ]; then printf '\n%s T\n' "$rn_nonce"; fi
  if [ "${rn_sum%% *}" = "$3" ] && [ "$(wc -c <"$1")" -eq "$2" ] 2>/dev/null; then return 0; fi
  # Remove the file before the message: if the connection is lost, writing the message ends this shell.
  rn_discard "$1"
  echo "$1 was not transferred correctly: size or checksum differ" >&2
  return 1
}

# rn_wrote CODE: restores the umask after writing a temporary file, and returns CODE.
rn_wrote() { umask "$rn_umask"; return "$1"; }

# rn_fail CODE FILE: removes the temporary file of a failed action, and returns CODE.
rn_fail() { rn_discard "$2"; return "$1"; }

# rn_discard FILE: removes an incomplete file. Reports a full disk, which not every shell does.
rn_discard() {
  rn_file=$1
  # shellcheck disable=SC2046  # splits the last line into words
  set -- $(df -P "$1" 2>/dev/null | tail -n 1)
  rm -f "$rn_file"
  if [ "${4:-1}" = 0 ]; then echo "No space left on $6" >&2; fi
}

# rn_flush FILE: syncs the file to the disk, or all files if sync does not support a single one.
rn_flush() {
  if [ -z "$rn_sync" ]; then
    rn_sync=all
    case $(sync --help 2>&1) in *FILE*) rn_sync=one ;; esac
  fi
  if [ "$rn_sync" = one ]; then sync "$1"; else sync; fi
}

# rn_make_run_dir RUN: creates the run's directory on this host, accessible only to its owner.
rn_make_run_dir() {
  [ "$rn_made" = "$1" ] && return 0
  umask 077
  mkdir -p "$rn_dir/runs/$1/detached" "$rn_dir/runs/$1/captures" || { umask "$rn_umask"; return 1; }
  umask "$rn_umask"
  rn_made=$1
}

# rn_started RUN UNIT, rn_finished RUN UNIT CODE: append a line to the record on the host, which survives a crash of the controller.
rn_started() { rn_make_run_dir "$1" && printf '%s started %s %s\n' "$2" "$rn_boot" "$rn_worker" >>"$rn_dir/runs/$1/units"; }
rn_finished() { printf '%s finished %s\n' "$2" "$3" >>"$rn_dir/runs/$1/units"; }

# rn_unit RUN UNIT: prints the state of a unit whose result did not reach the controller.
rn_unit() {
  rn_start=''
  rn_finish=''
  # A last line without newline was being written when the host went down. It counts.
  for rn_word in $(grep -h "^$2 " "$rn_dir/runs/$1/units" 2>/dev/null | tr ' ' '|'); do
    rn_entry=${rn_word#*|}
    case $rn_entry in started*) rn_start=${rn_entry#*|}; rn_finish='' ;; finished*) rn_finish=${rn_entry#*|} ;; esac
  done
  if [ -z "$rn_start" ]; then echo never_started
  elif [ -n "$rn_finish" ]; then echo "finished $rn_finish"
  elif [ "${rn_start%|*}" = "$rn_boot" ] && kill -0 "${rn_start#*|}" 2>/dev/null; then echo running
  else echo interrupted; fi
}

# rn_fence RUN: ensures that no earlier connection of the run can still change this host. Prints "busy" while one of them runs a
# command. An idle shell of an earlier connection is killed, because a script for it can still be in transit.
rn_fence() {
  rn_others=''
  rn_idle=''
  # shellcheck disable=SC2013  # paths under /proc have no spaces
  for rn_process in $(grep -l "RUNNER_RUN=$1" /proc/[0-9]*/environ 2>/dev/null); do
    grep -q "RUNNER_LINE=$RUNNER_LINE" "$rn_process" 2>/dev/null || rn_others="$rn_others ${rn_process%/environ}"
  done
  rn_answer=clear
  for rn_process in $rn_others; do
    # A detached step has no child process between two commands, but is still running.
    rn_entry=$(grep " started $rn_boot ${rn_process#/proc/}\$" "$rn_dir/runs/$1/units" 2>/dev/null | tail -n 1)
    if [ -n "$rn_entry" ] && [ "$(rn_unit "$1" "${rn_entry%% *}")" = running ]; then rn_answer=busy; fi
    read -r rn_stat <"$rn_process/stat" 2>/dev/null || continue
    rn_stat=${rn_stat##*) }
    rn_stat=${rn_stat#* }
    case " $rn_others " in
      *" /proc/${rn_stat%% *} "*) rn_answer=busy ;;
      *) rn_idle="$rn_idle ${rn_process#/proc/}" ;;
    esac
  done
  # shellcheck disable=SC2086  # process ids, split on purpose
  if [ "$rn_answer" = clear ] && [ -n "$rn_idle" ]; then kill -9 $rn_idle 2>/dev/null; fi
  echo "$rn_answer"
}

# rn_lock RUN OWNER LEASE REPLACED: locks this host for a run. Prints "held" or "other RUN|OWNER|SINCE|LEASE AGE". A lock of the
# same run, or of the run REPLACED, is taken over. LEASE and AGE are in seconds; AGE is the time since the last renewal.
rn_lock() {
  rn_lock_file=$rn_dir/lock
  # An unprivileged user also respects the lock of root.
  if [ "$rn_uid" != 0 ] && [ -r /var/lib/runner/lock ]; then rn_lock_file=/var/lib/runner/lock; fi
  umask 022
  mkdir -p "$rn_dir" || { umask "$rn_umask"; return 1; }
  if [ "$rn_uid" = 0 ]; then chmod 711 "$rn_dir"; fi
  # Write the lock to a temporary file and link it, so that no process reads an incomplete lock.
  rn_new=$rn_dir/lock.$$
  rn_result=1
  if printf '%s|%s|%s|%s\n' "$1" "$2" "$(date +%s)" "$3" >"$rn_new"; then
    if ln "$rn_new" "$rn_lock_file" 2>/dev/null; then
      rn_result=0
    elif rn_may_take "$1" "$4"; then
      rn_begin_take && rn_take "$1" "$4"
      rn_end_take
    else
      rn_result=2
    fi
  fi
  rm -f "$rn_new"
  umask "$rn_umask"
  case $rn_result in
    0) echo held ;;
    1) return 1 ;;
    2) printf 'other %s %s\n' "$rn_holder" "$(($(date +%s) - $(stat -c %Y "$rn_lock_file")))" ;;
  esac
}
# rn_may_take RUN REPLACED: reads the lock into rn_holder. Succeeds if it belongs to one of these runs, is empty or does not exist.
rn_may_take() {
  rn_holder=
  read -r rn_holder 2>/dev/null <"$rn_lock_file" || true
  case ${rn_holder%%|*} in "$1" | "$2" | '') return 0 ;; *) return 1 ;; esac
}
# rn_take RUN REPLACED: sets rn_result to 0 if it took the lock, or to 2 if another run was first. Locks are replaced and removed
# only between rn_begin_take and rn_end_take, so the lock cannot change after it was read. Some file systems have no hard links.
rn_take() {
  if ln "$rn_new" "$rn_lock_file" 2>/dev/null; then rn_result=0; return; fi
  if [ ! -e "$rn_lock_file" ]; then
    if (set -C && cat "$rn_new" >"$rn_lock_file") 2>/dev/null; then rn_result=0; return; fi
  fi
  if ! rn_may_take "$1" "$2"; then rn_result=2; return; fi
  if mv -f "$rn_new" "$rn_lock_file"; then rn_result=0; fi
}
# rn_begin_take, rn_end_take: mutual exclusion with a directory. A directory older than 10 s is stale: its process has died.
rn_begin_take() {
  rn_taking=
  rn_tries=0
  while ! mkdir "$rn_lock_file.taking" 2>/dev/null; do
    if [ "$rn_tries" = 15 ]; then mkdir "$rn_lock_file.taking"; return 1; fi
    rn_since=$(stat -c %Y "$rn_lock_file.taking" 2>/dev/null)
    if [ -n "$rn_since" ] && [ "$(($(date +%s) - rn_since))" -gt 10 ]; then rmdir "$rn_lock_file.taking" 2>/dev/null; fi
    rn_tries=$((rn_tries + 1))
    if [ -w "$(dirname "$rn_lock_file")" ]; then sleep 1; else rn_tries=15; fi
  done
  rn_taking=1
}
rn_end_take() { if [ -n "$rn_taking" ]; then rmdir "$rn_lock_file.taking"; fi; }
# rn_renew RUN, rn_unlock RUN: renew or remove the lock if it belongs to this run. rn_renew prints "held" or "lost RUN".
rn_renew() {
  rn_holder=
  read -r rn_holder <"$rn_dir/lock" 2>/dev/null || true
  if [ "${rn_holder%%|*}" = "$1" ]; then touch "$rn_dir/lock" && echo held; else echo "lost ${rn_holder%%|*}"; fi
}
rn_unlock() {
  rn_lock_file=$rn_dir/lock
  rn_holder=
  read -r rn_holder 2>/dev/null <"$rn_lock_file" || true
  if [ "${rn_holder%%|*}" != "$1" ]; then return; fi
  rn_begin_take || return
  # Another run can have taken over the lock in the meantime.
  rn_may_take "$1" "$1" && rm -f "$rn_lock_file"
  rn_end_take
}

# rn_remove_tree PATH: removes a path recursively. Fails if a file system is mounted there, so that its files are not removed.
rn_remove_tree() {
  if [ -d "$1" ] && [ ! -L "$1" ] && [ -r /proc/self/mountinfo ]; then
    rn_path=$(cd "$1" && pwd -P) || return 1
    rn_mounts=$(rn_path=$rn_path awk '{
      point = $5
      gsub(/\\040/, " ", point); gsub(/\\011/, "\t", point); gsub(/\\012/, "\n", point); gsub(/\\134/, "\\", point)
      if (point == ENVIRON["rn_path"] || index(point, ENVIRON["rn_path"] "/") == 1) printf " %s", point
    }' /proc/self/mountinfo)
    if [ -n "$rn_mounts" ]; then echo "$1 was not removed because file systems are mounted there:$rn_mounts. Unmount them first." >&2; return 1; fi
  fi
  rm -rf "$1"
}

# rn_capture RUN PATH NAME: makes a copy with owner, mode and time. Directories larger than 100 MiB are refused.
# A retry keeps the copy of the first attempt, which is the state before the step.
rn_capture() {
  rn_make_run_dir "$1" || return 1
  rn_copy=$rn_dir/runs/$1/captures/$3
  if [ -e "$rn_copy" ] || [ -L "$rn_copy" ]; then return 0; fi
  if [ -d "$2" ] && [ ! -L "$2" ]; then
    rn_size=$(du -sk "$2") || return 1
    if [ "${rn_size%%[!0-9]*}" -gt 102400 ]; then echo "$2 is larger than 100 MiB" >&2; return 1; fi
  fi
  if [ -e "$2" ] || [ -L "$2" ]; then
    rm -rf "$rn_copy.new" && cp -a "$2" "$rn_copy.new" || return 1
    # The copy must survive a power failure, and must not be incomplete.
    if [ -L "$rn_copy.new" ]; then :; elif [ -f "$rn_copy.new" ]; then rn_flush "$rn_copy.new"; else sync; fi
    mv -f "$rn_copy.new" "$rn_copy" || return 1
  fi
}

# rn_keep RUN NAME …: prints copies that are small files, each as a line with NAME and a line with base64.
rn_keep() {
  rn_copies=$rn_dir/runs/$1/captures
  shift
  for rn_name in "$@"; do
    if [ -f "$rn_copies/$rn_name" ] && [ ! -L "$rn_copies/$rn_name" ] && [ "$(wc -c <"$rn_copies/$rn_name")" -le 65536 ]; then
      echo "$rn_name"
      base64 <"$rn_copies/$rn_name" | tr -d '\n'
      echo
    fi
  done
}

# rn_tree_sum PATH: prints one checksum of all names, types, modes, owners and contents in a directory, or "absent".
rn_tree_sum() {
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

# rn_publish TEMPORARY PATH MODE OWNER GROUP: sets owner and mode of the new file, then renames it.
# Empty arguments default to the values of the replaced file, if it exists.
rn_publish() {
  if [ -e "$2" ]; then
    rn_before=$(stat -L -c '%a %u %g' "$2") || return 1
    rn_owners=${rn_before#* }
    chmod "${3:-${rn_before%% *}}" "$1" || return 1
    if [ "$rn_uid" = 0 ] || [ -n "$4$5" ]; then chown "${4:-${rn_owners% *}}:${5:-${rn_owners#* }}" "$1" || return 1; fi
  else
    chmod "${3:-644}" "$1" || return 1
    if [ -n "$4$5" ]; then chown "$4${5:+:$5}" "$1" || return 1; fi
  fi
  rn_flush "$1" && mv -f "$1" "$2"
}

# rn_file_content PATH: prints "present" and the content of a regular file in base64, or "absent".
rn_file_content() {
  if [ -f "$1" ]; then echo present; base64 <"$1"
  elif [ -e "$1" ]; then echo 'not a regular file' >&2; return 1
  else echo absent; fi
}

# rn_file_state PATH: prints type, mode, IDs, names, size, time, and the checksum or link target.
rn_file_state() {
  if [ -L "$1" ]; then
    stat -c 'link|%a|%u|%g|%U|%G|%s|%Y' "$1" && readlink "$1"
  elif [ -d "$1" ]; then
    stat -c 'directory|%a|%u|%g|%U|%G|%s|%Y' "$1"
  elif [ -f "$1" ]; then
    stat -c 'file|%a|%u|%g|%U|%G|%s|%Y' "$1" && sha256sum "$1"
  elif [ -e "$1" ]; then
    stat -c 'other|%a|%u|%g|%U|%G|%s|%Y' "$1"
  else
    # A path is absent only if its parent directory can be searched.
    rn_parent=$1
    while [ "$rn_parent" != / ] && [ "$rn_parent" != "${rn_parent%/*}" ]; do
      rn_parent=${rn_parent%/*}
      rn_parent=${rn_parent:-/}
      if [ -e "$rn_parent" ]; then
        if [ -d "$rn_parent" ] && [ ! -x "$rn_parent" ]; then echo "no permission to search $rn_parent" >&2; return 2; fi
        break
      fi
    done
    echo absent
  fi
}

# rn_attend RUN UNIT: waits until a detached unit has ended, then prints its output.
rn_attend() {
  while [ "$(rn_unit "$1" "$2")" = running ]; do sleep 1; done
  rn_output=$rn_dir/runs/$1/detached/$2
  cat "$rn_output.out" && cat "$rn_output.err" >&2
}

# rn_end_shell PID WORD: kills a session shell and all its processes: its descendants, and those with the word in their
# environment. The shell is killed immediately, so that it cannot continue after its command ends. The others get TERM, then KILL.
# Prints "ended", or the processes that are left.
rn_end_shell() {
  rn_targets=$(rn_descendants "$1")
  kill -KILL "$1" 2>/dev/null
  for rn_signal in TERM KILL; do
    # shellcheck disable=SC2046,SC2086  # process ids, split on purpose
    kill "-$rn_signal" $rn_targets $(rn_marked "$2") 2>/dev/null
    rn_targets=
    rn_turn=0
    while [ "$rn_turn" -lt 20 ]; do
      [ -d "/proc/$1" ] || [ -n "$(rn_marked "$2")" ] || { echo ended; return 0; }
      rn_turn=$((rn_turn + 1))
      sleep 0.1 2>/dev/null || { sleep 1; rn_turn=20; }
    done
  done
  echo "left: $(rn_marked "$2")"
}
# rn_marked WORD: prints the processes with RUNNER_SHELL=WORD in their environment.
rn_marked() {
  # shellcheck disable=SC2013  # paths under /proc have no spaces
  for rn_process in $(grep -l "RUNNER_SHELL=$1" /proc/[0-9]*/environ 2>/dev/null); do
    rn_process=${rn_process%/environ}
    echo "${rn_process#/proc/}"
  done
}

# rn_descendants PID: prints all descendants of the process, parents first.
rn_descendants() {
  for rn_process in /proc/[0-9]*/stat; do
    read -r rn_stat <"$rn_process" 2>/dev/null || continue
    rn_pid=${rn_stat%% *}
    rn_stat=${rn_stat##*) }
    rn_stat=${rn_stat#* }
    if [ "${rn_stat%% *}" = "$1" ]; then
      echo "$rn_pid"
      # Recurse in a subshell, because variables are global.
      (rn_descendants "$rn_pid")
    fi
  done
}
