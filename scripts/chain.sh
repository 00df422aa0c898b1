#!/usr/bin/env bash
# For scripts/steps.sh: runs commands one after the other, continues after a failure, and stores each result.
#
#   chain.sh LOGS NAME COMMAND… [-- NAME COMMAND…]…
logs="$1"
shift
while (($#)); do
  name="$1" command=()
  shift
  while (($#)) && [[ $1 != -- ]]; do
    command+=("$1")
    shift
  done
  (($#)) && shift
  start=$SECONDS result=0
  rm -f "$logs/$name.result"
  "${command[@]}" >"$logs/$name.log" 2>&1 || result=$?
  echo "$result $((SECONDS - start))" >"$logs/$name.result"
done
