# Invoices of carts: lines of "NAME COUNT CENTS" in, text out.

. ./billing/amount.sh

# invoice FILE: prints each line with its amount, and the total.
invoice() {
    total=0
    while read -r item count cents; do
        line=$(amount "$count" "$cents") || return 1
        printf '%-10s %3s %8s\n' "$item" "$count" "$line"
        total=$((total + line))
    done <"$1"
    printf '%-10s %3s %8s\n' total '' "$total"
}
