#!/usr/bin/env bash
# Runs one fuzzer, from its kept corpus and from what earlier runs have added to it: what a test of the `fuzz` preset does.
# usage: run.sh NAME PROGRAM BUILD-FOLDER
# KEYGATE_FUZZ_SECONDS says for how long (20). A finding's file, and how to see it again, are the last lines.
set -euo pipefail
name=$1 program=$2 build=$3
seconds=${KEYGATE_FUZZ_SECONDS:-20}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
grown=$build/corpus/$name findings=$build/findings/$name log=$build/logs/$name.log
mkdir -p "$grown" "$findings" "${log%/*}"
touch "$build/logs/$name.begin"

status=0
"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -dict="$here/dictionary/$name.dict" -artifact_prefix="$findings/" "$grown" "$here/corpus/$name" >"$log" 2>&1 || status=$?

last() { sed -nE "s/.*$1([0-9]+).*/\1/p" "$log" | tail -n 1; }
executions=$(last 'number_of_executed_units: *') coverage=$(last 'cov: ')
mapfile -t found < <(find "$findings" -type f -newer "$build/logs/$name.begin" | sort)
result=ok
if [[ $status -ne 0 ]]; then
  result=${found[0]##*/}
  result=${result:-exit $status}
fi
printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "${executions:-0}" "$seconds" "${coverage:-0}" \
  "$(find "$grown" -type f | wc -l)" "$result" >"$build/logs/$name.result"

if [[ $status -ne 0 ]]; then
  grep -v '^#[0-9]' "$log" | tail -n 60
  for file in "${found[@]}"; do
    printf 'finding:   %s\n' "$file"
    [[ $(stat -c %s "$file") -gt 6000 ]] || printf 'bytes:     base64 -d <<<%s\n' "$(base64 -w 0 "$file")"
    printf 'reproduce: %s %s\n' "$program" "$file"
  done
  exit 1
fi
[[ ${executions:-0} -gt 0 ]] || { cat "$log"; echo "$name: nothing was executed"; exit 1; }
printf '%s: %s executions in %s s, %s edges\n' "$name" "$executions" "$seconds" "$coverage"
