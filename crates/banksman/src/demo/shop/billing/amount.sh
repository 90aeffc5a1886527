# The amount of one line of an invoice.

# amount COUNT CENTS: prints the amount in cents.
amount() {
    # All prices are whole cents.
    echo $(($1 * $2))
}
