//! The API through a real client: the generated services behind their layers, on both databases, under a
//! clock that the tests move.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/postgres.rs"]
mod postgres;

#[path = "../support/issuer.rs"]
mod issuer;

#[path = "../support/heard.rs"]
mod heard;

mod cases;
mod house;
mod raw;
mod rights;
mod samples;

/// Every case, once per database.
macro_rules! on_both {
    ($($file:ident: $($case:ident),+;)+) => {
        mod on_sqlite {
            $(mod $file { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { crate::cases::$file::$case(crate::house::House::on_sqlite().await).await }
            )+ })+
        }
        mod on_postgres {
            $(mod $file { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { crate::cases::$file::$case(crate::house::House::on_postgres().await).await }
            )+ })+
        }
    };
}

on_both! {
    access_log:
        every_call_leaves_what_its_row_in_the_table_says,
        a_row_says_who_and_what_and_holds_nobodys_name,
        a_head_sees_the_rows_of_its_own_centres,
        what_names_no_centre_stands_in_those_that_it_touched,
        the_registration_that_was_made_or_found_stands_in_the_row,
        a_party_and_a_portal_leave_no_row_unless_they_are_refused,
        a_call_that_breaks_off_leaves_a_row,
        a_registration_that_was_named_under_another_event_is_not_told,
        where_rows_cannot_be_written_nobody_is_let_in_who_would_leave_one,
        rows_go_page_by_page_newest_first,
        when_a_key_was_used_last_is_told_to_the_minute;
    admin:
        a_centre_is_kept_and_changed_by_its_mask,
        a_programme_is_kept_and_changed_by_its_mask,
        a_taken_id_and_a_stale_etag_are_told,
        lists_go_page_by_page_and_tokens_belong_to_their_query;
    ahead:
        an_event_that_rests_is_worked_out_ahead_and_one_that_moves_is_not;
    attendance:
        a_paper_list_is_entered_all_or_nothing_and_corrected_with_a_trace,
        a_repeated_list_is_answered_as_first,
        every_line_that_cannot_be_is_told_at_once,
        attendance_refuses_in_its_documented_order,
        a_party_is_let_in_by_its_code,
        a_scan_made_offline_is_answered_as_first,
        who_has_no_seat_gets_a_verdict_and_no_error,
        somebody_on_no_list_is_taken_in_where_nobody_waits,
        who_was_taken_in_at_the_door_is_answered_though_the_questions_are_others_now,
        heads_are_counted_beside_names_and_corrected_with_a_trace,
        a_session_that_was_written_down_cannot_go_and_its_number_never_comes_again,
        attendance_is_for_staff_and_violations_come_at_once,
        a_roster_has_what_a_leader_needs_and_no_more,
        completion_follows_the_rule_of_the_event;
    choices:
        a_restricted_party_keeps_its_seat_and_its_words_are_for_itself_and_heads,
        retention_waits_while_a_party_is_restricted_and_its_own_wish_does_not,
        a_family_restricts_and_lifts_by_its_token_and_what_it_said_goes_with_it_when_it_moves,
        consents_are_given_with_the_sign_up_and_changed_later_and_no_seat_depends_on_them,
        an_erasure_takes_consents_back_and_leaves_what_was_agreed_to_when,
        bad_choices_are_told_all_at_once;
    closing:
        an_event_is_not_closed_before_its_last_session_has_ended,
        who_waited_to_the_end_is_told_that_the_event_is_over,
        nobody_misses_an_offer_because_the_event_is_over;
    keys:
        the_first_key_is_an_administrators_and_shuts_the_door,
        a_role_may_do_what_its_row_says_and_hears_so_before_anything_else,
        what_a_key_does_not_reach_is_as_if_it_were_not_there,
        figures_are_of_the_centres_of_the_key,
        a_leader_reaches_its_events_alone,
        a_key_lets_in_until_it_expires_is_rotated_or_revoked,
        a_family_needs_no_key_but_its_token,
        whoever_would_not_be_let_in_hears_nothing_of_a_message_that_cannot_be_read,
        a_portal_that_vouches_is_told_of_a_duplicate_and_no_other_is,
        a_vouching_portal_moves_nobody_to_where_it_is_already,
        a_key_beside_a_token_takes_nothing_away,
        what_is_asked_of_a_key_is_told_at_once;
    oidc:
        who_signs_in_reaches_what_the_mapping_says,
        what_a_user_reads_stands_in_the_access_log_under_a_name_that_is_nobodys,
        where_people_sign_in_nobody_is_trusted_who_shows_nothing,
        a_stream_ends_with_the_token_that_it_was_opened_by,
        keys_are_rotated_while_the_service_runs,
        kids_that_nobody_knows_do_not_hammer_the_issuer,
        an_issuer_that_is_down_is_no_fault_of_the_callers,
        the_page_of_another_issuer_is_not_believed;
    lists:
        a_list_of_long_events_ends_its_pages_by_bytes,
        a_list_of_large_parties_ends_its_pages_by_bytes;
    sensitive:
        names_are_shown_to_the_roles_that_the_event_names_and_to_no_other,
        no_refusal_search_or_order_tells_who_is_in_it,
        seats_are_taken_by_number_for_whoever_is_not_named,
        staff_who_are_not_named_learn_of_no_duplicate,
        consents_of_people_that_are_not_shown_are_not_streamed,
        where_a_party_went_is_told_to_staff_that_sees_the_people_of_both_events,
        where_a_party_went_is_told_to_who_reaches_it,
        what_was_promised_to_those_who_signed_up_is_kept,
        portals_see_neutral_titles_and_list_what_its_owner_wants,
        why_somebody_was_preferred_is_read_by_heads_alone,
        no_class_goes_to_a_portal_or_a_family,
        no_figure_names_whoever_is_known_from_it_alone;
    protected:
        minutes_tell_no_count_that_is_rounded_or_hidden,
        of_a_few_no_line_tells_who_they_are,
        months_are_those_of_one_zone;
    sessions:
        a_new_session_never_takes_the_marks_of_one_that_is_left_out,
        a_session_that_was_held_stays_where_it_was;
    strangers:
        a_portal_learns_nothing_by_trying_out,
        a_full_line_is_full_for_everybody_alike,
        a_possible_duplicate_reads_nothing_that_is_not_so,
        a_cut_capacity_is_told_before_everything_else,
        a_party_is_not_told_that_it_has_a_class;
    tokens:
        another_contact_ends_the_token_and_whoever_set_it_is_told_the_next,
        a_repeated_correction_is_told_the_same_token_again,
        what_waits_behind_another_contact_is_refused_with_its_token,
        a_correction_that_leaves_the_contact_reachable_as_it_was_leaves_the_token,
        staff_and_portals_hand_the_new_token_on_and_leaders_never_get_one,
        a_stream_ends_with_the_token_that_it_was_opened_by,
        the_token_of_what_has_ended_reads_and_changes_nothing;
    transfers:
        a_party_that_moves_answers_what_the_target_asks;
    events:
        what_is_left_out_comes_from_programme_and_centre,
        what_is_given_comes_back_unchanged,
        an_update_replaces_what_the_mask_names_and_nothing_else,
        an_update_that_says_nothing_new_keeps_the_policy_version,
        a_pool_that_is_new_never_gets_the_number_of_one_taken_out,
        trying_an_event_out_changes_nothing,
        a_repeated_change_is_answered_and_done_once,
        a_copy_keeps_local_times_and_leaves_people_behind,
        a_copy_into_the_skipped_hour_is_refused,
        a_list_filters_by_every_field,
        a_draft_is_there_for_staff_only,
        a_session_is_moved_and_those_with_a_seat_at_it_are_told,
        a_session_is_called_off_and_counts_no_more,
        freed_seats_are_given_on_until_the_session_that_the_policy_names,
        an_etag_guards_the_verbs_and_not_their_repetition;
    once:
        centres_and_programmes_are_answered_as_first_whatever_came_later,
        an_event_is_answered_as_first_with_the_counts_of_that_moment,
        a_change_amid_a_rush_is_answered_as_of_its_own_moment,
        what_was_done_is_answered_though_it_would_be_refused_now,
        a_party_is_answered_though_its_answers_are_to_questions_asked_no_more;
    registrations:
        a_sign_up_is_answered_once_and_read_in_two_views,
        a_repeated_sign_up_is_answered_as_the_first_time,
        trying_a_sign_up_out_changes_nothing,
        the_ladder_of_refusals_goes_in_its_order,
        a_party_is_corrected_field_by_field,
        corrections_of_different_fields_at_the_same_moment_are_all_kept,
        a_party_acts_by_its_token_alone,
        a_portal_does_what_anyone_may_and_learns_nothing,
        a_contact_that_is_taken_is_corrected_to_without_a_word_of_it,
        an_offer_is_accepted_declined_or_missed,
        staff_decide_with_reasons,
        a_transfer_moves_the_party_and_answers_both_ends,
        a_transfer_by_token_learns_nothing_of_who_is_registered,
        a_line_is_explained_by_numbers,
        lists_go_by_line_name_and_time_and_find_people;
    restricted:
        the_sheet_of_attendance_has_its_line_and_not_its_name,
        no_refusal_says_which_one_has_a_contact,
        who_may_not_see_it_is_given_no_token_of_it;
    reviewed:
        seats_at_a_session_that_is_called_off_are_given_to_nobody;
    refusals:
        facts_stand_in_the_metadata,
        only_staff_may_do_what_is_for_staff,
        every_violated_field_is_told_at_once,
        nothing_sent_makes_an_internal_error;
    changes:
        a_job_reads_each_change_once_page_by_page,
        a_follower_hears_what_was_and_what_comes,
        a_cursor_may_stand_in_the_middle_of_a_batch,
        a_follower_starts_at_a_time_or_now,
        a_filter_picks_events_and_kinds,
        a_slow_follower_is_cut_with_its_cursor,
        an_old_cursor_is_told_as_expired,
        a_bad_cursor_and_a_bad_filter_are_refused,
        the_feed_tells_nothing_of_persons,
        a_pool_that_was_taken_out_keeps_its_id,
        a_stream_of_changes_ends_when_the_instance_stops;
    privacy:
        who_never_took_part_is_erased_at_once_and_the_line_closes_up,
        names_of_those_who_took_part_stay_as_evidence_until_their_day,
        what_has_run_out_is_listed_and_erased_by_kind_and_day,
        an_export_holds_everything_of_one_party_and_nothing_of_others,
        an_erasure_reaches_what_a_transfer_left_behind,
        a_transfer_takes_the_words_along_and_what_it_left_is_found_by_its_link,
        a_contact_that_is_not_shown_finds_nothing_that_led_there,
        a_repeated_lift_takes_nothing_back_that_was_asked_since,
        names_that_stay_where_somebody_took_part_are_left_alone_with_the_rest,
        bad_wishes_for_erasure_are_told;
    questions:
        q01_who_waited_for_parenting_training_in_elektrenai_in_persons_and_families,
        q02_applicants_per_seat_by_programme_and_municipality,
        demand_follows_an_event_that_moves_on,
        q03_unique_persons_by_sex_and_age_band_at_first_presence,
        q04_the_day_on_which_the_target_was_met,
        q05_who_began_and_has_no_form,
        q06_attendances_and_person_hours_per_event_programme_and_month,
        q07_the_sheet_of_one_group_for_signature,
        q08_who_reached_the_threshold_and_who_is_one_make_up_short,
        q09_days_from_sign_up_to_offer_and_to_the_first_session,
        q10_offers_by_outcome_and_channel_and_the_time_to_answer,
        q11_no_shows_by_programme_weekday_and_channel,
        q12_late_cancellations_and_how_many_were_filled,
        q13_empty_seats_next_door_while_somebody_waited,
        q14_refused_demand_by_eldership,
        q15_new_and_returning_persons_per_event,
        q16_persons_by_eldership,
        q17_age_groups_are_data,
        q18_languages_of_messages_and_persons_served,
        q20_consultations,
        q21_heads_at_the_festival_stay_out_of_persons,
        q26_what_changed_in_a_quarter_since_its_report,
        q27_every_step_of_one_registration,
        q29_possible_doubles,
        q30_seats_left_or_full_without_any_personal_data,
        q31_the_order_without_the_priority_class,
        q32_groups_below_their_minimum,
        a_reporting_job_sees_no_small_count_and_no_open_period,
        a_merge_is_undone_until_a_report_rests_on_it,
        staff_link_a_family_that_comes_in_two_parties,
        a_corrected_name_keeps_the_person_and_a_list_in_another_order_keeps_everybody,
        bad_questions_are_told_with_every_field;
    watch:
        a_registration_is_followed_to_its_end,
        an_event_is_followed_with_heartbeats,
        who_waits_hears_heartbeats_also_while_others_come,
        a_reader_that_takes_nothing_is_cut,
        streams_end_when_the_instance_stops;
    wall:
        no_rpc_shows_anything_of_a_centre_that_the_key_does_not_reach,
        what_another_centre_has_is_not_there_whatever_the_rpc;
}
