# Carts: one file per customer, lines of "NAME COUNT CENTS".

CARTS=${CARTS:-data/carts}

# cart_file CUSTOMER: prints where a cart is kept.
cart_file() {
    echo "$CARTS/$1"
}

# cart_add CUSTOMER NAME COUNT CENTS: puts an item into a cart.
cart_add() {
    file=$(cart_file "$1") || return 1
    mkdir -p "$CARTS"
    printf '%s %s %s\n' "$2" "$3" "$4" >>"$file"
}

# cart_items CUSTOMER: prints how many items are in a cart.
cart_items() {
    file=$(cart_file "$1") || return 1
    [ -f "$file" ] || { echo 0; return; }
    awk '{ items += $2 } END { print items + 0 }' "$file"
}
