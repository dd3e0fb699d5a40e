//! The promises, each a function over any [`Store`](crate::lab::Store); `conformance!` makes tests of them.

/// Makes a test of each rule, for one kind of store.
macro_rules! conformance {
    ($store:ty: $($module:ident { $($rule:ident),* $(,)? })*) => {
        $(mod $module;)*
        mod engines {
            $(mod $module {
                $(#[tokio::test]
                async fn $rule() {
                    super::super::$module::$rule::<$store>().await;
                })*
            })*
        }
    };
}

conformance!(crate::lab::Engines:
    waiting {
        the_most_urgent_and_then_the_oldest_job_goes_first,
        a_delayed_job_is_not_had_before_its_time,
        a_claim_is_bounded_and_of_one_queue,
        no_two_claims_have_the_same_job,
        a_job_pushed_twice_by_its_id_exists_once,
        a_push_that_rolls_back_leaves_nothing,
        names_that_do_not_fit_are_refused,
        a_paused_queue_gives_nothing_also_after_a_restart,
        a_snoozed_job_comes_back_without_a_failure,
        a_job_handed_back_keeps_its_place,
        what_is_special_of_a_job_is_given_with_it_and_with_no_other,
    }
    fencing {
        a_stale_token_is_refused_by_every_settlement,
        a_worker_past_its_lease_cannot_land_its_result,
        a_batch_lands_without_its_stale_jobs,
        a_completion_of_a_stale_job_rolls_its_effect_back,
        an_effect_that_rolls_back_leaves_its_job,
        a_heartbeat_keeps_a_lease_and_tells_of_lost_jobs,
        a_lost_job_is_offered_before_those_that_came_later,
        a_job_that_keeps_losing_workers_is_discarded,
        a_clock_that_jumps_forwards_repeats_work_but_not_effects,
        a_clock_that_jumps_backwards_loses_no_job,
    }
    unique {
        until_started_a_second_push_is_a_no_op,
        until_finished_holds_through_retries_and_ends_with_the_job,
        for_a_time_outlives_the_job,
        one_push_with_a_key_twice_stores_it_once,
        a_retried_job_takes_its_key_back_or_stays_ended,
        a_cancelled_or_forgotten_job_gives_its_key_back,
    }
    batches {
        the_callback_is_pushed_once_by_the_last_job_however_it_ended,
        a_batch_without_jobs_is_finished_at_once,
        jobs_may_push_more_into_their_batch,
        a_finished_batch_takes_no_more_jobs,
        a_retry_after_the_end_does_not_call_back_again,
        finished_batches_are_pruned_and_others_stay,
        the_last_job_completed_in_a_transaction_that_rolls_back_does_not_call_back,
    }
    operating {
        lists_find_jobs_by_state_queue_kind_tag_argument_and_error,
        pages_follow_each_other_without_gaps_or_repeats,
        the_newest_are_found_however_far_their_ids_are_apart,
        a_search_that_finds_nothing_ends,
        retrying_all_that_match_gives_them_all_attempts_again,
        cancelling_a_waiting_job_ends_it_with_the_reason,
        cancelling_an_executing_job_tells_its_worker_and_ends_it,
        a_cancelled_job_whose_worker_is_lost_is_not_offered_again,
        an_executing_job_cannot_be_forgotten,
        flushing_deletes_what_failed_and_nothing_else,
        failures_are_grouped_by_message,
        depths_count_by_state_and_tell_the_oldest,
    }
    handlers {
        a_failing_batch_runs_its_jobs_one_at_a_time,
        a_panic_is_a_failure_with_its_message,
        a_job_that_fails_for_good_is_given_up_by_its_handler_before_it_is_discarded,
        a_run_that_takes_too_long_is_a_failure,
        a_wrong_number_of_outcomes_is_a_failure,
        what_landed_before_a_batch_failed_is_not_run_again,
        a_failed_job_waits_longer_each_time_and_is_discarded_in_the_end,
        a_job_may_have_its_own_limit_of_attempts,
        a_job_that_fails_for_ever_keeps_its_newest_errors,
        outcomes_are_told_apart,
        what_is_put_off_by_no_time_is_available_at_once,
        jobs_without_a_handler_fail_and_say_so,
        no_batch_is_larger_than_its_kind_allows,
        what_exceeds_the_rate_is_put_off,
        jobs_that_cost_workers_run_alone,
        while_a_job_that_cost_workers_runs_the_others_are_held_by_nobody,
        a_handler_hears_of_a_cancellation,
        a_job_called_off_before_its_turn_is_not_run,
    }
    keeping {
        completed_jobs_are_deleted_unless_they_are_to_be_kept,
        ended_jobs_are_pruned_when_their_time_is_over,
        no_more_ended_jobs_are_kept_than_allowed,
        nothing_is_left_of_a_pruned_job,
        nothing_is_left_of_a_completed_or_forgotten_job,
        each_step_is_bounded,
    }
);
