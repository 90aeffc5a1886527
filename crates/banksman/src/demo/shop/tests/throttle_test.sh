. ./tests/assert.sh
FAILURES=$(mktemp)
. ./auth/throttle.sh

login_failed ada 100
login_failed ada 200
login_allowed ada 250 || equal "two failures" "allowed" "locked"
login_failed ada 300
refuses "three failures" login_allowed ada 400
login_allowed bob 400 || equal "somebody else" "allowed" "locked"
rm -f "$FAILURES"
finish
