//! `status`: the queue as a board, or one job in full. Reads only.

mod board;
mod full;
mod loops;
mod purse;

use crate::{
    app::App,
    home::Home,
    host::{block_on, find_job, open_store},
    output::Exit,
};
use clap::Args;

/// Show the queue, or one job in full.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// A job: its number or idempotency key [default: the whole queue].
    job: Option<String>,
    /// Rows of each part of the board.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "ROWS")]
    rows: u32,
}

pub(super) fn run(args: &StatusArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    if settings.store.is_none() && !home.store().exists() && home.orphaned_jobs() == 0 {
        return board::empty(app);
    }
    block_on(async {
        let store = open_store(&settings, &home).await?;
        match &args.job {
            Some(wanted) => {
                let job = find_job(&store, wanted).await?;
                full::show(&store, &home, job, app).await
            }
            None => board::show(&store, &home, args.rows, app).await,
        }
    })
}
