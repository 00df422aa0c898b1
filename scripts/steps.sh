# Sourced: runs named steps one after the other, goes on after a failure, and sums up at the end.
#
#   step NAME COMMAND…     output is shown and kept in .setup/logs/NAME.log
#   beside NAME COMMAND…   the same, while the steps that follow run; several, separated by --
#   collect                waits for those and shows their output
#   finish                 the summary; exits 1 if a step failed

STEP_NAMES=() STEP_RESULTS=() STEP_SECONDS=()
LOGS=.setup/logs
mkdir -p "$LOGS"

# A step is a separate session with its output in a file: background processes are stopped by the session's id, and can
# neither keep a pipe open nor outlive this script.
end_session() {
  pkill -TERM -s "$1" 2>/dev/null || return 0
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    pgrep -s "$1" >/dev/null || return 0
    sleep 0.2
  done
  pkill -KILL -s "$1" 2>/dev/null || true
}

# shellcheck disable=SC2034
RUNNING=() # sessions, for an interrupt
end_all() {
  local session
  for session in "${RUNNING[@]}"; do end_session "$session"; done
  exit 130
}

step() {
  local name="$1" log="$LOGS/$1.log" start=$SECONDS result=0 pid
  shift
  printf '\n== %s: %s\n' "$name" "$*"
  : >"$log"
  setsid "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  RUNNING+=("$pid")
  trap end_all INT TERM
  tail -n +1 -s 0.2 -f --pid="$pid" "$log" || true
  wait "$pid" || result=$?
  end_session "$pid"
  STEP_NAMES+=("$name") STEP_RESULTS+=("$result") STEP_SECONDS+=($((SECONDS - start)))
}

# A chain of steps beside the others: `beside NAME COMMAND… [-- NAME COMMAND…]…`. `collect` waits for it and shows
# what it printed. One chain at a time.
BESIDE=() BESIDE_PID=
beside() {
  printf '\n== beside the next steps: %s\n' "$*"
  trap end_all INT TERM
  setsid bash scripts/chain.sh "$LOGS" "$@" </dev/null >/dev/null 2>&1 &
  BESIDE_PID=$!
  RUNNING+=("$BESIDE_PID")
  local word before=--
  for word in "$@"; do
    [[ $before == -- ]] && BESIDE+=("$word")
    before="$word"
  done
}

collect() {
  local name result seconds
  wait "$BESIDE_PID" || true
  end_session "$BESIDE_PID"
  for name in "${BESIDE[@]}"; do
    printf '\n== %s (ran beside the steps before)\n' "$name"
    cat "$LOGS/$name.log"
    result=1 seconds=0 # what an interrupted chain did not come to
    [[ -e $LOGS/$name.result ]] && read -r result seconds <"$LOGS/$name.result"
    STEP_NAMES+=("$name") STEP_RESULTS+=("$result") STEP_SECONDS+=("$seconds")
  done
  BESIDE=()
}

tests_counted() { # adds up the closing lines of cargo test, vitest and node's runner
  sed 's/\x1b\[[0-9;]*m//g' "$@" 2>/dev/null | awk '
    /^test result: / { for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") p += $i; if ($(i + 1) == "failed;") f += $i; if ($(i + 1) == "ignored;") s += $i } }
    $1 == "Tests" { for (i = 1; i < NF; i++) { if ($(i + 1) == "passed") p += $i; if ($(i + 1) == "failed") f += $i; if ($(i + 1) == "skipped") s += $i } }
    /^(#|ℹ) (pass|fail|skipped) [0-9]+$/ { if ($2 == "pass") p += $3; else if ($2 == "fail") f += $3; else s += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
}

finish() {
  local n failed=0 logs=()
  printf '\n== Summary\n'
  for n in "${!STEP_NAMES[@]}"; do
    logs+=("$LOGS/${STEP_NAMES[n]}.log")
    if ((STEP_RESULTS[n] == 0)); then
      printf '  ok      %-10s %5s s\n' "${STEP_NAMES[n]}" "${STEP_SECONDS[n]}"
    else
      failed=$((failed + 1))
      printf '  FAILED  %-10s %5s s   exit %s, see %s\n' "${STEP_NAMES[n]}" "${STEP_SECONDS[n]}" "${STEP_RESULTS[n]}" "${logs[n]}"
    fi
  done
  if ((failed)); then
    printf '%s of %s steps failed, in %s s.\n' "$failed" "${#STEP_NAMES[@]}" "$SECONDS"
  else
    printf 'All %s steps passed, in %s s.\n' "${#STEP_NAMES[@]}" "$SECONDS"
  fi
  printf 'Tests: %s\n' "$(tests_counted "${logs[@]}")"
  ((failed == 0))
}
