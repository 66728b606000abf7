# shellcheck shell=bash
# What the scripts that prove something share: checks that are counted. Sourced, never run.

fail() { # MESSAGE: nothing can be proved
  echo "prove: error: $1" >&2
  exit 2
}

passed=0
failed=0
check() { # NAME COMMAND...
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok - $name"
  else
    failed=$((failed + 1))
    echo "not ok - $name"
    printf '#   %s\n' "${output//$'\n'/$'\n#   '}"
  fi
}

equal() { # EXPECTED GOT
  [[ $1 == "$2" ]] || { echo "expected '$1', got '$2'" && return 1; }
}

# The last line; fails if any check failed.
sum_up() {
  echo "$passed passed, $failed failed"
  ((failed == 0))
}
