//! The story told by hand: the report, the script and the agents against plain git, without the pipeline.

mod report;
mod stage;
mod story;
