# Finds the handler of a request.

# route METHOD PATH: prints the handler and its argument.
route() {
    case "$1 $2" in
    "GET /products/"*) echo "show_product ${2#/products/}" ;;
    "GET /cart/"*) echo "show_cart ${2#/cart/}" ;;
    "POST /checkout") echo "checkout" ;;
    *) echo "not_found" ;;
    esac
}

# product_file ID: prints where a product is kept.
product_file() {
    echo "data/products/$1.txt"
}

# access_line ADDRESS METHOD PATH: prints a line of the access log.
access_line() {
    printf '%s "%s %s"\n' "$1" "$2" "$3"
}
