#!/usr/bin/env bash
# Are the docs still true to the sources, as far as a grep can tell? Every `file:function` in docs/life-of-a-request.md, every file
# that docs/architecture.md names, every link to a file or heading of this repository, every row of the reason table in
# docs/errors.md and its section in docs/failure-modes.md, every threat that a test is named after, and every test that
# docs/threats.md and docs/limits.md name.
# Run from anywhere; prints each miss and fails if there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

misses=0
miss() {
  printf '%s\n' "$*"
  misses=$((misses + 1))
}

# Headings as the anchors that are made of them.
anchors_of() {
  sed -n 's/^#\{1,6\} //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check_functions() {
  local doc=docs/life-of-a-request.md file name
  while IFS=: read -r file name; do
    if [[ ! -f $file ]]; then
      miss "$doc: there is no $file"
    elif ! grep -Eq "(^|[^A-Za-z0-9_])$name([(]|[^A-Za-z0-9_]*[{])" "$file"; then
      miss "$doc: $file has no $name"
    fi
  done < <(grep -oE '`[a-z_]+/[a-z0-9_]+\.[ch]pp:[A-Za-z_]+`' "$doc" | tr -d '\140' | sort -u)
}

check_files() {
  local doc=docs/architecture.md stem
  while read -r stem; do
    [[ -e $stem || -e $stem.hpp || -e $stem.cpp ]] || miss "$doc: there is no $stem"
  done < <(grep -oE '`(telemetry|config|policy|keys|proxy|app|tests)/[a-z0-9_./]+`' "$doc" | tr -d '\140' | sort -u)
}

check_links() {
  local doc target file anchor
  while IFS= read -r doc; do
    while IFS= read -r target; do
      [[ $target != *://* && $target != mailto:* ]] || continue
      file=${target%%#*}
      if [[ -n $file ]]; then file=$(dirname "$doc")/$file; else file=$doc; fi
      if [[ ! -e $file ]]; then
        miss "$doc: the link to $target leads nowhere"
      elif [[ $target == *#* ]]; then
        anchor=${target#*#}
        anchors_of "$file" | grep -Fqx -- "$anchor" || miss "$doc: $file has no heading #$anchor"
      fi
    done < <(grep -oE '\]\([^) ]+\)' "$doc" | sed 's/^](//; s/)$//' | sort -u)
  done < <(find . -maxdepth 1 -name '*.md'; find docs deploy -name '*.md'; find config/examples -name node_modules -prune -o -name '*.md' -print)
}

check_reasons() {
  local doc=docs/errors.md status code
  while read -r status code; do
    grep -Fq -- "| $status | \`$code\` |" "$doc" || miss "$doc: no row for $status $code"
  done < <(sed -nE 's/.*ReasonRow\{Reason::[a-z0-9_]+, ([0-9]+), "([a-z_]+)".*/\1 \2/p' policy/reason.cpp)
  local section
  section=$(sed -n '/^## Codes of the key server/,/^## Too much/p' "$doc")
  while read -r status code; do
    grep -Fq -- "| $status | \`$code\` |" <<<"$section" || miss "$doc: no row of the key server for $status $code"
  done < <(sed -nE 's/.*ApiRow\{ApiReason::[a-z0-9_]+, ([0-9]+), "([a-z_]+)".*/\1 \2/p' app/key_api_reason.cpp)
}

# A section for each code that the reason table has, and none besides.
check_failure_modes() {
  local doc=docs/failure-modes.md code codes sections
  codes=$(sed -nE 's/.*ReasonRow\{Reason::[a-z0-9_]+, [0-9]+, "([a-z_]+)".*/\1/p' policy/reason.cpp | sort -u)
  sections=$(sed -nE 's/^### `([a-z_]+)`$/\1/p' "$doc" | sort)
  while read -r code; do
    miss "$doc: no section for $code"
  done < <(comm -23 <(echo "$codes") <(echo "$sections"))
  while read -r code; do
    miss "$doc: $code has two sections, or is no reason"
  done < <(comm -13 <(echo "$codes") <(echo "$sections"))
}

# What the tables of docs/failure-modes.md quote from the log, in the last column but one, piece by piece: what is left out (…), put
# in (HOST, CAUSE, numbers, parentheses) or short is not looked for.
check_log_lines() {
  local doc=docs/failure-modes.md sources piece
  # A text of C++ that goes on in the next line is one.
  sources=$(cat {keys,proxy,app}/*.cpp | tr '\n' ' ' | sed 's/" *"//g')
  while read -r piece; do
    [[ $sources == *"$piece"* ]] || miss "$doc: nothing logs \"$piece\""
  done < <(sed '/^## By code/,$d' "$doc" | grep '^| ' | awk -F ' [|] ' 'NF > 3 { print $(NF - 1) }' |
    awk -F '`' '{ for (i = 2; i <= NF; i += 2) print $i }' | sed -E 's/\([^)]*\)|…|HOST|CAUSE|: | [0-9N]+( s)?$|^redis /\n/g' |
    sed -E 's/^[ :,]+//; s/[ :,]+$//' | grep -E '.{12}' | sort -u)
}

# P01_, C03C09…, "H-02" in a comment: without the dash, one a line.
tested_threats() {
  grep -rhoP --include='*.[ch]pp' '(?<![A-Za-z0-9\\%])(?:[ACDFHMNPRU]-?[0-9]{2}(?![0-9a-z])_?)+' tests |
    grep -oE '[A-Z]-?[0-9]{2}' | tr -d - | sort -u
}

check_threats() {
  local doc=docs/threats.md id word suite test tested listed
  tested=$(tested_threats)
  listed=$(sed -nE 's/^\| ([A-Z])-([0-9]{2}) \|.*/\1\2/p' "$doc" | sort)
  while read -r id; do
    miss "$doc: no row for $id, which a test is named after"
  done < <(comm -23 <(echo "$tested") <(echo "$listed"))
  while read -r id; do
    miss "$doc: $id has two rows, or no test"
  done < <(comm -13 <(echo "$tested") <(echo "$listed"))
  check_tests_in "$doc" '^[|] [A-Z]-'
}

# In the last column of the rows: `Suite.P01_*`: tests. `Suite: P01_*`: rows of a table. `unit/proxy/framing_test`: a file.
check_tests_in() {
  local doc=$1 rows=$2 word suite test
  while read -r word; do
    if [[ $word == */* ]]; then
      [[ -f tests/$word.cpp ]] || miss "$doc: there is no tests/$word.cpp"
    elif [[ $word == *:* ]]; then
      suite=${word%%:*} test=${word#*:}
      grep -Erq --include='*.cpp' "TEST_P[(]$suite," tests || miss "$doc: there is no suite $suite"
      grep -Erq --include='*.cpp' "\"${test%\*}" tests || miss "$doc: no table has $test"
    else
      suite=${word%%.*} test=${word#*.}
      grep -Erq --include='*.cpp' "TEST(_F|_P)?[(]$suite, ${test%\*}" tests || miss "$doc: there is no test $word"
    fi
  done < <(grep "$rows" "$doc" | sed 's/.*| \(.*\) |$/\1/' | grep -oE '`[^`]+`' | tr -d '\140 ' | sort -u)
}

# The index leads to all of them.
check_index() {
  local doc
  for doc in docs/*.md; do
    [[ $doc == docs/README.md ]] || grep -Fq "](${doc#docs/})" docs/README.md || miss "docs/README.md: does not lead to $doc"
  done
}

check_functions
check_files
check_index
check_links
check_reasons
check_failure_modes
check_log_lines
check_threats
check_tests_in docs/limits.md '^[|] '
[[ $misses -eq 0 ]] || { printf '%d misses\n' "$misses"; exit 1; }
echo "the docs name nothing that is not there"
