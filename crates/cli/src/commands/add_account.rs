//! `keymux accounts add`: an account at the end of the configuration file, whose text stays as it is.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use keymux::AccountName;
use keymux::config::ConfigFile;

use crate::args::AddArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::text::shown;

/// Settings whose values are no text.
const BARE: [&str; 3] = ["max_attempts", "pace", "system_proxy"];

pub(super) fn run(named: Option<&Path>, args: &AddArgs, console: &Console) -> Result<Exit, Failure> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => super::init::place()?,
    };
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::Usage(format!("there is no {}; write one with `keymux init`", path.display())));
        }
        Err(error) => return Err(Failure::Io(format!("reading {}", path.display()), error)),
    };
    let after =
        format!("{}{}", before, table(args, before.ends_with("\n\n") || before.is_empty(), before.ends_with('\n'))?);
    let name: &AccountName = &args.name;
    // What was there has to be right by itself, so that a mistake in it is not taken for one in what is added. A file in which no
    // account is in force yet has none to be wrong.
    let known = ConfigFile::parse(&before, &path).ok().is_some_and(|file| file.account(name).is_some());
    if known {
        return Err(Failure::Usage(format!("there is an account `{name}` in {} already", path.display())));
    }
    let file = ConfigFile::parse(&after, &path).map_err(|error| {
        Failure::Usage(format!("{}; nothing was written", crate::words::report(&error).message.unwrap_or_default()))
    })?;
    let Some(account) = file.account(name) else {
        return Err(Failure::Usage(format!("{}: the account would not be read; nothing was written", path.display())));
    };
    let source = account.credential_source().to_string();
    replace(&path, &after).map_err(|error| Failure::Io(format!("writing {}", path.display()), error))?;
    console.note(&format!(
        "keymux: added `{name}` to {}; its credential is {source}; check it with `keymux accounts check`",
        path.display()
    ));
    Ok(Exit::Success)
}

/// The account's table as TOML.
fn table(args: &AddArgs, parted: bool, ended: bool) -> Result<String, Failure> {
    let credential = match (&args.credential_env, &args.credential_file, &*args.credential_command) {
        (Some(name), _, _) => format!("{{ env = {} }}", quoted(name, "--credential-env")?),
        (_, Some(path), _) => format!("{{ file = {} }}", quoted(path, "--credential-file")?),
        (_, _, words) => {
            let words: Result<Vec<String>, _> = words.iter().map(|word| quoted(word, "--credential-command")).collect();
            format!("{{ command = [{}] }}", words?.join(", "))
        }
    };
    let gap = match (parted, ended) {
        (true, _) => "",
        (false, true) => "\n",
        (false, false) => "\n\n",
    };
    let mut text = format!(
        "{gap}[accounts.{}]\nprovider = {}\ncredential = {credential}\n",
        quoted(args.name.as_str(), "NAME")?,
        quoted(&args.provider, "--provider")?
    );
    for (key, value) in &args.set {
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_key || matches!(&**key, "provider" | "credential") {
            return Err(Failure::Usage(format!(
                "--set: `{}` is no setting; `keymux help config` has them all",
                shown(key)
            )));
        }
        let is_literal =
            matches!(&**value, "true" | "false") || value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let value = if is_literal && BARE.contains(&&**key) && !value.is_empty() {
            value.clone()
        } else {
            quoted(value, "--set")?
        };
        let _ = writeln!(text, "{key} = {value}");
    }
    Ok(text)
}

/// A basic string of TOML. What looks like a key is refused: it would be in the shell's history, and then in the file.
fn quoted(text: &str, argument: &str) -> Result<String, Failure> {
    if shown(text) != text {
        return Err(Failure::Usage(format!(
            "{argument}: this looks like a secret, which belongs neither among arguments nor into the file; nothing was written"
        )));
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Failure::Usage(format!(
            "{argument}: a value is empty or holds control characters; nothing was written"
        )));
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Puts a new file in the place of the old one at once, with its permissions.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays one, and what it points to is replaced.
    let path = fs::canonicalize(path)?;
    let mut new: PathBuf = path.clone();
    new.set_extension("toml.keymux-new");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().inspect_err(|error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(&new);
        }
    })
}
