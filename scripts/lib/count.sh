# Source this (bash). Counts test cases from a runner's output.
# Each count_<kind> <log> <status> prints "passed failed skipped".

# A step without cases of its own: a prerequisite.
count_none() {
  echo "0 0 0"
}

# A step that is one case.
count_one() {
  if (($2 == 0)); then echo "1 0 0"; else echo "0 1 0"; fi
}

# Lines "ok - what", "not ok - what" and "skipped - what, and why".
count_lines() {
  awk '/^ok - / { passed++ } /^not ok - / { failed++ } /^skipped - / { skipped++ } END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# "Suite result: ok. 3 passed; 0 failed; 0 skipped; finished in ..."
count_forge() {
  awk '/^Suite result: / { passed += $4; failed += $6; skipped += $8 }
    END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# "test result: ok. 3 passed; 0 failed; 0 ignored; ..."
count_cargo() {
  awk '/^test result: / { passed += $4; failed += $6; skipped += $8 }
    END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# node --test --test-reporter=tap: "# pass 3", "# fail 0", "# cancelled 0", "# skipped 0", "# todo 0"
count_node() {
  awk '/^# pass / { passed += $3 } /^# (fail|cancelled) / { failed += $3 } /^# (skipped|todo) / { skipped += $3 }
    END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}
