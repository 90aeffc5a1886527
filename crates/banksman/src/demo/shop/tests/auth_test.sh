. ./tests/assert.sh
SESSIONS=$(mktemp -d)
. ./auth/session.sh

session_open a1b2c3 ada
equal "user of a session" "ada" "$(session_user a1b2c3)"
refuses "an unknown token" session_user ffffff
rm -rf "$SESSIONS"
finish
