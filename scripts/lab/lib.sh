# shellcheck shell=bash
# What the lab's scripts share: messages, and processes that are known by id and start time.
# Sourced, never run. The functions about processes read $state, the lab's folder.

say() { printf 'lab: %s\n' "$1" >&2; }

die() { # MESSAGE [HINT]
  printf 'lab: error: %s\n' "$1" >&2
  (($# < 2)) || printf 'lab: hint: %s\n' "$2" >&2
  exit 1
}

refuse() { # MESSAGE: the call itself is wrong
  printf 'lab: error: %s\nlab: hint: --help shows the usage\n' "$1" >&2
  exit 2
}

needs_value() { # OPTION VALUE...: what is left of the command line
  (($# > 1)) || refuse "expected a value after $1"
}

# Prints "PID START", the start in clock ticks since boot: an id alone may belong to another process by
# now. Fails when it has ended; a zombie has, though nobody may ever collect it (a container's first process often does not).
identity() { # PID
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }" # what follows the command's name: state is the first, start time the 20th
  [[ ${fields[0]} != [ZX] ]] || return 1
  printf '%s %s\n' "$1" "${fields[19]}"
}

is_alive() { # IDENTITY
  [[ -n $1 && $(identity "${1%% *}") == "$1" ]]
}

recorded() { # NAME
  cat "${state:?}/$1.pid" 2>/dev/null || true
}

is_running() { # NAME
  is_alive "$(recorded "$1")"
}

# Starts a process that outlives this script and its terminal, and holds none of its files or locks.
launch() { # NAME COMMAND...
  local name=$1
  shift
  setsid "$@" >"${state:?}/$name.log" 2>&1 </dev/null 9>&- &
  identity $! >"$state/$name.pid" || true # gone already: is_running says so
}

# What an up.sh does first: makes the folder $state its own. What it starts from then on is taken down
# when it ends, unless it says end_up before.
begin_up() {
  umask 077
  mkdir -p "${state:?}"
  lock_state
  started=()
  trap take_down_what_was_started EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# It is up: from here on it is down.sh that ends it.
end_up() { started=(); }

take_down_what_was_started() {
  local name
  # Interrupted between the start of a process and its record: $! is that process.
  if ((${#started[@]} > 0)) && [[ ! -s $state/${started[0]}.pid ]]; then
    identity "${!:-}" >"$state/${started[0]}.pid" || true
  fi
  for name in "${started[@]}"; do stop "$name"; done
}

start() { # NAME COMMAND...: newest first, the order in which they are ended
  rm -f "$state/$1".{pid,log} # of an earlier one: its log must not speak for this one
  started=("$1" "${started[@]}")
  launch "$@"
}

# One up.sh or down.sh at a time; $state becomes absolute.
lock_state() {
  state=$(cd "$state" && pwd)
  exec 9>"$state/.lock"
  flock -w 120 9 || die "another up.sh or down.sh is at work in $state"
}

# Polls ten times a second.
wait_until() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# TERM, and KILL after some seconds. Only what is still the recorded process is touched.
stop() { # NAME
  local process
  process=$(recorded "$1")
  if is_alive "$process"; then
    kill -TERM "${process%% *}" 2>/dev/null || true
    wait_until 10 has_ended "$process" || {
      say "$1 did not end in 10 s, killing it"
      kill -KILL "${process%% *}" 2>/dev/null || true
      wait_until 5 has_ended "$process" || die "$1 (process ${process%% *}) cannot be ended"
    }
  fi
  rm -f "${state:?}/$1.pid"
}

has_ended() { # IDENTITY
  ! is_alive "$1"
}

# Below the range from which the kernel takes the ports of outgoing connections, so that one that
# is free now stays free, but for another lab that picks the same: up.sh tries again then.
free_port() {
  local candidate
  for _ in {1..100}; do
    candidate=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || { echo "$candidate"; return; }
  done
  die 'found no free port from 20000 to 31999'
}

# The whole of a down.sh, whose `usage` this calls; sets $state.
take_down() { # "NAME..." ARGUMENT...
  local names=$1 owner='' process name
  shift
  state=''
  while (($# > 0)); do
    case $1 in
      --help) usage; exit 0 ;;
      --state) needs_value "$@"; state=$2; shift 2 ;;
      --when-gone) needs_value "$@"; owner=$2; shift 2 ;;
      *) refuse "unknown argument $1" ;;
    esac
  done
  [[ -n $state ]] || refuse 'expected --state DIR'
  [[ -d $state ]] || { say "nothing to take down: no folder $state"; exit 0; }

  if [[ -n $owner ]]; then
    process=$(identity "$owner" || true)
    exec 8<> <(:) # never has anything to read: a pause without a child process, which would outlive a kill
    while is_alive "$process"; do read -rt 1 -u 8 || true; done
  fi

  lock_state
  [[ -n $owner ]] || stop watcher
  for name in $names; do stop "$name"; done
  [[ -z $owner ]] || rm -f "$state/watcher.pid"
}
