# Carts as CSV, for the spreadsheet of the accountant.

# cart_export FILE: prints a cart as CSV.
cart_export() {
    csv=/tmp/cart-export.csv
    echo "name,count,cents" >"$csv"
    awk '{ print $1 "," $2 "," $3 }' "$1" >>"$csv"
    cat "$csv"
    rm -f "$csv"
}
