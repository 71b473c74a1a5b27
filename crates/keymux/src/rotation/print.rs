//! Plans and states as text of at most 80 columns.

use std::fmt;

use keymux_core::{Action, NewKey, Permission};
use serde_json::Value;

use super::plan::{Method, OldKey, RotationPlan};
use super::stamp::StampPlace;
use super::state::{OldKeyEnd, Orphan, Rotation, Stage};

const WIDTH: usize = 80;
/// How wide the names of the lines are, with what stands before and behind them.
const MARGIN: usize = 12;

impl fmt::Display for RotationPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&wrapped(&format!("Rotate {} at {}", self.key, plain(&self.vendor)), 2))?;
        line(f, "how", method(self.method))?;
        if self.method == Method::SecondKey {
            let settings = settings(&self.new_key);
            if settings.is_empty() {
                line(f, "new key", "with the vendor's defaults")?;
            }
            for (index, setting) in settings.iter().enumerate() {
                line(f, if index == 0 { "new key" } else { "" }, setting)?;
            }
            for (index, untold) in self.untold.iter().enumerate() {
                let weight = if untold.may_widen { "say what it is before the rotation begins" } else { "it is lost" };
                let text = format!("{untold}; {weight}");
                line(f, if index == 0 { "not told" } else { "" }, &text)?;
            }
            line(f, "old key", &old_key(self.old_key, self.needs_proof))?;
            line(f, "stamp", &stamp(self))?;
        } else if self.needs_proof {
            line(f, "proof", "a check with the new plaintext, before the rotation is done")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old = &self.plan.key;
        f.write_str(&wrapped(&format!("Rotation of {old}: {}", self.stage.as_str()), 2))?;
        line(f, "new key", &self.new_key_words())?;
        line(f, "old key", &self.old_key_words())?;
        for abandoned in &self.abandoned {
            let made = format!(
                "{}:{} was made at {}, and its plaintext is lost; it is revoked when the new plaintext is stored",
                old.account(),
                abandoned.address,
                abandoned.at
            );
            line(f, "abandoned", &made)?;
        }
        for orphan in &self.orphans {
            line(f, "orphan", &orphan.to_string())?;
        }
        line(f, "next", self.next_words())
    }
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            self.name.as_deref().map_or_else(|| "without a name".to_owned(), |name| format!("`{}`", plain(name)));
        let (account, scope, since) = (&self.account, &self.scope, &self.since);
        write!(f, "there may be a key {name} at {account}, scope {scope}, made about {since}")?;
        if let Some(stamp) = &self.stamp {
            write!(f, ", with the stamp {stamp}")?;
        }
        if !self.candidates.is_empty() {
            let candidates: Vec<String> = self.candidates.iter().map(ToString::to_string).collect();
            write!(f, "; it may be one of {}", candidates.join(", "))?;
        }
        f.write_str("; nobody has its plaintext: look for it, and revoke it")
    }
}

impl Rotation {
    /// How things are, in a sentence for the end of an error.
    pub(super) fn standing(&self) -> String {
        format!("the new key: {}; the old key {}: {}", self.new_key_words(), self.plan.key, self.old_key_words())
    }

    fn new_key_words(&self) -> String {
        let new = self
            .new_key()
            .map_or_else(|| "at an address that the vendor did not tell".to_owned(), |key| key.to_string());
        match &self.stage {
            Stage::Planned => "is not made".to_owned(),
            Stage::Making { since, .. } if self.armed => format!("is about to be made (since {since})"),
            Stage::Making { since, .. } => format!("may have been made (since {since})"),
            Stage::Made { .. } => format!("{new}, made; its plaintext is not said to be stored"),
            Stage::Stored { .. } => format!("{new}, its plaintext is stored"),
            Stage::Proven { .. } => format!("{new}, its plaintext is stored, and it works"),
            Stage::Kept { .. } | Stage::Done { .. } => new,
        }
    }

    fn old_key_words(&self) -> String {
        match &self.stage {
            Stage::Done { old: OldKeyEnd::Revoked, at, .. } => format!("revoked at {at}"),
            Stage::Done { old: OldKeyEnd::AlreadyGone, .. } => "was gone already".to_owned(),
            Stage::Done { old: OldKeyEnd::Expires(end), .. } => format!("ends at {end}"),
            Stage::Done { old: OldKeyEnd::Replaced, .. } => "its old plaintext works no more".to_owned(),
            Stage::Kept { until: Some(until), .. } => format!("still works, and is kept until {until}"),
            Stage::Kept { until: None, .. } => "still works, and is kept until told".to_owned(),
            Stage::Planned => "still works".to_owned(),
            Stage::Making { .. } if self.is_native() && !self.armed => {
                "its plaintext may work no more, and the new one is lost".to_owned()
            }
            _ if self.is_native() && !self.armed => "its old plaintext works no more".to_owned(),
            _ => "still works".to_owned(),
        }
    }

    fn next_words(&self) -> &'static str {
        match &self.stage {
            Stage::Planned => "prepare, and store this state",
            Stage::Making { .. } if self.armed => "store this state, then make the key",
            Stage::Making { .. } => "prepare again: what became of the request is looked up first",
            Stage::Made { .. } => "store the plaintext and say so; if it is lost, prepare again",
            Stage::Stored { .. } if self.plan.needs_proof => "prove that the new key works",
            Stage::Stored { .. } | Stage::Proven { .. } => "finish: the old key is ended",
            Stage::Kept { until: Some(_), .. } => "finish when the time has come",
            Stage::Kept { until: None, .. } => "release the old key, then finish",
            Stage::Done { .. } => "nothing",
        }
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::SecondKey => "make a second key, then end the old one; both work in between",
        Method::Native => {
            "the vendor replaces the plaintext in one call. The old plaintext ends with that call: if its answer is \
             lost, no plaintext works until the key is rotated again"
        }
    }
}

fn old_key(old_key: OldKey, needs_proof: bool) -> String {
    let once = if needs_proof { "the new key is stored and proven to work" } else { "the new plaintext is stored" };
    match old_key {
        OldKey::Revoke => format!("revoked once {once}"),
        OldKey::KeepUntil(until) => format!("revoked at {until} or later, once {once}"),
        OldKey::KeepUntilTold => format!("kept until told, and revoked then, once {once}"),
        OldKey::ExpireAt(at) => format!("set to end at {at}, once {once}"),
    }
}

fn stamp(plan: &RotationPlan) -> String {
    let id = &plan.stamp.id;
    match plan.stamp.place {
        StampPlace::Nowhere => {
            "none; after a lost answer the new key is looked for by its name and its time".to_owned()
        }
        StampPlace::Metadata => format!("keymux_rotation = {id} in the metadata"),
        StampPlace::Name => format!("{id} at the end of the name"),
    }
}

/// What a key will be, a line for each setting.
fn settings(key: &NewKey) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: Option<String>| lines.extend(value.map(|value| format!("{name} {value}")));
    add("scope", (!key.scope.is_account()).then(|| key.scope.to_string()));
    add("name", key.name.as_deref().map(plain));
    add("expires_at", key.expires_at.map(|at| at.to_string()));
    add("permissions", key.permissions.as_deref().map(permissions));
    add("ip_allowlist", key.ip_allowlist.as_deref().map(|all| plain(&all.join(", "))));
    add("max_uses", key.max_uses.map(|uses| uses.to_string()));
    add("customer", key.customer.as_deref().map(plain));
    add("prefix", key.prefix.as_deref().map(plain));
    add("enabled", key.enabled.map(|enabled| enabled.to_string()));
    // What stands in it is the owner's own.
    add("metadata", key.metadata.as_ref().map(|metadata| format!("{} members", metadata.len())));
    for (name, value) in &key.settings {
        let value = match value {
            Value::Array(items) => format!("{} of them", items.len()),
            other => plain(&other.to_string()),
        };
        lines.push(format!("{} {value}", plain(name)));
    }
    lines
}

fn permissions(permissions: &[Permission]) -> String {
    let word = |action: &Action| match action {
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::Delete => "delete",
        _ => "other",
    };
    let one = |permission: &Permission| {
        let name = plain(&permission.name);
        match &permission.actions {
            Some(actions) => format!("{name} ({})", actions.iter().map(word).collect::<Vec<_>>().join(" ")),
            None => name,
        }
    };
    permissions.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Text of a vendor's, which may hold what moves a cursor.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// A line with its name before it, wrapped under itself.
fn line(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    let text = wrapped(&format!("{:MARGIN$}{text}", format!("  {name}")), MARGIN);
    write!(f, "\n{text}")
}

/// Breaks text at spaces, and words that are too long anywhere; the lines after the first are indented.
fn wrapped(text: &str, indent: usize) -> String {
    let (mut lines, mut current) = (Vec::new(), String::new());
    let mut width = 0;
    let lead = text.len() - text.trim_start().len();
    for (index, word) in text.split(' ').enumerate() {
        let mut word = word;
        if index > 0 {
            let long = word.chars().count();
            if width + 1 + long > WIDTH && width > indent.max(lead) && long <= WIDTH - indent {
                lines.push(std::mem::take(&mut current));
                current.push_str(&" ".repeat(indent));
                width = indent;
            } else {
                current.push(' ');
                width += 1;
            }
        }
        while width + word.chars().count() > WIDTH {
            let fits = word.char_indices().nth(WIDTH.saturating_sub(width)).map_or(word.len(), |(at, _)| at);
            let (head, rest) = word.split_at(fits);
            current.push_str(head);
            lines.push(std::mem::take(&mut current));
            current.push_str(&" ".repeat(indent));
            width = indent;
            word = rest;
        }
        current.push_str(word);
        width += word.chars().count();
    }
    lines.push(current);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_and_long_words_stay_within_80_columns() {
        for text in
            ["a ".repeat(100), "x".repeat(300), format!("{} {}", "y".repeat(79), "z".repeat(90)), "short".to_owned()]
        {
            let shown = wrapped(&format!("{:MARGIN$}{text}", "  name"), MARGIN);
            assert!(shown.lines().all(|line| line.chars().count() <= WIDTH), "{shown}");
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(letters(&shown), letters(&format!("name{text}")));
        }
    }

    #[test]
    fn what_moves_a_cursor_is_shown_as_its_number() {
        assert_eq!(plain("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
    }
}
