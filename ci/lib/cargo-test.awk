# What `cargo test -- --show-output` wrote, without what nobody reads: tests that passed, and what they printed, but for
# lines that begin with `skipped: `. With -v count=yes only three numbers: tests that passed, failed and were skipped.
/^ +Running / || /^ +Doc-tests / { program = $0 }
/^successes:$/ { successes = 1; next }
/^failures:$/ || /^test result:/ { successes = 0 }
/^test result:/ {
    for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^failed/) failed += $(i - 1)
    }
}
successes && /^---- .* stdout ----$/ { test = $2; next }
successes && /^skipped: / {
    if (!((program, test) in seen)) { seen[program, test]; without++ }
    if (!count) print "skipped: " test ": " substr($0, 10)
}
successes || count || /^test .* \.\.\. ok$/ || /^$/ || /^running / || /^ +Compiling / { next }
{ print; fflush() }
END { if (count) print passed - without + 0, failed + 0, without + 0 }
