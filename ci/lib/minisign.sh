# Keys, and signatures by minisign.
# shellcheck shell=bash

# keep_secret FILE TEXT: a key for this script alone.
keep_secret() { (umask 077 && printf '%s\n' "$2" >"$1"); }

# with_key KEY OPTION...: minisign with a secret key, whose password is in MINISIGN_PASSWORD if it has one. What it says
# is shown where it fails.
with_key() {
    local key=$1 said
    shift
    # Not by a pipe: minisign does not read the password of a key that has none, and the writer would fail.
    said=$(minisign "$@" -s "$key" <<<"${MINISIGN_PASSWORD:-}" 2>&1) || {
        echo "$said" >&2
        return 1
    }
}

# sign KEY FILE COMMENT: the untrusted comment repeats the trusted one, as `wifibox-build verify` asks for.
sign() { with_key "$1" -S -m "$2" -c "$3" -t "$3"; }
