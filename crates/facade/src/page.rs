//! Pages of REST lists: `page` and `per_page` in, `Link` out.

use axum::{
    Json,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::fmt::Write;

/// Most entries of a page, as on GitHub.
const MOST: usize = 100;
/// Entries of a page unless the client says otherwise.
const USUAL: usize = 30;

/// Which page of a list is wanted, and of which address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    page: usize,
    per_page: usize,
    /// The address without `page`.
    base: String,
}

impl Page {
    /// Reads what the client wants. Nonsense counts as the usual, as on GitHub.
    pub(crate) fn of(uri: &Uri, api: &str) -> Self {
        let mut wanted = Self { page: 1, per_page: USUAL, base: String::new() };
        let mut rest = String::new();
        for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("page", value)) => wanted.page = value.parse().unwrap_or(1).max(1),
                Some(("per_page", value)) => {
                    wanted.per_page = value.parse().unwrap_or(USUAL).clamp(1, MOST);
                    let _ = write!(rest, "{pair}&");
                }
                _ => {
                    let _ = write!(rest, "{pair}&");
                }
            }
        }
        let path = uri.path().strip_prefix("/api/v3").unwrap_or(uri.path());
        wanted.base = format!("{api}{path}?{rest}");
        wanted
    }

    /// The entries of this page.
    pub(crate) fn cut<T>(&self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip((self.page - 1).saturating_mul(self.per_page)).take(self.per_page).collect()
    }

    /// The header that leads to the other pages; `None`: there is just one.
    pub(crate) fn link(&self, total: usize) -> Option<HeaderValue> {
        let last = total.div_ceil(self.per_page).max(1);
        let mut link = String::new();
        let mut add = |page: usize, rel: &str| {
            let comma = if link.is_empty() { "" } else { ", " };
            let _ = write!(link, "{comma}<{}page={page}>; rel=\"{rel}\"", self.base);
        };
        if self.page > 1 {
            add((self.page - 1).min(last), "prev");
        }
        if self.page < last {
            add(self.page + 1, "next");
            add(last, "last");
        }
        if self.page > 1 {
            add(1, "first");
        }
        HeaderValue::from_str(&link).ok().filter(|link| !link.is_empty())
    }

    /// A page as an answer; `show` makes an entry of it.
    pub(crate) fn answer<T, S: Serialize>(&self, all: Vec<T>, show: impl FnMut(T) -> S) -> Response {
        let link = self.link(all.len());
        let shown: Vec<S> = self.cut(all).into_iter().map(show).collect();
        with_link(Json(shown).into_response(), link)
    }
}

/// An answer that leads to other pages.
pub(crate) fn with_link(mut answer: Response, link: Option<HeaderValue>) -> Response {
    if let Some(link) = link {
        answer.headers_mut().insert(header::LINK, link);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(uri: &str) -> Page {
        Page::of(&uri.parse().unwrap(), "http://h")
    }

    #[test]
    fn a_middle_page_leads_to_all_others() {
        let page = page("/repos/me/shop/issues?state=all&per_page=2&page=2");
        assert_eq!(page.cut(vec![1, 2, 3, 4, 5]), [3, 4]);
        let at = "http://h/repos/me/shop/issues?state=all&per_page=2&page";
        assert_eq!(
            page.link(5).unwrap(),
            format!(
                "<{at}=1>; rel=\"prev\", <{at}=3>; rel=\"next\", <{at}=3>; rel=\"last\", <{at}=1>; rel=\"first\""
            )
        );
    }

    #[test]
    fn a_single_page_has_no_link() {
        assert_eq!(page("/x").link(30), None);
        assert_eq!(page("/x?per_page=1000").link(100), None);
        assert_eq!(page("/x?page=0&per_page=0").cut(vec![1, 2]), [1]);
    }
}
