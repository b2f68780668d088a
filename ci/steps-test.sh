#!/usr/bin/env bash
# The runner of the tests (ci/lib/steps.sh) tried on lists of its own: what passes, fails, is killed, is left out and
# waits for another is counted and said; lanes run side by side within their room; an interrupt leaves nothing behind.
# shellcheck disable=SC2016 # the lists are text
set -uo pipefail
cd "$(dirname "$0")/.." || exit
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target

fail() {
    echo "steps-test.sh: $*; it said:" >&2
    cat "$work/said" >&2
    exit 1
}
# list TEXT: a list of steps as a program.
list() { printf 'set -uo pipefail\nsource %q\n%s\n' "$here/ci/lib/steps.sh" "$1" >"$work/list.sh"; }
# run CODE TEXT: runs the list, which must end with this exit code.
run() {
    local code=0
    list "$2"
    bash "$work/list.sh" >"$work/said" 2>&1 || code=$?
    [ "$code" -eq "$1" ] || fail "ended with $code instead of $1"
}
says() { grep -qE -- "$1" "$work/said" || fail "does not say $1"; }
last() { [ "$(tail -n 1 "$work/said")" = "$1" ] || fail "the last line is not $1"; }
# line PATTERN: the number of the first line that has it.
line() { grep -nE -m 1 -- "$1" "$work/said" | cut -d : -f 1; }

run 0 'step "one" echo "a  b" "c*"
step "two" true
run_steps 2'
says '^a  b c\*$'
says '^=== ok: one \([0-9]+ s, [0-9]+ s of processor time\)$'
last "2 passed, 0 failed"

# Failed, killed, and what waits for them; each is shown again at the end, with what it wrote.
run 1 'refuse() { echo "no such luck"; return 3; }
step "fails" refuse
step "leaves" exit 4
step "is killed" bash -c "echo before; kill -KILL \$\$"
after "fails"
step "waits in vain" echo "must not run"
after "waits in vain"
step "waits for that" echo "must not run"
step "passes" true
after "passes"
step "comes after it" true
run_steps 2'
says '^=== FAILED: fails \([0-9]+ s'
says '^=== FAILED: leaves '
says '^=== FAILED: is killed \(killed by SIGKILL, '
says '^=== FAILED: waits in vain \(did not run: fails has failed\)$'
says '^=== FAILED: waits for that \(did not run: waits in vain has failed\)$'
! grep -q '^must not run' "$work/said" || fail "a step ran after one that failed"
[ "$(grep -c '^no such luck$' "$work/said")" -eq 2 ] || fail "what a failed step wrote is not shown again"
[ "$(grep -c '^=== FAILED: ' "$work/said")" -eq 10 ] || fail "failed steps are not shown again"
grep -q '^before$' "$work"/target/ci/*-is-killed.log || fail "no log of a step"
last "2 passed, 5 failed"

# What hangs does not hold up the rest for ever.
run 1 'limit=1
step "hangs" bash -c "echo begun; sleep 1000"
after "hangs"
step "waits for it" true
step "passes" true
run_steps 2'
says '^killed: has run for 1 s$'
says '^=== FAILED: hangs \(killed by SIGKILL, '
says '^begun$'
last "1 passed, 2 failed"

# Programs that are not there.
missing='needs sh no-such-program
step "odd" echo "must not run"
after "odd"
step "odder" echo "must not run"
needs sh
step "even" true
run_steps 2'
run 1 "$missing"
says '^=== FAILED: odd \(needs no-such-program\)$'
last "1 passed, 2 failed"
run 0 "skip_missing=yes
$missing"
says '^skipped: odd needs no-such-program$'
says '^skipped: odder odd has skipped$'
last "1 passed, 0 failed, 2 skipped"

# Tests in a step count.
run 1 'tests() { counted 5 2 1; counted 10 0 0; return 1; }
step "tests" tests
run_steps 1'
last "15 passed, 3 failed, 1 skipped"

# What cargo's tests say: each one counts, and one that was skipped is not one that passed.
cat >"$work/log" <<'LOG'
   Compiling mini v0.1.0 (/mini)
     Running unittests src/lib.rs (target/debug/deps/mini-bfa2879a9b322553)

running 5 tests
test good ... ok
test ignored ... ignored, no
test without ... ok
test bad ... FAILED

successes:

---- good stdout ----
noise

---- without stdout ----
skipped: objdump is not installed
skipped: objcopy neither


successes:
    good
    without

failures:

---- bad stdout ----
skipped: failed all the same
why it failed

failures:
    bad

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.40s

     Running tests/other.rs (target/debug/deps/other-bfa2879a9b322553)

running 2 tests
test fine ... ok
test without ... ok

successes:

---- without stdout ----
skipped: depmod is not installed


successes:
    fine
    without

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.77s
LOG
[ "$(awk -v count=yes -f ci/lib/cargo-test.awk "$work/log")" = "2 1 2" ] || fail "tests are counted wrong"
awk -f ci/lib/cargo-test.awk "$work/log" >"$work/said"
says '^skipped: without: objdump is not installed$'
says '^skipped: without: depmod is not installed$'
says '^why it failed$'
says '^test bad \.\.\. FAILED$'
! grep -qE 'noise|\.\.\. ok|good|fine' "$work/said" || fail "says what nobody reads"

# Two lanes: in each one after another, the two side by side: both first steps wait for each other.
meet='meet() { touch "$work/$1"; until [ -e "$work/$2" ]; do sleep 0.05; done; }
lane left
step "left 1" meet l r
step "left 2" echo "second of left"
lane right
step "right 1" meet r l
step "right 2" test -e "$work/l"'
run 0 "$meet
run_steps 2"
last "4 passed, 0 failed"
[ "$(line '^=== ok: left 1')" -lt "$(line '^--- begins: left 2')" ] || fail "a lane does not wait for its own"

# Room for one: never two at a time, in the order of the list; a light step has room always.
run 0 'alone() { mkdir "$work/one" && sleep 0.2 && rmdir "$work/one"; }
light
step "light" bash -c "until [ -e \"$work/go\" ]; do sleep 0.05; done"
step "a" alone
lane same
step "b" alone
step "c" alone
lane
step "d" touch "$work/go"
run_steps 1'
last "5 passed, 0 failed"
[ "$(grep -oE '^--- begins: .*' "$work/said" | cut -d ' ' -f 3 | tr -d '\n')" = lightabcd ] || fail "another order"

# Mistakes in the list.
run 2 'after "later"
step "sooner" true
step "later" true
run_steps 1'
says 'sooner comes after later, which is no earlier step'
run 2 'step "same" true
step "same" true'
says 'two steps have the name same'

# Interrupts end the children of every step and their children, and the folder of the list goes. Whoever runs this may
# ignore interrupts, and a shell cannot undo that.
cat >"$work/listen.py" <<'PYTHON'
import os, signal, sys
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
PYTHON
for signal in INT TERM HUP; do
    list 'echo "$work" >"$CARGO_TARGET_DIR/folder"
deep() { bash -c "sleep 4321 & sleep 4321 & touch \"$1\"; wait"; }
step "one" deep "$CARGO_TARGET_DIR/1"
step "two" deep "$CARGO_TARGET_DIR/2"
# A step that does not listen.
step "deaf" bash -c "trap \"\" TERM; touch \"$CARGO_TARGET_DIR/3\"; sleep 4321; sleep 4321"
run_steps 3'
    rm -f "$work"/target/[123]
    python3 "$work/listen.py" bash "$work/list.sh" >"$work/said" 2>&1 &
    list=$!
    for ((waited = 0; waited < 200; waited++)); do
        [ -e "$work/target/1" ] && [ -e "$work/target/2" ] && [ -e "$work/target/3" ] && break
        sleep 0.05
    done
    groups=$(ps -e -o pgid=,ppid= | awk -v "list=$list" '$2 == list { print $1 }' | sort -u)
    [ "$(wc -w <<<"$groups")" -eq 3 ] || fail "not three steps run"
    kill "-$signal" "$list"
    for ((waited = 0; waited < 600; waited++)); do
        kill -0 "$list" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$list" 2>/dev/null && fail "goes on after SIG$signal"
    code=0
    wait "$list" || code=$?
    [ "$code" -eq $((128 + $(kill -l "$signal"))) ] || fail "ended with $code after SIG$signal"
    says '^interrupted: ending 3 steps$'
    for group in $groups; do
        # What was killed may still have to be taken away.
        left=$(ps -e -o pgid=,stat=,args= | awk -v "group=$group" '$1 == group && $2 !~ /^Z/')
        [ -z "$left" ] || fail "left after SIG$signal: $left"
    done
    [ ! -e "$(cat "$work/target/folder")" ] || fail "the folder is left after SIG$signal"
done
echo "steps pass, fail, are killed, wait, are skipped and are ended as they should"
