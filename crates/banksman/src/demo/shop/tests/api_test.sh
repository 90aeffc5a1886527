. ./tests/assert.sh
. ./api/route.sh

equal "a product" "show_product tea" "$(route GET /products/tea)"
equal "checkout" "checkout" "$(route POST /checkout)"
equal "anything else" "not_found" "$(route DELETE /products/tea)"
equal "file of a product" "data/products/tea.txt" "$(product_file tea)"
finish
