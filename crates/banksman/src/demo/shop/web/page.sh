# Pages.

# page TITLE: prints a page around what comes on standard input.
page() {
    printf '<!doctype html>\n<meta charset="utf-8">\n<title>%s</title>\n' "$1"
    cat
}

# product_row NAME CENTS: prints a row of the product table.
product_row() {
    printf '<tr><td>%s</td><td>%s</td></tr>\n' "$1" "$2"
}
