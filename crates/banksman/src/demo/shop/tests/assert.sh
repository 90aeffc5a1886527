# What tests need. Source it from the root of the repository.

errors=0

# equal WHAT WANTED GOT
equal() {
    [ "$2" = "$3" ] && return
    echo "  $1: wanted '$2', got '$3'"
    errors=$((errors + 1))
}

# refuses WHAT COMMAND...: the command has to fail.
refuses() {
    what=$1
    shift
    ("$@") >/dev/null 2>&1 || return 0
    echo "  $what: not refused"
    errors=$((errors + 1))
}

# finish: ends the test file.
finish() {
    exit "$((errors > 0))"
}
