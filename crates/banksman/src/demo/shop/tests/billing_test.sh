. ./tests/assert.sh
. ./billing/invoice.sh

equal "an amount" "900" "$(amount 2 450)"
file=$(mktemp)
printf 'tea 2 450\nmug 1 1200\n' >"$file"
equal "the total" "total 2100" "$(invoice "$file" | awk 'END { print $1, $2 }')"
rm -f "$file"
finish
