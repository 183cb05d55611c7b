#!/usr/bin/env bash
# Makes traces of the migrations that a console has logged, for the tests that replay them (server/engine/src/migration/progress/replay.rs).
#
#   RUST_LOG=info,samples=trace NO_COLOR=1 vmferry demo 2> log    # and move VMs, of whatever kind, with whatever policies
#   xtask/record-traces.sh log http://127.0.0.1:8080 folder       # asks for the admin's password
#
# Needs curl and jq. A trace is a CSV file: what was known before the start and the outcome, then a line a sample.
set -euo pipefail
log=$1 api=$2 folder=$3
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT
read -rsp "Password of admin: " password
curl -sf -c "$jar" -o /dev/null -H 'Content-Type: application/json' -d @- "$api/login" \
  <<< "$(jq -Rn '{username: "admin", password: input}' <<< "$password")"
mkdir -p "$folder"

# The numbers of a field of the sample that is `figures` in a line of the log.
samples() { # migration
  grep -F "id=$1 " "$log" | sed -n 's/.* samples: //p' | awk '
    function number(name,   found) {
      if (!match($0, "[ {]" name "[:=] ?(Some\\()?[0-9]+")) return 0
      found = substr($0, RSTART, RLENGTH)
      sub(/.*[^0-9]/, "", found)
      return found
    }
    {
      at = number("at_ms"); pause = number("pause_limit_ms"); sub(/.* figures=/, " ")
      if (number("data_total") == 0) next
      line = at "," (pause ? pause : 300)
      split("elapsed_ms data_total data_processed data_remaining memory_bytes_s dirty_pages_s memory_pass downtime_ms throttle_percent", names, " ")
      for (i = 1; i <= 9; i++) line = line "," number(names[i])
      print line
    }' | head -n 260
}

for id in $(sed -n 's/.* samples: id=\([^ ]*\) .*/\1/p' "$log" | sort -u); do
  record=$(curl -sf -b "$jar" "$api/api/migrations/$id" | jq .migration)
  phase=$(jq -r .phase <<< "$record")
  case $phase in succeeded | failed | cancelled) ;; *) continue ;; esac
  first=$(grep -m 1 -F "id=$id " "$log")
  curve=$(grep -o 'period_ms: [0-9]*, bytes: [0-9]*' <<< "${first%% points:*}" | sed 's/[^0-9]*\([0-9]*\)[^0-9]*/\1:/' | paste -sd ' ' || true)
  share=$(sed -n 's/.*cpu_share: Some(\([0-9.e-]*\)).*/\1/p' <<< "$first")
  name=$(jq -r '"\(.vm_name)-\(.policy)-\(.options.bandwidth_mib_s // 32)"' <<< "$record")
  {
    jq -r '"policy,\(.policy)\nslows_by_percent,\(.prediction.slows_by_percent // 0)\noutcome,\(.phase)\ntotal_ms,\(.outcome.total_ms)"' <<< "$record"
    printf 'curve,%s\ncpu_share,%s\n' "$curve" "$share"
    echo at_ms,pause_limit_ms,elapsed_ms,data_total,data_processed,data_remaining,memory_bytes_s,dirty_pages_s,memory_pass,downtime_ms,throttle_percent
    samples "$id"
  } > "$folder/$name-${id: -4}.csv"
done
