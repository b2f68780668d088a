# xtask ARGUMENT...: a developer's chore, by the program that the variable XTASK names; built first where it names none.
# shellcheck shell=bash
xtask() {
    if [ -n "${XTASK:-}" ]; then
        "$XTASK" "$@"
    else
        cargo xtask "$@"
    fi
}
