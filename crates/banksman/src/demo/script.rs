//! The script: what the agents of the demo do about each finding. One of them breaks a test first and mends it, one is sent back by the
//! reviewer, two change the same line, and one never gets it right.

use super::scenario::{
    Change,
    Edit::{Replace, Write},
    Fate, Part, Remark,
};
use banksman_core::say::Instruction::{FixChecks, FixReviews, Implement};

/// `billing/amount.sh` with both sides of the conflict in it.
const AMOUNT: &str = r#"# The amount of one line of an invoice.

# amount COUNT CENTS: prints the amount in cents.
amount() {
    case $1 in
    '' | 0* | *[!0-9]*) echo "amount: not a quantity" >&2 && return 1 ;;
    esac
    # With leading zeros it would be octal.
    cents=${2#"${2%%[!0]*}"}
    echo $(($1 * ${cents:-0}))
}
"#;

/// The lines that two parts change.
const MULTIPLICATION: &str = "    # All prices are whole cents.\n    echo $(($1 * $2))\n";

/// All parts, in the order of the report; the pattern last.
pub(crate) static SCRIPT: [Part; 10] = [
    Part {
        name: "BILL-01",
        places: &["billing/amount.sh:4"],
        changes: &[Change {
            answers: Implement,
            subject: "Refuse quantities that are not above zero",
            edits: &[
                Replace {
                    path: "billing/amount.sh",
                    old: MULTIPLICATION,
                    new: r#"    case $1 in
    '' | 0* | *[!0-9]*) echo "amount: not a quantity" >&2 && return 1 ;;
    esac
    echo $(($1 * $2))
"#,
                },
                Write {
                    path: "tests/quantity_test.sh",
                    text: r#". ./tests/assert.sh
. ./billing/amount.sh

equal "three of them" "1350" "$(amount 3 450)"
refuses "less than nothing" amount -3 450
refuses "nothing" amount 0 450
refuses "a word" amount tea 450
finish
"#,
                },
            ],
        }],
        remark: None,
        together: &[("billing/amount.sh", AMOUNT)],
        fate: Fate::Merged,
    },
    Part {
        name: "BILL-02",
        places: &["billing/amount.sh:6"],
        changes: &[Change {
            answers: Implement,
            subject: "Read prices as decimal numbers",
            edits: &[
                Replace {
                    path: "billing/amount.sh",
                    old: MULTIPLICATION,
                    new: r#"    # With leading zeros it would be octal.
    cents=${2#"${2%%[!0]*}"}
    echo $(($1 * ${cents:-0}))
"#,
                },
                Write {
                    path: "tests/price_test.sh",
                    text: r#". ./tests/assert.sh
. ./billing/amount.sh

equal "a padded price" "200" "$(amount 2 0100)"
equal "digits above seven" "890" "$(amount 1 0890)"
equal "for nothing" "0" "$(amount 2 000)"
finish
"#,
                },
            ],
        }],
        remark: None,
        together: &[("billing/amount.sh", AMOUNT)],
        fate: Fate::Merged,
    },
    Part {
        name: "API-01",
        places: &["api/route.sh:15"],
        changes: &[Change {
            answers: Implement,
            subject: "Check product ids before they become a path",
            edits: &[
                Replace {
                    path: "api/route.sh",
                    old: "# Finds the handler of a request.\n",
                    new: "# Finds the handler of a request.\n\n. ./lib/valid.sh\n",
                },
                Replace {
                    path: "api/route.sh",
                    old: "    echo \"data/products/$1.txt\"\n",
                    new: "    valid_id \"$1\" || return 1\n    echo \"data/products/$1.txt\"\n",
                },
                Write {
                    path: "tests/product_id_test.sh",
                    text: r#". ./tests/assert.sh
. ./api/route.sh

equal "a product" "data/products/green-tea.txt" "$(product_file green-tea)"
refuses "a way out" product_file ../../etc/hostname
finish
"#,
                },
            ],
        }],
        remark: None,
        together: &[],
        fate: Fate::Merged,
    },
    Part {
        name: "AUTH-01",
        places: &["auth/session.sh:7"],
        changes: &[Change {
            answers: Implement,
            subject: "Check session tokens before they become a path",
            edits: &[
                Replace {
                    path: "auth/session.sh",
                    old: "SESSIONS=${SESSIONS:-data/sessions}\n",
                    new: ". ./lib/valid.sh\n\nSESSIONS=${SESSIONS:-data/sessions}\n",
                },
                Replace {
                    path: "auth/session.sh",
                    old: "    echo \"$SESSIONS/$1\"\n",
                    new: "    valid_id \"$1\" || return 1\n    echo \"$SESSIONS/$1\"\n",
                },
                Write {
                    path: "tests/token_test.sh",
                    text: r#". ./tests/assert.sh
SESSIONS=/sessions
. ./auth/session.sh

equal "a token" "/sessions/a1b2c3" "$(session_file a1b2c3)"
refuses "another file" session_file ../failures
refuses "no token" session_file ""
finish
"#,
                },
            ],
        }],
        remark: None,
        together: &[],
        fate: Fate::Merged,
    },
    Part {
        name: "CART-01",
        places: &["cart/cart.sh:7"],
        changes: &[Change {
            answers: Implement,
            subject: "Check customer numbers before they become a path",
            edits: &[
                Replace {
                    path: "cart/cart.sh",
                    old: "CARTS=${CARTS:-data/carts}\n",
                    new: ". ./lib/valid.sh\n\nCARTS=${CARTS:-data/carts}\n",
                },
                Replace {
                    path: "cart/cart.sh",
                    old: "    echo \"$CARTS/$1\"\n",
                    new: "    valid_id \"$1\" || return 1\n    echo \"$CARTS/$1\"\n",
                },
                Write {
                    path: "tests/customer_test.sh",
                    text: r#". ./tests/assert.sh
CARTS=/carts
. ./cart/cart.sh

equal "a customer" "/carts/17" "$(cart_file 17)"
refuses "a product" cart_file ../products/tea.txt
finish
"#,
                },
            ],
        }],
        remark: None,
        together: &[],
        fate: Fate::Merged,
    },
    Part {
        name: "WEB-01",
        places: &["web/page.sh:11"],
        changes: &[
            Change {
                answers: Implement,
                subject: "Escape markup in the product table",
                edits: &[
                    Replace {
                        path: "web/page.sh",
                        old: "# product_row NAME CENTS: prints a row of the product table.\n",
                        // The ampersand comes last, so that the others are escaped twice: a test is red.
                        new: r#"# escape TEXT: prints it so that a page shows it as it is.
escape() {
    printf '%s' "$1" | sed -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/&/\&amp;/g'
}

# product_row NAME CENTS: prints a row of the product table.
"#,
                    },
                    Replace {
                        path: "web/page.sh",
                        old: "</td></tr>\\n' \"$1\" \"$2\"\n",
                        new: "</td></tr>\\n' \"$(escape \"$1\")\" \"$(escape \"$2\")\"\n",
                    },
                    Write {
                        path: "tests/escape_test.sh",
                        text: r#". ./tests/assert.sh
. ./web/page.sh

equal "markup" "&lt;b&gt;" "$(escape '<b>')"
equal "an ampersand" "tea &amp; mug" "$(escape 'tea & mug')"
equal "a row" "<tr><td>&lt;b&gt;</td><td>450</td></tr>" "$(product_row '<b>' 450)"
finish
"#,
                    },
                ],
            },
            Change {
                answers: FixChecks,
                subject: "Escape ampersands first",
                edits: &[Replace {
                    path: "web/page.sh",
                    old: r"-e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/&/\&amp;/g'",
                    new: r"-e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g'",
                }],
            },
        ],
        remark: None,
        together: &[],
        fate: Fate::Merged,
    },
    Part {
        name: "CART-02",
        places: &["cart/export.sh:5"],
        changes: &[
            Change {
                answers: Implement,
                subject: "Let mktemp choose the file of the export",
                edits: &[
                    Replace {
                        path: "cart/export.sh",
                        old: "    csv=/tmp/cart-export.csv\n",
                        new: "    csv=$(mktemp)\n",
                    },
                    Write {
                        path: "tests/export_test.sh",
                        text: r#". ./tests/assert.sh
. ./cart/export.sh

cart=$(mktemp)
echo "tea 2 450" >"$cart"
equal "a line" "tea,2,450" "$(cart_export "$cart" | tail -n 1)"
rm -f "$cart"
finish
"#,
                    },
                ],
            },
            Change {
                answers: FixReviews,
                subject: "Stop the export when it gets no file",
                edits: &[
                    Replace {
                        path: "cart/export.sh",
                        old: "    csv=$(mktemp)\n",
                        new: "    csv=$(mktemp) || return 1\n",
                    },
                    Replace {
                        path: "tests/export_test.sh",
                        old: "rm -f \"$cart\"\n",
                        new: r#"
on_a_full_disk() {
    mktemp() { return 1; }
    cart_export "$cart"
}
refuses "a full disk" on_a_full_disk
rm -f "$cart"
"#,
                    },
                ],
            },
        ],
        remark: Some(Remark {
            path: "cart/export.sh",
            line: 5,
            body: "`mktemp` fails when the disk is full. The name is empty then, every line below goes wrong, and the \
                   function still says that all went well. Please stop here, with a test.",
        }),
        together: &[],
        fate: Fate::Merged,
    },
    Part {
        name: "AUTH-02",
        places: &["auth/throttle.sh:13"],
        changes: &[
            Change {
                answers: Implement,
                subject: "Forget failed logins after fifteen minutes",
                edits: &[
                    Replace {
                        path: "auth/throttle.sh",
                        old: "        $1 == user { failures++ }\n",
                        // Seconds are taken for minutes.
                        new: "        $1 == user && now - $2 < 15 { failures++ }\n",
                    },
                    Write {
                        path: "tests/forget_test.sh",
                        text: r#". ./tests/assert.sh
FAILURES=$(mktemp)
. ./auth/throttle.sh

login_failed ada 100
login_failed ada 200
login_failed ada 300
login_allowed ada 2000 || equal "half an hour later" "allowed" "locked"
rm -f "$FAILURES"
finish
"#,
                    },
                ],
            },
            Change {
                answers: FixChecks,
                subject: "Count in seconds",
                edits: &[Replace {
                    path: "auth/throttle.sh",
                    old: "now - $2 < 15 {",
                    // Now the old ones are counted and the new ones forgotten.
                    new: "now - $2 > 15 * 60 {",
                }],
            },
            Change {
                answers: FixChecks,
                subject: "Turn the comparison round",
                edits: &[Replace {
                    path: "auth/throttle.sh",
                    old: "now - $2 > 15 * 60 {",
                    // Always true: nothing is ever forgotten again.
                    new: "$2 - now < 15 * 60 {",
                }],
            },
        ],
        remark: None,
        together: &[],
        fate: Fate::Escalated,
    },
    Part {
        name: "DOCS-01",
        places: &["docs/checkout.md:4"],
        changes: &[Change {
            answers: Implement,
            subject: "Name the function that prints an invoice",
            edits: &[Replace {
                path: "docs/checkout.md",
                old: "`sh bin/invoice.sh 17`",
                new: "`. ./billing/invoice.sh`, then `invoice data/carts/17`",
            }],
        }],
        remark: None,
        together: &[],
        fate: Fate::Merged,
    },
    Part {
        name: "shared-check",
        places: &["api/route.sh:15", "auth/session.sh:7", "cart/cart.sh:7"],
        changes: &[Change {
            answers: Implement,
            subject: "Add one check for identifiers",
            edits: &[
                Write {
                    path: "lib/valid.sh",
                    text: r#"# What may become part of a path.

# valid_id TEXT: whether it is nothing but letters, digits, dashes and underscores.
valid_id() {
    case $1 in
    '' | *[!A-Za-z0-9_-]*) return 1 ;;
    esac
}
"#,
                },
                Write {
                    path: "tests/valid_test.sh",
                    text: r#". ./tests/assert.sh
. ./lib/valid.sh

valid_id green-tea_2 || equal "an identifier" "valid" "refused"
refuses "nothing" valid_id ""
refuses "a way up" valid_id ..
refuses "a folder" valid_id a/b
finish
"#,
                },
            ],
        }],
        remark: None,
        together: &[],
        fate: Fate::Merged,
    },
];
