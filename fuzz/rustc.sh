#!/bin/sh
# RUSTC_WRAPPER: instruments our crates, and those that parse for them, for libFuzzer. Others are left alone: it visits
# every counter after every input, and async machinery has many.
rustc=$1
shift
crate=
for argument; do
  [ "$previous" = --crate-name ] && crate=$argument
  previous=$argument
done
# A program has only the counters of what it contains.
[ -n "$CARGO_BIN_NAME" ] && set -- "$@" -Clink-arg=-Wl,-z,start-stop-gc
case $crate in
  tracebook_*|serde_json|pulldown_cmark|prost|vte|aws_runtime)
    exec "$rustc" "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
      -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
    ;;
  *) exec "$rustc" "$@" ;;
esac
