//! Prints what looking costs on GitHub, as JSON: one look at 100 open pull requests, and an hour of 1,000 of them in 50 repositories with 200
//! pushes and webhooks on, looked at as often besides as `serve` does by default: with webhooks, and without.

use banksman_core::repo::Sweeps;
use banksman_sim::{an_hour, one_look};

fn main() {
    let hour = |sweeps| an_hour(50, 20, 200, sweeps);
    let costs = serde_json::json!({ "sweep": one_look(100), "hour": hour(Sweeps::HEARD), "hour_unheard": hour(Sweeps::AWAY) });
    println!("{costs}");
}
