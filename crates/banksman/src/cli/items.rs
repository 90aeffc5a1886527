//! `items`: makes and shows items of the embedded tracker, beside its server.

use crate::{
    app::App,
    clock::now,
    home::Home,
    host::block_on,
    output::{Cell, Exit, Failure, Table, clean, clean_lines, terminal_size},
    server::TrackerPlaces,
};
use anyhow::Context as _;
use banksman_core::{
    manifest::MAX_BODY,
    port::tracker::{Change, ItemBook as _, ItemBookError, ItemRecord, ItemSelect, ItemStatus, NewItem},
    tainted::Tainted,
    text::ItemId,
};
use banksman_store::items::SqliteItems;
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use jiff::Timestamp;
use serde::Serialize;
use std::{io::Read as _, path::PathBuf};

/// Items read at a time.
const PAGE: u32 = 200;

/// Look at the items of the embedded tracker, or make and change them.
#[derive(Debug, Args)]
pub(crate) struct ItemsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an item; its id is printed.
    Add {
        /// Its title.
        title: String,
        /// A file with its description; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// A label, such as `engine:claude`; may be repeated.
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,
        /// The product it belongs to [default: the configured one].
        #[arg(long)]
        product: Option<String>,
        /// Its id [default: the next free T-<number>].
        #[arg(long)]
        id: Option<ItemId>,
        /// What kind of item it is.
        #[arg(long = "type", value_name = "WORD", default_value = "task")]
        kind: String,
        /// How urgent it is, for people; the label `priority:X` decides for the job.
        #[arg(long)]
        priority: Option<String>,
    },
    /// List items, oldest first.
    List {
        /// With this status.
        #[arg(long, value_parser = status_words())]
        status: Option<String>,
        /// With this label.
        #[arg(long)]
        label: Option<String>,
        /// Of this product.
        #[arg(long)]
        product: Option<String>,
    },
    /// Show one with its comments.
    Show {
        /// Its id.
        id: ItemId,
    },
    /// Set the status of one.
    Set {
        /// Its id.
        id: ItemId,
        /// The status.
        #[arg(value_parser = status_words())]
        status: String,
        /// What is said with it.
        #[arg(long)]
        note: Option<String>,
    },
}

fn status_words() -> PossibleValuesParser {
    ItemStatus::ALL.map(ItemStatus::as_str).into()
}

/// An item, for scripts.
#[derive(Serialize)]
struct Shown {
    id: ItemId,
    #[serde(rename = "productId")]
    product: String,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: ItemStatus,
    note: Option<String>,
    labels: Vec<String>,
    priority: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<Vec<Said>>,
}

/// A comment, for scripts.
#[derive(Serialize)]
struct Said {
    at: Timestamp,
    body: String,
}

pub(super) fn run(args: ItemsArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    home.make()?;
    let items = TrackerPlaces::of(&home).items()?;
    let own_product = app.tracker(&settings)?.and_then(|tracker| tracker.product);
    block_on(async {
        match args.what {
            What::Add { title, file, labels, product, id, kind, priority } => {
                let item = NewItem {
                    id,
                    product: product.or(own_product).unwrap_or_default(),
                    kind,
                    title: Tainted::new(one_line(title)?),
                    description: Tainted::new(file.map(read).transpose()?.unwrap_or_default()),
                    labels,
                    priority,
                    at: now(),
                };
                let id = items.make(item).await.map_err(refused)?;
                app.page.write(&id, |id| format!("{id}\n"))?;
            }
            What::List { status, label, product } => {
                let status = status.as_deref().and_then(ItemStatus::from_word);
                let all = list(&items, ItemSelect { product, status, label, after: 0, limit: PAGE }).await?;
                app.page.write(&all, |all| table(all))?;
            }
            What::Show { id } => {
                let comments = items.comments(&id).await.map_err(refused)?;
                let mut item = Shown::whole(items.item(&id).await.map_err(refused)?);
                let said = |(at, body): (Timestamp, Tainted)| Said { at, body: body.into_forge_slot() };
                item.comments = Some(comments.into_iter().map(said).collect());
                app.page.write(&item, page)?;
            }
            What::Set { id, status, note } => {
                let status = ItemStatus::from_word(&status).context("a status")?;
                let change = Change { status, note: note.map(Tainted::new), at: now() };
                let item = Shown::brief(items.change(&id, change).await.map_err(refused)?);
                app.page.write(&item, |item| format!("{}: {}\n", item.id, item.status.as_str()))?;
            }
        }
        Ok(Exit::Success)
    })
}

async fn list(items: &SqliteItems, mut which: ItemSelect) -> anyhow::Result<Vec<Shown>> {
    let mut all = Vec::new();
    loop {
        let (page, next) = items.items(&which).await.map_err(refused)?;
        all.extend(page.into_iter().map(Shown::brief));
        let Some(next) = next else { return Ok(all) };
        which.after = next;
    }
}

impl Shown {
    fn whole(item: ItemRecord) -> Self {
        Self {
            id: item.id,
            product: item.product,
            kind: item.kind,
            title: item.title.into_forge_slot(),
            description: Some(item.description.into_forge_slot()),
            status: item.status,
            note: item.note.map(Tainted::into_forge_slot),
            labels: item.labels,
            priority: item.priority,
            created_at: item.created_at,
            updated_at: item.updated_at,
            comments: None,
        }
    }

    fn brief(item: ItemRecord) -> Self {
        Self { description: None, ..Self::whole(item) }
    }
}

fn table(all: &[Shown]) -> String {
    if all.is_empty() {
        return "there are no such items; `banksman items add TITLE` makes one\n".to_owned();
    }
    let mut table = Table::new(&["item", "status", "title", "labels"]);
    for item in all {
        let cells =
            [item.id.as_str(), item.status.as_str(), &clean(&item.title), &clean(&item.labels.join(", "))];
        table.row(cells.map(Cell::from));
    }
    table.lines(terminal_size().0).iter().map(|line| format!("{line}\n")).collect()
}

fn page(item: &Shown) -> String {
    let mut text = format!("{}  {}  {}\n", item.id, item.status.as_str(), clean(&item.title));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name}: {}\n", clean(value)));
        }
    };
    line("product", &item.product);
    line("type", &item.kind);
    line("priority", item.priority.as_deref().unwrap_or_default());
    line("labels", &item.labels.join(", "));
    line("note", item.note.as_deref().unwrap_or_default());
    if let Some(description) = item.description.as_deref().filter(|text| !text.is_empty()) {
        text.push_str(&format!("\n{}\n", clean_lines(description).trim_end()));
    }
    for said in item.comments.iter().flatten() {
        text.push_str(&format!("\n-- {:.0}\n{}\n", said.at, clean_lines(&said.body).trim_end()));
    }
    text
}

fn one_line(title: String) -> anyhow::Result<String> {
    if title.trim().is_empty() || title.contains(char::is_control) {
        return Err(Failure::usage("a title is one line that is not empty", "put the rest into --file FILE"));
    }
    Ok(title)
}

fn read(file: PathBuf) -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = MAX_BODY as u64 + 1;
    if file.as_os_str() == "-" {
        std::io::stdin().take(limit).read_to_string(&mut text)?;
    } else {
        let opened = std::fs::File::open(&file).with_context(|| format!("cannot read {}", file.display()))?;
        opened
            .take(limit)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    if text.len() > MAX_BODY {
        return Err(Failure::new("the description is over 1 MiB", "a job could not be made of it"));
    }
    Ok(text)
}

fn refused(error: ItemBookError) -> anyhow::Error {
    match error {
        ItemBookError::Missing => Failure::new(error.to_string(), "`banksman items list` lists them"),
        ItemBookError::Exists => Failure::new(error.to_string(), "leave --id out for a free one"),
        ItemBookError::Full | ItemBookError::Failed(_) => error.into(),
    }
}
