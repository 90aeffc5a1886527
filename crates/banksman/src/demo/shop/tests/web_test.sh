. ./tests/assert.sh
. ./web/page.sh

equal "a row" "<tr><td>tea</td><td>450</td></tr>" "$(product_row tea 450)"
equal "the title" "<title>Shop</title>" "$(echo | page Shop | grep title)"
finish
