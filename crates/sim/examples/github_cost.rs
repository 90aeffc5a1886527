//! Prints what looking costs on GitHub, as JSON: one look at 100 open pull requests, and an hour of 1,000 of them in 50 repositories with 200
//! pushes and webhooks on, swept every minute or every ten while something moves.

use banksman_sim::{an_hour, one_look};

fn main() {
    let costs = serde_json::json!({ "sweep": one_look(100), "hour": an_hour(50, 20, 200, 1), "hour_swept_slowly": an_hour(50, 20, 200, 10) });
    println!("{costs}");
}
