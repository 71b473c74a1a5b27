//! `keymux init`: a commented configuration file, from the names of what is set in the environment.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use keymux::config::ConfigFile;

use crate::console::Console;
use crate::environment::{is_set, set_credentials, variable};
use crate::exit::{Exit, Failure};
use crate::help::EXAMPLE;

pub(super) fn run(path: Option<&Path>, console: &Console) -> Result<Exit, Failure> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => place()?,
    };
    let (text, accounts) = text();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Io(format!("making the folder {}", folder.display()), error))?;
    }
    // It holds no secret, so that it has the mode that the user's files have.
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Usage(format!(
            "{} exists, and is not overwritten; add to it with `keymux accounts add`",
            path.display()
        )),
        _ => Failure::Io(format!("writing {}", path.display()), error),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::Io(format!("writing {}", path.display()), error))?;
    let next = match &*accounts {
        [] => "no credential is in the environment; add an account with `keymux accounts add`".to_owned(),
        names => format!("accounts: {}; check them with `keymux accounts check`", names.join(", ")),
    };
    console.note(&format!("keymux: wrote {}; {next}", path.display()));
    Ok(Exit::Success)
}

/// Where the file belongs.
pub(super) fn place() -> Result<PathBuf, Failure> {
    let variables = |name: &str| std::env::var_os(name);
    if let Some(path) = variables("KEYMUX_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    ConfigFile::default_path(&variables).ok_or_else(|| {
        Failure::Usage("the environment does not say where configurations are; name the file with --config".to_owned())
    })
}

/// The example with only the accounts in force whose credentials are set, and the names of these.
fn text() -> (String, Vec<String>) {
    let mut text = "\
# The accounts of Keymux; `keymux help config` explains every key.
# No secret belongs here: each account says where its credential is.
"
    .to_owned();
    let mut accounts = Vec::new();
    for (info, variable_name) in set_credentials() {
        let id = info.id();
        let _ = write!(text, "\n[accounts.{id}]\nprovider = \"{id}\"\ncredential = {{ env = \"{variable_name}\" }}\n");
        let base_url = variable(info, "BASE_URL");
        if is_set(&base_url) {
            let _ = writeln!(
                text,
                "# base_url = \"…\"  # {base_url} is set, and does not count for a file: put its value here"
            );
        }
        accounts.push(id.to_string());
    }
    text.push_str("\n# All that can be set, commented out:\n#\n");
    for line in EXAMPLE.lines().skip_while(|line| !line.starts_with("# What holds")) {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    (text, accounts)
}
