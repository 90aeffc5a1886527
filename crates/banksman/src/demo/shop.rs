//! The repository of the demo as it is at first, and the report on it: plain files in the folder beside this one.

/// The report, as an auditor would have written it.
pub(crate) const REPORT: &str = include_str!("AUDIT.md");

/// One of the first commits.
pub(super) struct First {
    /// What its message says.
    pub(super) subject: &'static str,
    /// When it was made, in the form that git reads.
    pub(super) date: &'static str,
    /// Its files: path and content.
    pub(super) files: &'static [(&'static str, &'static str)],
}

macro_rules! files {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("shop/", $path)))),*] };
}

/// The first commits, oldest first. Each adds files; none changes one.
pub(super) const COMMITS: [First; 3] = [
    First {
        subject: "Add carts and invoices",
        date: "2026-02-02T09:30:00+00:00",
        files: files![
            "README.md",
            "billing/amount.sh",
            "billing/invoice.sh",
            "cart/cart.sh",
            "cart/export.sh",
            "tests/assert.sh",
            "tests/billing_test.sh",
            "tests/cart_test.sh",
            "tests/run.sh",
        ],
    },
    First {
        subject: "Let customers log in",
        date: "2026-02-04T14:10:00+00:00",
        files: files!["auth/session.sh", "auth/throttle.sh", "tests/auth_test.sh", "tests/throttle_test.sh"],
    },
    First {
        subject: "Show products, say how to check out",
        date: "2026-02-09T11:05:00+00:00",
        files: files![
            "api/route.sh",
            "docs/checkout.md",
            "tests/api_test.sh",
            "tests/web_test.sh",
            "web/page.sh"
        ],
    },
];

/// All files of the first commits.
pub(super) fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMITS.iter().flat_map(|commit| commit.files).copied()
}
