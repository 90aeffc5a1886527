. ./tests/assert.sh
CARTS=$(mktemp -d)
. ./cart/cart.sh

equal "an empty cart" "0" "$(cart_items 17)"
cart_add 17 tea 2 450
cart_add 17 mug 1 1200
equal "items" "3" "$(cart_items 17)"
rm -rf "$CARTS"
finish
