# Runs the steps of a list side by side, and counts them. To be sourced; then:
#
#   lane [NAME]           the steps that follow run one after another; other lanes run beside them. Without a name,
#                         each of them runs when there is room for it.
#   light                 the next step mostly waits: it needs no room.
#   after STEP...         the next step begins when these have passed; if one fails, it fails without having run.
#   all_after STEP...     so do all steps that follow.
#   needs PROGRAM...      what the next step runs. Where a program is missing the step fails, or, with
#                         skip_missing=yes, is skipped.
#   step NAME COMMAND...  the step: a program, or a function of the list.
#   run_steps ROOM        runs them, those first that were named first, at most ROOM at a time, and ends the program
#                         with the closing line.
#
# Each step is a process group of its own and writes into a file in the folder $logs, which is printed whole when the
# step ends. What runs for longer than $limit seconds hangs, and is killed. An interrupt ends all of them. $work is a folder for the list, which is removed at the end.
# A step that runs tests says `counted PASSED FAILED SKIPPED`, and each of these counts, too.
# shellcheck shell=bash

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 501)); then
    echo "$0: needs bash 5.1 or later, and this is $BASH_VERSION" >&2
    exit 1
fi

logs=${CARGO_TARGET_DIR:-target}/ci
skip_missing=
limit=2400
passed=0 failed=0 skipped=0
names=() failures=()
# By the step's name: how it is to be run ...
declare -A step_command=() step_lane=() step_light=() step_after=() step_needs=()
# ... and what became of it: waiting, running, passed, failed or skipped.
declare -A step_state=() step_log=() step_begin=() step_seconds=() step_processor=()
# By the process that runs it: the step's name.
declare -A running=()
next_lane='' next_light='' next_after=() next_needs=() before_all=()

lane() { next_lane=${1:-}; }
light() { next_light=yes; }
after() { next_after=("$@"); }
all_after() { before_all=("$@"); }
needs() { next_needs=("$@"); }

step() {
    local name=$1 earlier
    shift
    [ -z "${step_state[$name]:-}" ] || mistake "two steps have the name $name"
    for earlier in "${before_all[@]}" "${next_after[@]}"; do
        [ -n "${step_state[$earlier]:-}" ] || mistake "$name comes after $earlier, which is no earlier step"
    done
    names+=("$name")
    step_state[$name]=waiting
    step_command[$name]=$(printf '%q ' "$@")
    step_lane[$name]=$next_lane
    step_light[$name]=$next_light
    step_after[$name]=$(printf '%s\n' "${before_all[@]}" "${next_after[@]}")
    step_needs[$name]=${next_needs[*]}
    next_light='' next_after=() next_needs=()
}

mistake() {
    echo "$0: $*" >&2
    exit 2
}

# counted PASSED FAILED SKIPPED: tests that a step has run.
counted() { echo "$@" >>"$STEP_COUNTS"; }

run_steps() {
    local room=$1
    rm -rf "$logs"
    mkdir -p "$logs"
    while begin_steps "$room"; do
        end_step
    done
    finish
}

# Begins every step that can begin. Fails if none runs then.
begin_steps() {
    local room=$1 name lane
    local -A busy=()
    for name in "${running[@]}"; do [ -n "${step_light[$name]}" ] || room=$((room - 1)); done
    for name in "${names[@]}"; do
        lane=${step_lane[$name]}
        case ${step_state[$name]} in
        running) ;;
        waiting)
            if [ -z "$lane" ] || [ -z "${busy[$lane]:-}" ]; then
                if [ -n "${step_light[$name]}" ]; then
                    begin_step "$name"
                elif ((room > 0)) && begin_step "$name"; then
                    room=$((room - 1))
                fi
            fi
            ;;
        *) continue ;;
        esac
        # What has ended at once is out of the way of its lane.
        [[ -z $lane || ${step_state[$name]} != @(waiting|running) ]] || busy[$lane]=yes
    done
    [ ${#running[@]} -gt 0 ]
}

# Begins the step if the steps before it have ended, and fails if it does not run then.
begin_step() {
    local name=$1 earlier program log
    while IFS= read -r earlier; do
        [ -n "$earlier" ] || continue
        case ${step_state[$earlier]} in
        passed) ;;
        waiting | running) return 1 ;;
        *)
            step_log[$name]=/dev/null
            ended "$name" "${step_state[$earlier]}" "did not run: $earlier has ${step_state[$earlier]}"
            return 1
            ;;
        esac
    done <<<"${step_after[$name]}"
    for program in ${step_needs[$name]}; do
        if ! command -v "$program" >/dev/null; then
            step_log[$name]=/dev/null
            ended "$name" "$([ -n "$skip_missing" ] && echo skipped || echo failed)" "needs $program"
            return 1
        fi
    done
    printf -v log '%s/%02d-%s.log' "$logs" "$((${#step_log[@]} + 1))" "${name//[^A-Za-z0-9]/-}"
    step_log[$name]=$log
    step_begin[$name]=$SECONDS
    step_state[$name]=running
    echo "--- begins: $name"
    set -m # a process group
    (
        trap 'times >"$log.times"' EXIT
        export STEP_COUNTS=$log.counts
        group=$BASHPID
        (sleep "$limit" && echo "killed: has run for $limit s" && kill -KILL -- "-$group") &
        eval "${step_command[$name]}"
    ) >"$log" 2>&1 </dev/null &
    set +m
    running[$!]=$name
}

# Waits until a step ends, and says how it ended.
end_step() {
    local pid='' status=0 name log counts
    wait -n -p pid "${!running[@]}" 2>/dev/null || status=$?
    [ -n "$pid" ] || return 0
    name=${running[$pid]} log=${step_log[${running[$pid]}]}
    unset "running[$pid]"
    step_seconds[$name]=$((SECONDS - step_begin[$name]))
    step_processor[$name]=$(processor_time "$log.times")
    if [ -f "$log.counts" ]; then
        while read -r -a counts; do
            passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
        done <"$log.counts"
    fi
    if ((status == 0)); then
        ended "$name" passed "$(duration "$name")"
    elif ((status > 128)) && kill -l "$((status - 128))" >/dev/null 2>&1; then
        ended "$name" failed "killed by SIG$(kill -l "$((status - 128))"), $(duration "$name")"
    else
        ended "$name" failed "$(duration "$name")"
    fi
    # Nothing that it has begun may go on.
    kill -KILL -- "-$pid" 2>/dev/null || true
    rm -f "$log.times" "$log.counts"
}

# ended NAME STATE HOW: counts it, and prints what it wrote.
ended() {
    local name=$1 state=$2 how=$3
    step_state[$name]=$state
    case $state in
    passed) passed=$((passed + 1)) how="=== ok: $name ($how)" ;;
    skipped) skipped=$((skipped + 1)) how="skipped: $name ${how#did not run: }" ;;
    *) failed=$((failed + 1)) how="=== FAILED: $name ($how)" && failures+=("$how") ;;
    esac
    echo "=== $name"
    cat "${step_log[$name]}"
    echo "$how"
}

# duration NAME: how long it took, and how much of that was work.
duration() { echo "${step_seconds[$1]} s, ${step_processor[$1]} s of processor time"; }

# processor_time FILE: the seconds in what the builtin `times` wrote.
processor_time() {
    { cat "$1" 2>/dev/null || true; } |
        awk '{ for (i = 1; i <= NF; i++) { split($i, t, /[ms]/); n += 60 * t[1] + t[2] } } END { printf "%d", n + 0.5 }'
}

# Failed steps once more, where the time went, the closing line; ends the program.
finish() {
    local name line
    for line in "${failures[@]}"; do
        echo
        for name in "${names[@]}"; do
            [[ $line != "=== FAILED: $name ("* ]] || tail -n 60 "${step_log[$name]}"
        done
        echo "$line"
    done
    echo
    for name in "${!step_seconds[@]}"; do
        printf '%6d s %6d s of processor time  %s\n' "${step_seconds[$name]}" "${step_processor[$name]}" "$name"
    done | sort -rn | head -n 12
    echo "$SECONDS s in all; each step's output is in $logs"
    echo
    echo "$passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
    ((failed == 0))
    exit
}

# Ends every process of every step: asks first.
end_all() {
    local pid waited
    for pid in "${!running[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
    for ((waited = 0; waited < 50; waited++)); do
        for pid in "${!running[@]}"; do
            kill -0 -- "-$pid" 2>/dev/null || unset "running[$pid]"
        done
        [ ${#running[@]} -gt 0 ] || return 0
        sleep 0.1
    done
    for pid in "${!running[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || true; done
}

interrupted() {
    trap '' INT TERM HUP
    echo "interrupted: ending ${#running[@]} steps" >&2
    exit "$1"
}

work=$(mktemp -d)
trap 'end_all; rm -rf "$work"' EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP
