//! What a shell offers after the tab key: the accounts of the configuration, and the fields of what is listed. Nothing is sent, no
//! credential is looked at, and what cannot be read is not offered.

use std::ffi::OsStr;

use clap_complete::engine::CompletionCandidate;
use keymux::config::ConfigFile;

use crate::filter::OPERATORS;
use crate::rows::Row;

fn of<T: AsRef<str>>(all: impl IntoIterator<Item = T>, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    all.into_iter()
        .filter(|one| one.as_ref().starts_with(current))
        .map(|one| CompletionCandidate::new(one.as_ref()))
        .collect()
}

fn names<R: Row>() -> impl Iterator<Item = String> {
    let columns = R::COLUMNS.iter().map(|column| column.short_name().to_owned());
    columns.chain(R::FREE.map(str::to_owned))
}

pub(crate) fn fields<R: Row>(current: &OsStr) -> Vec<CompletionCandidate> {
    of(names::<R>(), current)
}

pub(crate) fn sorts<R: Row>(current: &OsStr) -> Vec<CompletionCandidate> {
    let reverse = current.to_str().is_some_and(|text| text.starts_with('-'));
    of(names::<R>().map(|name| if reverse { format!("-{name}") } else { name }), current)
}

/// A field; behind its operator the words that it takes.
pub(crate) fn filters<R: Row>(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(text) = current.to_str() else { return Vec::new() };
    let Some(at) = text.rfind(['=', '<', '>', '~']) else { return fields::<R>(current) };
    let (before, _) = text.split_at(at + 1);
    let field = OPERATORS.iter().find_map(|operator| before.strip_suffix(operator)).unwrap_or_default();
    let column = R::COLUMNS.iter().find(|column| column.name == field || column.short_name() == field);
    let Some(column) = column.filter(|_| before.ends_with('=') && !before.ends_with(['<', '>'])) else {
        return Vec::new();
    };
    let states = ["none", "known", "missing", "unsupported"];
    let words = column.words.iter().chain(&states).chain(Some(&column.none));
    let mut all: Vec<String> = words.map(|word| format!("{before}{word}")).collect();
    all.dedup();
    of(all, current)
}

pub(crate) fn providers(current: &OsStr) -> Vec<CompletionCandidate> {
    of(keymux::providers().iter().map(|info| info.id().as_str()), current)
}

pub(crate) fn accounts(current: &OsStr) -> Vec<CompletionCandidate> {
    of(configured(&std::env::args_os().collect::<Vec<_>>()), current)
}

/// The accounts with the `:` behind which an address begins.
pub(crate) fn keys(current: &OsStr) -> Vec<CompletionCandidate> {
    of(configured(&std::env::args_os().collect::<Vec<_>>()).iter().map(|name| format!("{name}:")), current)
}

/// The accounts of the file that the line names, of that of the machine, or of the environment.
fn configured(line: &[std::ffi::OsString]) -> Vec<String> {
    let mut words = line.iter().filter_map(|word| word.to_str());
    let mut named: Option<std::path::PathBuf> = None;
    while let Some(word) = words.next() {
        if word == "--config" {
            named = words.next().map(Into::into);
        } else if let Some(path) = word.strip_prefix("--config=") {
            named = Some(path.into());
        }
    }
    let path = named.or_else(|| ConfigFile::locate(&|name| std::env::var_os(name)).ok().flatten());
    match path {
        Some(path) => {
            let file = ConfigFile::read(path);
            file.map(|file| file.accounts().map(|account| account.name().to_string()).collect()).unwrap_or_default()
        }
        None => crate::environment::set_credentials().map(|(info, _)| info.id().to_string()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use keymux::KeyRecord;

    use super::*;
    use crate::rows::ScopeRow;

    fn offered(candidates: &[CompletionCandidate]) -> Vec<String> {
        candidates.iter().map(|one| one.get_value().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn fields_are_offered_where_they_belong() {
        assert_eq!(offered(&fields::<KeyRecord>("last".as_ref())), ["last_used"]);
        assert_eq!(offered(&fields::<KeyRecord>("meta".as_ref())), ["metadata", "metadata."]);
        assert_eq!(offered(&sorts::<KeyRecord>("-exp".as_ref())), ["-expires"]);
        assert_eq!(offered(&fields::<ScopeRow>("".as_ref())), ["ref", "account", "provider", "scope", "name"]);
        assert_eq!(offered(&filters::<KeyRecord>("status=re".as_ref())), ["status=revoked"]);
        assert_eq!(offered(&filters::<KeyRecord>("expires=n".as_ref())), ["expires=none", "expires=never"]);
        assert_eq!(offered(&filters::<KeyRecord>("expires<".as_ref())), Vec::<String>::new());
        assert_eq!(offered(&providers("b".as_ref())), ["baseten", "braintrust"]);
    }
}
