#!/usr/bin/env bash
# Do the alerts and the dashboard speak of metrics that there are, has each alert its section in docs/operations.md, and does it fire
# when it should (promtool)? Run from anywhere; 77: promtool is missing, so that only the names were looked at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

misses=0
miss() {
  printf '%s\n' "$*"
  misses=$((misses + 1))
}

known=$(grep -oE '"(keygate|process)_[a-z_]+"' app/metrics.cpp | tr -d '"' | sort -u)
for file in deploy/prometheus/alerts.yaml deploy/grafana/keygate.json docs/operations.md; do
  while read -r name; do
    base=$(sed -E 's/_(bucket|sum|count)$//' <<<"$name")
    grep -Fqx -e "$name" -e "$base" <<<"$known" || miss "$file: there is no metric $name"
  done < <(grep -oE '\b(keygate|process)_[a-z_]+' "$file" | grep -vE '_$' | sort -u)
done
while read -r name; do
  grep -Fq -- "| \`$name" docs/operations.md || miss "docs/operations.md: no row for the metric $name"
done < <(grep keygate_ <<<"$known")
while read -r alert; do
  grep -Fqx "### $alert" docs/operations.md || miss "docs/operations.md: no section for the alert $alert"
done < <(sed -nE 's/^ *- alert: (.*)/\1/p' deploy/prometheus/alerts.yaml)
python3 -c 'import json, sys; json.load(open("deploy/grafana/keygate.json"))' || miss "deploy/grafana/keygate.json is no JSON"
[[ $misses -eq 0 ]] || { printf '%d misses\n' "$misses"; exit 1; }

if ! command -v promtool >/dev/null; then
  echo "SKIPPED: promtool is missing: apt-get install prometheus"
  exit 77
fi
promtool check rules deploy/prometheus/alerts.yaml
# The dashboard's expressions, as rules: whether they are PromQL at all.
panels=$(mktemp)
trap 'rm -f "$panels"' EXIT
python3 - >"$panels" <<'PYTHON'
import json

rules = []
for panel in json.load(open("deploy/grafana/keygate.json"))["panels"]:
    for number, target in enumerate(panel["targets"]):
        expression = target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")
        rules.append({"record": f"panel:{panel['id']}:target{number}", "expr": expression})
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
promtool check rules "$panels"
promtool test rules deploy/prometheus/alerts_test.yaml
