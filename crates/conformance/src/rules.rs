//! All rules, in the order in which they are tried and told.

mod changing;
mod common;
mod general;
mod making;
mod reads;
mod rotating;

use keymux_core::Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};

use crate::rule::Rule;

/// A row for each check: by the operation that it is about, its name, which is that of the function, and its sentence.
macro_rules! rules {
    ($($operation:expr => { $($module:ident::$name:ident: $sentence:literal,)* })*) => {
        &[$($(Rule {
            name: stringify!($name),
            sentence: $sentence,
            operation: $operation,
            check: |stage| Box::pin($module::$name(stage)),
        },)*)*]
    };
}

impl Rule {
    /// All rules: those of every operation first, then in the order of the trait.
    pub const ALL: &'static [Self] = rules! {
        None => {
            general::info_is_the_same_data_always:
                "`info` tells the same at every call and in JSON, and names each segment of an address.",
            general::an_unsupported_operation_sends_nothing:
                "An operation that the vendor does not have is `Unsupported`, names the alternative, and sends nothing.",
            general::an_address_of_another_shape_is_refused:
                "An address with more or fewer segments than the vendor's is `InvalidRequest`, and nothing is sent.",
            general::a_scope_of_another_shape_is_refused:
                "A scope of another shape than the vendor's is `InvalidRequest`, or `Unsupported` where the vendor takes none, and nothing is sent.",
            general::a_hostile_id_addresses_nothing_else:
                "An id goes out as exactly itself, in its own place, whatever characters it holds, or is refused before anything is sent.",
            general::a_dropped_call_leaves_nothing_running:
                "Dropping a call closes its connection, and nothing more is sent.",
            general::a_refused_connection_was_not_carried_out:
                "A connection that does not come about is `Connect`, and the call may not have been carried out.",
            general::the_credential_goes_to_one_origin:
                "A redirect is an error, and nothing is sent to another origin.",
            general::secrets_are_never_printed:
                "No result, error, provider or log prints the credential or a plaintext, even if the vendor repeats it in a refusal.",
            general::facts_match_the_coverage:
                "In every record a fact is unsupported if the provider does not list its field, and never if it does.",
        }
        Some(Get) => {
            reads::an_address_leads_back_to_its_key:
                "A record has the address that was asked for, and the text of its reference leads to it again.",
            reads::an_unknown_key_is_not_found:
                "A look-up, an update and a rotation of a key that the vendor does not know are `NotFound`.",
            reads::only_an_unknown_key_is_not_found:
                "A look-up that fails for another reason tells that reason, and is never `NotFound`.",
            reads::an_unreadable_answer_is_an_error:
                "A success whose body is not the vendor's is `Decode`, and no record.",
            reads::looking_changes_nothing:
                "A second look-up gives the same record as the first.",
            general::retry_after_is_obeyed:
                "After a 429 the request is sent again, and not before the time that `Retry-After` tells.",
            general::a_long_retry_after_is_handed_back:
                "A `Retry-After` that is longer than any wait ends the call at once with `RateLimited`, and `retry_after` tells it.",
        }
        Some(ListPage) => {
            reads::each_key_is_listed_once:
                "The pages of a list hold each key of the scope, and each once.",
            reads::a_list_goes_on_where_it_was_left:
                "A cursor that was stored as text leads a new provider to the same page.",
            reads::a_list_ends:
                "The last page of a list has no cursor.",
            reads::a_listed_record_is_as_from_get:
                "A list says of a key what a look-up says of it.",
            reads::a_row_that_cannot_be_read_is_told_beside_the_others:
                "A row that cannot be read is told as an error, and the other rows are given, so that no list is shorter than it says.",
        }
        Some(ScopesPage) => {
            reads::the_scopes_have_that_of_the_keys:
                "The scopes hold that in which the keys are, and each of them can be listed.",
        }
        Some(Create) => {
            making::a_made_key_is_found:
                "A key that was made is found at the address of its record.",
            making::nothing_that_is_asked_for_is_dropped:
                "A key that was made has what was asked for.",
            making::a_plaintext_is_given_once:
                "The plaintext is given by the call that makes the key and by nothing after it, and nothing prints it.",
            making::create_refuses_what_the_vendor_does_not_take:
                "A parameter that the vendor does not take, and one that it needs and is not given, is refused by name before anything is sent.",
            making::a_lost_create_is_outcome_unknown:
                "A create that may have been carried out is `OutcomeUnknown`, says how to find out, and is not sent again.",
            making::a_throttled_create_is_sent_again:
                "A create that is answered with a 429 is sent again.",
        }
        Some(Create) => {
            rotating::a_plaintext_survives_an_odd_answer:
                "The plaintext of a key that was made is given although the answer holds nothing else, with how to find the key.",
            rotating::a_second_key_leaves_the_first:
                "A key that gets a successor stays as it is until the successor's plaintext is stored, and is ended then.",
            rotating::a_rotation_goes_on_from_every_state:
                "A rotation whose process ended goes on from its stored state in another one, and leaves one key in place of the first.",
            rotating::a_lost_creation_is_found_or_named:
                "A successor whose answer was lost is found in the list and ended later, or named where the vendor has no list.",
        }
        Some(Register) => {
            making::a_key_of_ones_own_is_a_key:
                "A key that was registered is found, is valid where the vendor verifies keys, and is not printed.",
            making::register_refuses_what_the_vendor_does_not_take:
                "A parameter that the vendor does not take, and one that it needs and is not given, is refused by name before anything is sent.",
            making::a_lost_registration_is_outcome_unknown:
                "A registration that may have been carried out is `OutcomeUnknown`, says how to find out, and is not sent again.",
        }
        Some(Update) => {
            changing::an_update_changes_what_it_names_alone:
                "An update changes the field that it names and no other, and tells the key as it now is.",
            changing::update_refuses_what_the_vendor_cannot_change:
                "A change that the vendor cannot make, one that it cannot clear, and a patch that changes nothing are refused before anything is sent.",
            changing::an_update_is_safe_to_repeat:
                "An update whose answer is lost is sent again, and the same update twice leaves the same key.",
        }
        Some(Rotate) => {
            making::a_rotated_key_has_a_new_plaintext:
                "A rotation gives a new plaintext, which nothing prints and which is valid where the vendor verifies keys.",
            making::a_lost_rotation_is_outcome_unknown:
                "A rotation that may have been carried out is `OutcomeUnknown`, says how to find out, and is not sent again.",
        }
        Some(Verify) => {
            changing::a_verification_has_three_outcomes:
                "A verification is valid, refused, or could not tell; a vendor that fails never makes a key invalid.",
            changing::a_verification_is_sent_once:
                "A verification is sent once, whatever it is answered.",
            changing::verify_refuses_what_the_vendor_cannot_judge_by:
                "What the vendor cannot verify against, and what it needs and is not given, is refused by name before anything is sent.",
        }
        Some(Revoke) => {
            changing::a_revoked_key_works_no_more:
                "A key that was revoked is not found, or is found and not active.",
            changing::a_second_revocation_is_not_found:
                "Revoking twice is `NotFound`, or a success where the vendor keeps its revoked keys.",
            changing::revoking_an_unknown_key_is_not_found:
                "Revoking a key that the vendor does not know is `NotFound`, after a 429 as well.",
            changing::a_revocation_whose_answer_was_lost_is_a_success:
                "A revocation is sent again if its answer is lost, and is a success if the key is then gone (404); any other refusal leaves it unknown.",
        }
    };
}
