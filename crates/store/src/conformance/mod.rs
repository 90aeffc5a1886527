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

pub mod adds;
pub mod budget;
pub mod cancels;
pub mod claims;
pub mod dependencies;
pub mod echoes;
pub mod facts;
pub mod fences;
pub mod intents;
pub mod job_samples;
pub mod leases;
pub mod locks;
pub mod pulls;
pub mod records;
pub mod samples;
pub mod spends;
pub mod stages;
pub mod tasks;
pub mod training;

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
            budget:
                a_reservation_is_ended_once_by_its_key,
                a_settled_spend_may_cost_less_than_was_reserved,
                sixteen_at_once_do_not_pass_the_pool,
                a_refused_dispatch_frees_the_pool,
                a_quota_lowered_below_what_is_used_refuses_the_next,
                each_window_begins_anew,
                a_clock_that_jumps_over_a_reset_spends_nothing_twice,
                lines_written_by_hand_count_and_are_written_once,
                every_window_of_a_member_holds,
                the_plan_of_a_day_is_kept,
                a_slot_is_run_once,
                a_slot_goes_to_one_of_many;
            tasks:
                the_same_task_is_enqueued_once_for_an_engine,
                tasks_are_found_by_repository_and_subject,
                waiting_tasks_are_withdrawn_and_others_are_left_alone,
                jobs_of_others_are_not_withdrawn,
                a_failed_task_is_enqueued_again;
            adds:
                a_job_comes_back_as_it_was_added,
                a_batch_keeps_its_order,
                a_batch_is_added_whole_or_not_at_all,
                a_key_is_kept_for_ever,
                the_same_key_at_once_is_added_once;
            claims:
                the_most_urgent_then_the_oldest_is_claimed,
                a_claim_is_what_the_store_says,
                a_job_is_not_claimed_before_its_time,
                engines_and_classes_have_to_be_on_offer,
                capabilities_have_to_be_on_offer,
                full_profiles_are_left_out,
                tasks_of_other_repositories_are_left_out,
                a_job_behind_many_that_are_held_back_is_found,
                an_engine_that_cools_down_is_left_out,
                tokens_grow_with_each_claim,
                a_job_goes_to_one_of_many_workers,
                claims_are_listed_as_long_as_they_hold_something;
            locks:
                one_job_at_a_time_holds_a_lock,
                a_cancelled_job_keeps_its_lock_until_it_is_let_go,
                the_lock_of_a_cancelled_job_whose_worker_is_gone_is_freed,
                a_running_job_is_not_let_go,
                a_lock_goes_to_one_of_many_workers;
            stages:
                a_job_ships_in_one_call,
                a_worker_ends_one_job_and_gets_the_next,
                who_may_not_end_a_job_gets_no_other_one_for_it,
                stages_are_passed_one_by_one,
                a_job_goes_back_to_building_in_the_same_attempt,
                a_failed_attempt_is_counted_and_the_job_waits,
                what_is_nobodys_fault_is_not_counted,
                a_job_fails_for_good,
                a_lost_attempt_is_counted_as_lost,
                a_claim_whose_lease_is_over_is_not_given_away,
                events_that_the_graph_does_not_have_are_refused,
                every_end_comes_back;
            fences:
                a_lost_claim_can_write_nothing,
                a_claim_that_ended_can_write_nothing,
                the_claim_of_a_cancelled_job_moves_it_no_more,
                a_step_from_an_old_stage_is_refused,
                a_claim_that_was_renewed_is_not_lost,
                a_claim_that_ran_out_unnoticed_may_be_renewed_and_advanced;
            cancels:
                a_job_is_cancelled_once,
                a_job_between_two_attempts_is_cancelled_now,
                a_failed_job_is_repeated_with_a_fresh_allowance,
                a_job_is_repeated_once;
            dependencies:
                a_job_waits_for_all_that_it_depends_on,
                what_is_shipped_is_not_waited_for,
                a_key_may_come_later,
                a_circle_is_refused,
                what_waits_for_a_failed_job_fails,
                what_waits_for_a_cancelled_job_fails,
                a_job_that_depends_on_a_failed_one_fails_at_once,
                a_dependency_means_the_newest_repetition,
                a_long_chain_fails_as_a_whole;
            echoes:
                each_change_of_a_stage_wishes_for_an_echo,
                ends_that_come_from_elsewhere_are_echoed,
                an_echo_goes_to_one_at_a_time,
                what_was_told_is_kept,
                a_wish_that_comes_while_an_echo_is_on_its_way_is_not_lost,
                there_is_no_echo_without_an_item;
            facts:
                jobs_are_listed,
                stages_are_counted,
                places_of_jobs_are_told,
                attempts_are_kept,
                attempts_of_a_period_tell_what_they_were_about,
                a_job_that_is_not_there_has_nothing;
            pulls:
                the_last_signals_come_back,
                a_repetition_changes_nothing_that_is_read,
                heads_are_kept_in_order_with_their_first_green_and_red,
                looks_that_show_something_new_are_kept,
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

/// The same for stores that keep training data: one `#[test]` of each case.
#[macro_export]
macro_rules! training_conformance {
    ($open:path, $block_on:path) => {
        $crate::store_conformance! { @tests $open, $block_on;
            training:
                points_come_back_as_they_were_recorded,
                a_point_with_the_same_key_is_overwritten,
                what_was_eligible_outlives_a_repetition_without_it,
                pages_follow_one_another_without_gap_or_overlap,
                points_of_one_repository_or_pull_request_are_read_alone,
                a_look_writes_its_points_and_an_outcome_its_own;
        }
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
            ("adds", include_str!("adds.rs")),
            ("budget", include_str!("budget.rs")),
            ("cancels", include_str!("cancels.rs")),
            ("claims", include_str!("claims.rs")),
            ("dependencies", include_str!("dependencies.rs")),
            ("echoes", include_str!("echoes.rs")),
            ("facts", include_str!("facts.rs")),
            ("fences", include_str!("fences.rs")),
            ("intents", include_str!("intents.rs")),
            ("leases", include_str!("leases.rs")),
            ("locks", include_str!("locks.rs")),
            ("pulls", include_str!("pulls.rs")),
            ("records", include_str!("records.rs")),
            ("spends", include_str!("spends.rs")),
            ("stages", include_str!("stages.rs")),
            ("tasks", include_str!("tasks.rs")),
        ] {
            for line in source.lines().filter_map(|l| l.strip_prefix("pub async fn ")) {
                let name = line.split(['(', '<']).next().unwrap();
                assert!(CASES.contains(&(subject, name)), "{subject}::{name}");
            }
        }
    }
}
