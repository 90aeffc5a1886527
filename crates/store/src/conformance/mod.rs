//! What every store has to do, whatever database stands behind it: one function a fact, each given a fresh store. Needs no
//! runtime of its own; a failed case panics.
//!
//! ```text
//! async fn open() -> Box<MyStore> { ... }     // whatever dereferences to a fresh, empty store
//! banksman_store::store_conformance!(open, my_runtime::block_on);
//! ```
//!
//! The macro makes one test of each case. What only shows from outside (durability, crashes, a full disk) is tested beside
//! each store.

pub mod claims;
pub mod intents;
pub mod leases;
pub mod pulls;
pub mod records;
pub mod samples;
pub mod spends;
pub mod work;

/// Makes one `#[test]` of each case. First argument: an async function that gives something that dereferences to a fresh
/// store; second: a function that runs a future to its end.
#[macro_export]
macro_rules! store_conformance {
    ($open:path, $block_on:path) => {
        $crate::store_conformance!(@list tests $open, $block_on);
    };
    (@list $then:ident $($with:tt)*) => {
        $crate::store_conformance! { @$then $($with)*;
            leases:
                a_lease_lasts_until_its_end_and_then_goes_to_the_next,
                a_holder_renews_with_the_same_token,
                a_lease_that_was_taken_over_can_write_nothing,
                a_lease_that_ran_out_is_good_until_somebody_takes_it,
                a_lease_of_another_repository_is_no_right,
                of_two_holders_at_once_one_gets_the_lease,
                broken_leases_are_free_and_fenced,
                repositories_are_known_by_their_lease;
            intents:
                an_intent_is_written_once,
                receipts_are_kept_in_their_order,
                a_last_receipt_ends_the_intent,
                an_intent_without_steps_is_settled,
                a_refused_intent_is_opened_again_and_counts_its_tries,
                a_refused_intent_keeps_its_receipts_and_their_deed,
                an_intent_that_is_not_open_takes_nothing,
                intents_are_found_by_state_subject_and_key,
                every_kind_of_receipt_comes_back,
                the_same_intent_at_once_is_written_once;
            spends:
                a_spend_is_reserved_with_its_intent_and_settled_with_its_end,
                a_refusal_releases_the_spend,
                an_intent_over_the_cap_is_not_written,
                an_intent_that_exists_spends_nothing,
                a_reopened_intent_spends_again_and_asks_the_cap,
                the_cap_counts_its_window_and_its_repository_only,
                sixteen_at_once_do_not_pass_the_cap;
            work:
                the_same_task_is_enqueued_once_for_an_engine,
                work_is_found_by_repository_subject_and_state,
                queued_work_is_cancelled_and_other_work_is_left_alone,
                work_of_another_repository_is_not_cancelled;
            claims:
                the_oldest_item_of_the_engines_is_claimed,
                an_item_is_not_claimed_before_its_time,
                a_claim_that_ran_out_is_queued_again_and_counted_as_lost,
                a_lost_claim_is_fenced,
                a_renewed_claim_lasts,
                a_claim_that_ran_out_unnoticed_may_be_renewed_and_finished,
                a_finished_item_is_done,
                a_failed_attempt_is_queued_again_and_counted,
                an_interrupted_attempt_is_not_counted,
                a_finished_claim_is_over,
                claims_of_the_dead_are_queued_again,
                tokens_grow_with_each_claim,
                an_item_goes_to_one_of_many_workers,
                attempts_are_kept;
            pulls:
                the_last_signals_come_back,
                a_repetition_changes_nothing_that_is_read,
                heads_are_kept_in_order_with_their_first_green_and_red,
                a_head_that_comes_back_keeps_its_place,
                an_outcome_is_recorded_once,
                pulls_without_outcome_are_those_observed,
                an_outcome_may_come_without_an_observation;
            records:
                a_journal_line_is_written_once,
                a_plan_is_stored_once,
                a_plan_that_is_not_there_cannot_be_done,
                an_epic_is_taken_in_once_and_ends_once,
                an_epic_that_is_not_there_cannot_end,
                times_are_kept_to_the_nanosecond,
                two_repositories_do_not_see_each_other;
        }
    };
    (@tests $open:path, $block_on:path; $($subject:ident: $($case:ident),+;)+) => {
        $(mod $subject {
            use super::*;
            $(#[test]
            fn $case() {
                $block_on(async {
                    let store = $open().await;
                    $crate::conformance::$subject::$case(&*store).await;
                });
            })+
        })+
    };
    (@names; $($subject:ident: $($case:ident),+;)+) => {
        &[$($((stringify!($subject), stringify!($case))),+),+]
    };
}

/// Every case as (subject, name).
pub const CASES: &[(&str, &str)] = store_conformance!(@list names);

#[cfg(test)]
mod tests {
    use super::CASES;

    #[test]
    fn no_case_is_forgotten_in_the_list() {
        for (subject, source) in [
            ("claims", include_str!("claims.rs")),
            ("intents", include_str!("intents.rs")),
            ("leases", include_str!("leases.rs")),
            ("pulls", include_str!("pulls.rs")),
            ("records", include_str!("records.rs")),
            ("spends", include_str!("spends.rs")),
            ("work", include_str!("work.rs")),
        ] {
            for line in source.lines().filter_map(|l| l.strip_prefix("pub async fn ")) {
                let name = line.split('(').next().unwrap();
                assert!(CASES.contains(&(subject, name)), "{subject}::{name}");
            }
        }
    }
}
