# Failed logins: one line per failure, "USER SECONDS".

FAILURES=${FAILURES:-data/failures}

# login_failed USER NOW: remembers a failed login.
login_failed() {
    printf '%s %s\n' "$1" "$2" >>"$FAILURES"
}

# login_allowed USER NOW: whether the user may try again.
login_allowed() {
    awk -v user="$1" -v now="$2" '
        $1 == user { failures++ }
        END { exit failures >= 3 }
    ' "$FAILURES"
}
