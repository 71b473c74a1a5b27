//! From the text of a configuration to its accounts. Every error names a place, and none repeats a value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use keymux_core::{AccountName, BaseUrl, ClientOptions, Error, SecretString, scrub_text};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::credential::Source;
use super::keys::{
    KEYS, Key, MAX_COUNT, MAX_DURATION, MAX_MEBIBYTES, Of, TRAIL_PATH, VENDORS, Value, ValueKind, means_secret, nearest,
};
use super::runs::Runs;
use super::{AccountConfig, Place, Setting};

/// What is said wherever a literal credential may have been meant.
const CREDENTIAL_FORMS: &str =
    "write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`";

const NO_SECRET: &str = "a secret is never taken from this file";

type Settings = BTreeMap<&'static str, Setting>;
type Spot<'a> = Spanned<DeValue<'a>>;

/// A value that is wrong: where, and why.
type Wrong = (usize, String);

/// The accounts, and where the trail of changes is written.
pub(super) fn read(text: &str, path: &Path) -> Result<(Vec<AccountConfig>, Option<PathBuf>), Error> {
    const TABLES: [&str; 3] = ["accounts", "defaults", "trail"];
    let file = File { text, path };
    let root = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        // Its `Display` would quote the line, secret and all.
        let error_at = file.error((at, format!("this is not TOML: {}", error.message())));
        match file.account_around(at) {
            Some(name) => error_at.with_account(name),
            None => error_at,
        }
    })?;
    let root = root.get_ref();
    for (at, name, value) in in_order(root) {
        if !TABLES.contains(&name) {
            return Err(file.error((at, unknown(name, value, "key", TABLES))));
        }
    }
    let mut defaults = Settings::new();
    if let Some(value) = root.get("defaults") {
        let entries = table(value, "`defaults`").map_err(|wrong| file.error(wrong))?;
        for (at, name, value) in in_order(entries) {
            let key = default_key(name, value).map_err(|why| file.error((at, why)))?;
            defaults.insert(key.name, file.setting(key, value).map_err(|wrong| file.error(wrong))?);
        }
    }
    let trail = root.get("trail").map(|value| file.trail(value)).transpose().map_err(|wrong| file.error(wrong))?;
    let no_accounts =
        || file.error((0, "there is no account; add a table such as `[accounts.prod-baseten]`".to_owned()));
    let entries = root.get("accounts").ok_or_else(no_accounts)?;
    let entries = in_order(table(entries, "`accounts`").map_err(|wrong| file.error(wrong))?);
    if entries.is_empty() {
        return Err(no_accounts());
    }
    let mut accounts = Vec::with_capacity(entries.len());
    let runs = Arc::new(Runs::default());
    for (at, name, value) in entries {
        let name = AccountName::new(name).map_err(|invalid| file.error((at, invalid.to_string())))?;
        let account = file.account(&name, at, value, &defaults);
        let account = account.map_err(|wrong| file.error(wrong).with_account(name))?;
        accounts.push(AccountConfig { runs: Arc::clone(&runs), ..account });
    }
    accounts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((accounts, trail))
}

/// The text that is read, and what it is called.
#[derive(Clone, Copy)]
struct File<'a> {
    text: &'a str,
    path: &'a Path,
}

impl File<'_> {
    fn place(self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Place { file: self.path.to_owned(), line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }

    fn error(self, (at, why): Wrong) -> Error {
        self.place(at).error(&why)
    }

    /// The account whose table is open at `at`, for text that is not TOML.
    fn account_around(self, at: usize) -> Option<AccountName> {
        let header = self.text.get(..at)?.lines().map(str::trim).rfind(|line| line.starts_with('['))?;
        let name = header.strip_prefix("[accounts.")?.split(['.', ']']).next()?;
        AccountName::new(name.trim_matches(['"', '\''])).ok()
    }

    fn account(
        self,
        name: &AccountName,
        at: usize,
        value: &Spot<'_>,
        defaults: &Settings,
    ) -> Result<AccountConfig, Wrong> {
        let entries = table(value, "an account")?;
        let missing = |key: &str, mend: &str| (at, format!("`{key}` is missing; {mend}"));
        // Keys that nobody knows come first: one of them may be what another lacks.
        let mut known = Vec::new();
        for (at, name, value) in in_order(entries) {
            let key = KEYS.iter().find(|key| key.name == name);
            let unknown = || (at, unknown(name, value, "key", KEYS.iter().map(|key| key.name)));
            known.push((at, key.ok_or_else(unknown)?, value));
        }
        let vendor =
            entries.get("provider").ok_or_else(|| missing("provider", &format!("write one of {}", list(VENDORS))))?;
        let vendor = choice(vendor, "provider", &VENDORS)?;
        let source = entries.get("credential").ok_or_else(|| missing("credential", CREDENTIAL_FORMS))?;
        let mut settings = defaults.clone();
        for (at, key, value) in known {
            match key.of {
                Of::Vendor(other) if other != vendor => {
                    return Err((
                        at,
                        format!("`{}` is for provider `{other}`, and this account's is `{vendor}`", key.name),
                    ));
                }
                _ if matches!(key.takes, ValueKind::Provider | ValueKind::Credential) => {}
                _ => drop(settings.insert(key.name, self.setting(key, value)?)),
            }
        }
        if let (Some(_), Some((region, _))) = (settings.get("base_url"), entries.get_key_value("region")) {
            let why = "`region` and `base_url` both say where the vendor is; leave one of them out";
            return Err((region.span().start, why.to_owned()));
        }
        Ok(AccountConfig {
            name: name.clone(),
            vendor,
            place: self.place(at),
            source: self.source(source)?,
            source_place: self.place(source.span().start),
            settings,
            contents: BTreeMap::new(),
            runs: Arc::default(),
        })
    }

    /// The path that `[trail]` names.
    fn trail(self, value: &Spot<'_>) -> Result<PathBuf, Wrong> {
        let entries = table(value, "`trail`")?;
        for (at, name, value) in in_order(entries) {
            if name != TRAIL_PATH.name {
                return Err((at, unknown(name, value, "key in `trail`:", [TRAIL_PATH.name])));
            }
        }
        let path = entries.get(TRAIL_PATH.name).ok_or_else(|| {
            (value.span().start, "`path` is missing; write the path of the file that changes are written to".to_owned())
        })?;
        match self.read(&TRAIL_PATH, path)? {
            Value::File(path) => Ok(path),
            // It takes a file alone.
            _ => Err((path.span().start, wants(TRAIL_PATH.takes))),
        }
    }

    fn setting(self, key: &Key, value: &Spot<'_>) -> Result<Setting, Wrong> {
        Ok(Setting { value: self.read(key, value)?, place: self.place(value.span().start) })
    }

    fn read(self, key: &Key, value: &Spot<'_>) -> Result<Value, Wrong> {
        let at = value.span().start;
        let fail = |wants: String| (at, format!("`{}` is {}; {wants}", key.name, amiss(key.takes, value)));
        match (key.takes, value.get_ref()) {
            (ValueKind::Url, DeValue::String(url)) => {
                let checked = BaseUrl::parse("`base_url`", url)
                    .and_then(|url| url.check_scheme("`base_url`", &ClientOptions::new()));
                checked.map_err(|error| (at, error.message().unwrap_or_default().to_owned()))?;
                Ok(Value::Text(url.to_string()))
            }
            (ValueKind::Text, DeValue::String(text)) if !text.trim().is_empty() => Ok(Value::Text(text.to_string())),
            (ValueKind::Product, DeValue::String(product))
                if ClientOptions::new().with_application(product).is_ok() =>
            {
                Ok(Value::Text(product.to_string()))
            }
            (ValueKind::Choice(words), _) => choice(value, key.name, words).map(|word| Value::Text(word.to_owned())),
            (ValueKind::Duration, DeValue::String(text)) if duration(text).is_some() => {
                Ok(Value::Duration(duration(text).unwrap_or_default()))
            }
            (ValueKind::Count | ValueKind::Mebibytes, DeValue::Integer(number)) => {
                u32::from_str_radix(number.as_str(), number.radix())
                    .ok()
                    .filter(|count| {
                        (1..=if key.takes == ValueKind::Count { MAX_COUNT } else { MAX_MEBIBYTES }).contains(count)
                    })
                    .map(Value::Count)
                    .ok_or_else(|| fail(wants(key.takes)))
            }
            (ValueKind::Rate, DeValue::Integer(number)) if number.radix() == 10 => {
                rate(number.as_str()).ok_or_else(|| fail(wants(key.takes)))
            }
            (ValueKind::Rate, DeValue::Float(number)) => rate(number.as_str()).ok_or_else(|| fail(wants(key.takes))),
            (ValueKind::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (ValueKind::File, DeValue::String(path)) if !path.is_empty() => {
                self.resolve(path).map(Value::File).map_err(|why| (at, why))
            }
            (takes, _) => Err(fail(wants(takes))),
        }
    }

    fn source(self, value: &Spot<'_>) -> Result<Source, Wrong> {
        const SOURCES: [&str; 3] = ["env", "file", "command"];
        let at = value.span().start;
        let DeValue::Table(entries) = value.get_ref() else {
            return Err((at, format!("`credential` is {}, and {NO_SECRET}; {CREDENTIAL_FORMS}", shape(value))));
        };
        for (at, name, value) in in_order(entries) {
            if !SOURCES.contains(&name) {
                return Err((at, unknown(name, value, "key in `credential`:", SOURCES)));
            }
        }
        if entries.len() != 1 {
            return Err((at, format!("`credential` names {}; {CREDENTIAL_FORMS}", counted(entries.len(), "source"))));
        }
        let Some((_, name, value)) = in_order(entries).into_iter().next() else {
            return Err((at, CREDENTIAL_FORMS.to_owned()));
        };
        let at = value.span().start;
        let fail = |wants: &str| Err((at, format!("`{name}` of `credential` is {}; {wants}", shape(value))));
        match (name, value.get_ref()) {
            ("env", DeValue::String(name)) if is_variable(name) => Ok(Source::Env(name.to_string())),
            ("env", _) => fail("write the name of a variable: letters, digits and `_`"),
            ("file", DeValue::String(path)) if !path.is_empty() => {
                self.resolve(path).map(Source::File).map_err(|why| (at, why))
            }
            ("file", _) => fail("write the path of a file that holds the credential alone"),
            (_, DeValue::Array(words)) => {
                let word = |word: &Spot<'_>| match word.get_ref() {
                    DeValue::String(word) => Some(word.to_string()),
                    _ => None,
                };
                match words.iter().map(word).collect::<Option<Vec<_>>>().as_deref() {
                    Some([program, arguments @ ..]) if !program.is_empty() => {
                        // A bare name is looked up in PATH.
                        let is_path = program.contains(['/', '\\']);
                        let program = if is_path { self.resolve(program) } else { Ok(program.into()) };
                        let program = program.map_err(|why| (at, why))?;
                        Ok(Source::Command { program, arguments: arguments.to_vec() })
                    }
                    _ => fail("write the program and each of its arguments as a string"),
                }
            }
            (_, _) => fail("write an array, the program first and then each argument; no shell reads it"),
        }
    }

    /// `~/` is the home folder, and a relative path starts at the configuration's folder.
    fn resolve(self, path: &str) -> Result<PathBuf, String> {
        let Some(below_home) = path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\").filter(|_| cfg!(windows)))
        else {
            return Ok(self.path.parent().unwrap_or(Path::new("")).join(path));
        };
        let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        match std::env::var_os(variable).filter(|home| !home.is_empty()) {
            Some(home) => Ok(Path::new(&home).join(below_home)),
            None => Err(format!("`~/` needs the environment variable {variable}, which is not set")),
        }
    }
}

/// The entries of a table in the order of the file, each with the position of its key.
fn in_order<'t, 'a>(entries: &'t DeTable<'a>) -> Vec<(usize, &'t str, &'t Spot<'a>)> {
    let entry = |(key, value): (&'t Spanned<_>, &'t Spot<'a>)| -> (usize, &'t str, &'t Spot<'a>) {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (key.span().start, name, value)
    };
    let mut entries: Vec<_> = entries.iter().map(entry).collect();
    entries.sort_by_key(|(at, _, _)| *at);
    entries
}

fn table<'t, 'a>(value: &'t Spot<'a>, what: &str) -> Result<&'t DeTable<'a>, Wrong> {
    match value.get_ref() {
        DeValue::Table(entries) => Ok(entries),
        _ => Err((value.span().start, format!("{what} is {}; write a table", shape(value)))),
    }
}

fn choice(value: &Spot<'_>, key: &str, words: &[&'static str]) -> Result<&'static str, Wrong> {
    let text = match value.get_ref() {
        DeValue::String(text) => &**text,
        _ => "",
    };
    let found = words.iter().copied().find(|word| *word == text);
    found.ok_or_else(|| {
        let nearest = nearest(text, words.iter().copied());
        let nearest = nearest.map(|word| format!("; the nearest is `{word}`")).unwrap_or_default();
        (
            value.span().start,
            format!("`{key}` is {}; write one of {}{nearest}", shape(value), list(words.iter().copied())),
        )
    })
}

/// The key of `[defaults]`, or why it is none.
fn default_key(name: &str, value: &Spot<'_>) -> Result<&'static Key, String> {
    let shared = || KEYS.iter().filter(|key| key.of == Of::Shared);
    match KEYS.iter().find(|key| key.name == name) {
        Some(key) if key.of == Of::Shared => Ok(key),
        Some(key) => Err(format!("`{}` belongs to an account and has no default", key.name)),
        None => Err(unknown(name, value, "key in `defaults`:", shared().map(|key| key.name))),
    }
}

fn unknown<'a>(name: &str, value: &Spot<'_>, what: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let nearest = nearest(name, known.clone());
    // A secret may stand in the place of a key.
    let shown = scrub_text(name, &SecretString::default());
    if means_secret(name) && !matches!(value.get_ref(), DeValue::Table(_)) {
        return format!("unknown {what} `{shown}`, and {NO_SECRET}; {CREDENTIAL_FORMS}");
    }
    let Some(nearest) = nearest else {
        return format!("unknown {what} `{shown}`; write one of {}", list(known));
    };
    let of = match KEYS.iter().find(|key| key.name == nearest).map(|key| key.of) {
        Some(Of::Vendor(vendor)) => format!(", for provider `{vendor}` alone"),
        _ => String::new(),
    };
    format!("unknown {what} `{shown}`; the nearest known one is `{nearest}`{of}")
}

fn duration(text: &str) -> Option<Duration> {
    let duration = Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
    (!duration.is_zero() && duration <= MAX_DURATION).then_some(duration)
}

fn rate(text: &str) -> Option<Value> {
    let rate: f64 = text.parse().ok()?;
    (rate.is_finite() && rate > 0.0).then_some(Value::Rate(rate))
}

/// What a key takes, as the mend of a wrong value.
fn wants(takes: ValueKind) -> String {
    match takes {
        ValueKind::Url => "write a string such as \"https://api.example.com\"".to_owned(),
        ValueKind::Text | ValueKind::Provider | ValueKind::Credential => "write a string that is not empty".to_owned(),
        ValueKind::Product => "write a product token such as \"my-service/1.4\"".to_owned(),
        ValueKind::Choice(words) => format!("write one of {}", list(words.iter().copied())),
        ValueKind::Duration => {
            let hours = MAX_DURATION.as_secs() / 3600;
            format!("write a string such as \"10s\" or \"1m 30s\", above 0 and at most {hours}h")
        }
        ValueKind::Count => format!("write a whole number of 1 to {MAX_COUNT}"),
        ValueKind::Mebibytes => format!("write a whole number of mebibytes, of 1 to {MAX_MEBIBYTES}"),
        ValueKind::Rate => "write a number above 0".to_owned(),
        ValueKind::Flag => "write true or false".to_owned(),
        ValueKind::File => "write the path of a file".to_owned(),
    }
}

/// What is wrong with a value of a key, without what it says.
fn amiss(takes: ValueKind, value: &Spot<'_>) -> String {
    let is_finite = |number: &str| number.parse::<f64>().is_ok_and(f64::is_finite);
    match (takes, value.get_ref()) {
        (ValueKind::Duration, DeValue::String(text)) if text.parse::<SignedDuration>().is_ok() => {
            "out of range".to_owned()
        }
        (ValueKind::Count | ValueKind::Mebibytes, DeValue::Integer(_)) => "out of range".to_owned(),
        (ValueKind::Rate, DeValue::Integer(number)) if is_finite(number.as_str()) => "not above 0".to_owned(),
        (ValueKind::Rate, DeValue::Float(number)) if is_finite(number.as_str()) => "not above 0".to_owned(),
        (ValueKind::Rate, DeValue::Float(_)) => "not a finite number".to_owned(),
        _ => shape(value),
    }
}

/// What a value is, without what it says.
fn shape(value: &Spot<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => "an empty string".to_owned(),
        DeValue::String(text) => format!("a string of {}", counted(text.chars().count(), "character")),
        DeValue::Integer(_) => "an integer".to_owned(),
        DeValue::Float(_) => "a float".to_owned(),
        DeValue::Boolean(_) => "a boolean".to_owned(),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(items) => format!("an array of {}", counted(items.len(), "value")),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
