# Sessions: one file per token, with the name of the user in it.

SESSIONS=${SESSIONS:-data/sessions}

# session_file TOKEN: prints where a session is kept.
session_file() {
    echo "$SESSIONS/$1"
}

# session_open TOKEN USER: begins a session.
session_open() {
    file=$(session_file "$1") || return 1
    mkdir -p "$SESSIONS"
    printf '%s\n' "$2" >"$file"
}

# session_user TOKEN: prints who is logged in.
session_user() {
    file=$(session_file "$1") || return 1
    [ -f "$file" ] && cat "$file"
}
