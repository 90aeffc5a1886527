//! The calls of the items API, one function each.

use super::{
    Shared,
    wire::{ChangeIn, CommentIn, CommentOut, ItemIn, ItemOut, ListIn, PageOut, Problem},
};
use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
};
use banksman_core::{
    port::{
        Clock,
        tracker::{Change, ItemBook, ItemSelect, ItemStatus, NewItem},
    },
    tainted::Tainted,
    text::ItemId,
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Items on a page.
const PAGE: u32 = 50;

type Body = Result<Bytes, BytesRejection>;

/// `GET /items`.
pub(super) async fn list<B: ItemBook, C: Clock>(
    State(shared): State<Arc<Shared<B, C>>>,
    query: Result<Query<ListIn>, QueryRejection>,
) -> Result<Json<PageOut>, Problem> {
    let Query(wanted) = query.map_err(|_| Problem::Invalid("the query is not understood"))?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let status = given(wanted.status).map(|word| {
        ItemStatus::from_word(&word).ok_or(Problem::Invalid("status: open, in_progress, blocked or done"))
    });
    let next = given(wanted.next).map(|next| next.parse().map_err(|_| Problem::Invalid("next: no mark")));
    let select = ItemSelect {
        product: given(wanted.product_id),
        status: status.transpose()?,
        label: given(wanted.label),
        after: next.transpose()?.unwrap_or(0),
        limit: PAGE,
    };
    let (items, next) = shared.book.items(&select).await?;
    let items = items.into_iter().map(ItemOut::from).collect();
    Ok(Json(PageOut { items, next: next.map(|row| row.to_string()) }))
}

/// `POST /items`.
pub(super) async fn make<B: ItemBook, C: Clock>(
    State(shared): State<Arc<Shared<B, C>>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ItemOut>), Problem> {
    let item: ItemIn = read(
        &headers,
        body,
        "an item needs a title; id, productId, type, description, labels, priority are known",
    )?;
    item.check()?;
    let id = item.id.as_deref().map(ItemId::new).transpose();
    let new = NewItem {
        id: id.map_err(|_| Problem::Invalid("id: 1 to 100 printable ASCII characters without ? # \\ %"))?,
        product: item.product_id,
        kind: if item.kind.is_empty() { "task".to_owned() } else { item.kind },
        title: Tainted::new(item.title),
        description: Tainted::new(item.description),
        labels: item.labels,
        priority: item.priority,
        at: shared.clock.now(),
    };
    let id = shared.book.make(new).await?;
    Ok((StatusCode::CREATED, Json(shared.book.item(&id).await?.into())))
}

/// `GET /items/{id}`.
pub(super) async fn show<B: ItemBook, C: Clock>(
    State(shared): State<Arc<Shared<B, C>>>,
    Path(id): Path<String>,
) -> Result<Json<ItemOut>, Problem> {
    Ok(Json(shared.book.item(&item_id(&id)?).await?.into()))
}

/// `PATCH /items/{id}`.
pub(super) async fn change<B: ItemBook, C: Clock>(
    State(shared): State<Arc<Shared<B, C>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ItemOut>, Problem> {
    let id = item_id(&id)?;
    let change: ChangeIn =
        read(&headers, body, "a change is {status, note?}; status: open, in_progress, blocked or done")?;
    let status = change.status;
    let change = Change { status, note: change.note()?, at: shared.clock.now() };
    Ok(Json(shared.book.change(&id, change).await?.into()))
}

/// `POST /items/{id}/comments`.
pub(super) async fn comment<B: ItemBook, C: Clock>(
    State(shared): State<Arc<Shared<B, C>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<CommentOut>), Problem> {
    let id = item_id(&id)?;
    let comment: CommentIn = read(&headers, body, "a comment is {body}")?;
    let id = shared.book.comment(&id, comment.body()?, shared.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(CommentOut { id })))
}

/// Any other path.
pub(super) async fn nowhere() -> Problem {
    Problem::NotFound
}

/// Any other method.
pub(super) async fn not_this_way() -> Problem {
    Problem::Method
}

/// Whatever is no id is the id of nothing.
fn item_id(id: &str) -> Result<ItemId, Problem> {
    ItemId::new(id).map_err(|_| Problem::NotFound)
}

/// A body of JSON that says so: a page cannot send that type to us without asking first.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Body, shape: &'static str) -> Result<T, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::Invalid("the content type must be application/json"));
    }
    // The error of the parser may quote the text, so it is dropped.
    serde_json::from_slice(&body.map_err(|_| Problem::TooLarge)?).map_err(|_| Problem::Invalid(shape))
}
