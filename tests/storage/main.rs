//! The conformance suite of storage: one list of cases, run on both databases.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/postgres.rs"]
mod postgres;

mod cases;
mod clerk;
mod findings;
mod held_back;
mod places;
mod proxy;
mod samples;
mod silence;
mod tls;
mod wall;

/// Every case, once per dialect.
macro_rules! on_both {
    ($($file:ident: $($case:ident),+;)+) => {
        mod on_sqlite {
            $(mod $file { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { crate::cases::$file::$case(crate::places::Place::sqlite().await).await }
            )+ })+
        }
        mod on_postgres {
            $(mod $file { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { crate::cases::$file::$case(crate::places::Place::postgres().await).await }
            )+ })+
        }
    };
}

on_both! {
    transact:
        a_roster_read_back_is_the_roster_that_was_written,
        every_state_and_every_rare_word_comes_back,
        one_transaction_carries_many_events,
        a_batch_with_one_bad_event_leaves_nothing_of_any,
        a_guard_passes_from_one_registration_to_another_in_one_batch,
        two_instances_at_one_event_never_lose_a_change,
        batches_that_lock_the_same_events_in_another_order_do_not_hold_each_other_up,
        a_decision_that_breaks_off_leaves_nothing,
        a_caller_who_goes_away_changes_nothing,
        what_staff_change_shows_in_the_document_and_in_lists,
        large_numbers_and_hashes_survive;
    fresh:
        who_is_up_to_date_hears_just_that,
        who_is_behind_hears_exactly_what_is_missing,
        a_replay_is_answered_as_the_first_time_after_a_restart,
        events_are_told_of_in_the_order_of_the_locks,
        who_knows_more_than_the_database_hears_everything,
        an_event_that_is_gone_is_told_as_missing_and_the_rest_goes_on;
    refused:
        a_batch_from_an_old_number,
        a_number_that_is_taken,
        a_change_of_a_row_that_is_not_there,
        a_batch_whose_entries_do_not_follow;
    events:
        an_event_is_made_once_per_request_id,
        many_who_send_the_same_request_make_one_event,
        answers_are_kept_beside_their_request_ids,
        lists_filter_and_go_by_start,
        what_is_due_is_found_earliest_first,
        ids_and_numbers_are_told,
        lists_show_what_is_reached_and_nothing_else;
    journal:
        any_page_shows_its_numbers_and_no_others,
        single_entries_are_found_by_number;
    feed:
        every_batch_has_one_place_and_keeps_it,
        a_place_survives_a_restart,
        a_piece_of_it_holds_what_is_asked_for,
        a_place_is_found_by_time,
        each_batch_tells_the_counts_of_its_event_after_it,
        whoever_reads_while_many_write_sees_each_change_once,
        a_new_event_is_in_it_at_once;
    parties:
        parties_come_back_as_they_were_given,
        names_are_paged_in_the_order_of_their_bytes,
        the_hash_of_a_token_is_found_by_number,
        a_token_that_takes_the_place_of_another_is_the_only_one,
        what_is_erased_is_gone_with_what_staff_wrote_and_the_contact_finds_nobody;
    attendance:
        marks_and_heads_are_read_back_as_they_stand,
        an_instance_that_is_behind_learns_the_marks_from_the_journal;
    centres:
        a_centre_is_made_changed_and_read_back,
        centres_are_listed_in_the_order_of_their_ids,
        a_programme_is_made_changed_and_read_back,
        of_many_updates_of_one_version_one_holds;
    access_log:
        rows_come_back_as_they_were_given_newest_first,
        rows_are_found_by_every_word_of_the_query,
        a_row_that_is_written_twice_is_there_once,
        what_is_older_goes_in_small_pieces,
        the_last_use_of_a_key_never_goes_back;
    reports:
        a_digest_is_kept_under_its_number_and_never_goes_back,
        digests_are_picked_by_every_word_of_the_query_and_drafts_are_left_out,
        everything_of_an_event_is_one_snapshot,
        a_stored_report_is_read_back_and_listed_in_order,
        of_those_who_enter_at_once_each_gets_a_number_of_its_own;
    corrupt:
        the_place_of_a_value_that_cannot_be_read_is_told,
        a_journal_with_a_hole_is_not_caught_up_from;
    opening:
        what_was_stored_is_there_after_a_restart,
        all_instances_have_one_secret,
        tables_that_are_not_of_this_version_are_refused,
        migrating_twice_does_nothing_more,
        a_url_that_cannot_be_used_is_refused_without_being_shown,
        a_closed_store_says_so;
}
