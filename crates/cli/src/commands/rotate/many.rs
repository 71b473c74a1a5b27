//! Many keys: a plan that a person reads and changes, and what carries it out.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, stream};
use keymux::rotation::{Method, OldKey, RotationPlan, Stage};
use keymux::{AccountName, Error, ErrorKind, KeyRef, Keymux, Rotation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::{RotateArgs, RotationArgs, StampIn, Target};
use crate::ask;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::load::Loader;
use crate::output::{self, Output, Plan};
use crate::rotation_state::{StateFile, file_name};
use crate::rows::{Problem, RotationRow, Summary};
use crate::secret_file::NewFile;
use crate::shutdown::ShutdownGuard;
use crate::when;

use super::carry::{Came, Job, Store};
use super::options::{Commands, planned};
use super::{in_folder, says};

/// How many keys of an account are rotated at once.
const AT_ONCE: usize = 4;

/// The version of the file.
const VERSION: u32 = 1;

/// A plan of many rotations.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    keymux_rotation_plan: u32,
    /// What may be changed, in words.
    #[serde(default)]
    about: Vec<String>,
    rotations: Vec<Entry>,
}

/// What is done with one key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    r#ref: KeyRef,
    action: Action,
    #[serde(default)]
    native: bool,
    /// `revoke`, `keep`, `revoke after SPAN` or `expire after SPAN`.
    #[serde(default = "revoke")]
    old_key: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<StampIn>,
    /// What is copied to the new key: to read.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    copied: Value,
    /// What the record does not tell: to read. `set` says what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_told: Vec<String>,
    /// Why it cannot be rotated as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Rotate,
    /// It is left as it is.
    Skip,
}

fn revoke() -> String {
    "revoke".to_owned()
}

impl Entry {
    fn options(&self) -> Result<RotationArgs, Failure> {
        let mut options = RotationArgs {
            native: self.native,
            set: self.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            stamp: self.stamp,
            ..RotationArgs::default()
        };
        let wrong = |why: &str| Failure::Usage(format!("{}: `old_key` is `{}`: {why}", self.r#ref, self.old_key));
        let after = |text: &str| when::parse_ahead(text).map_err(|error| wrong(&error));
        match self.old_key.split_once(" after ") {
            _ if self.old_key == "revoke" => {}
            _ if self.old_key == "keep" => options.keep_old = true,
            Some(("revoke", text)) => options.revoke_old_after = Some(after(text)?),
            Some(("expire", text)) => options.expire_old_after = Some(after(text)?),
            _ => return Err(wrong("it is `revoke`, `keep`, `revoke after SPAN` or `expire after SPAN`")),
        }
        Ok(options)
    }

    fn of(key: KeyRef, planned: Result<RotationPlan, Failure>, options: &RotationArgs) -> Self {
        let set = options.set.iter().cloned().collect();
        let mut entry = Self {
            r#ref: key,
            action: Action::Rotate,
            native: options.native,
            old_key: revoke(),
            set,
            stamp: options.stamp,
            copied: Value::Null,
            not_told: Vec::new(),
            why: None,
        };
        let plan = match planned {
            Ok(plan) => plan,
            Err(failure) => return Self { action: Action::Skip, why: Some(failure.to_string()), ..entry },
        };
        entry.old_key = match plan.old_key() {
            OldKey::KeepUntilTold => "keep".to_owned(),
            OldKey::KeepUntil(at) => format!("revoke after {at}"),
            OldKey::ExpireAt(at) => format!("expire after {at}"),
            _ => revoke(),
        };
        if plan.method() == Method::SecondKey {
            entry.copied = serde_json::to_value(plan.new_key()).unwrap_or_default();
        }
        let weight = |may_widen| if may_widen { "say what it is in `set`, or `none`" } else { "it is lost" };
        entry.not_told = plan.untold().iter().map(|untold| format!("{untold}; {}", weight(untold.may_widen))).collect();
        if plan.untold().iter().any(|untold| untold.may_widen) {
            entry.action = Action::Skip;
            entry.why =
                Some("something that may widen what the new key is allowed is not told: see `not_told`".to_owned());
        }
        entry
    }
}

/// Looks keys up, and writes what would be done with them.
pub(super) async fn plan(loader: &Loader<'_>, args: RotateArgs, console: &Console) -> Result<Exit, Failure> {
    let keys = match &args.target {
        Some(Target::Key(key)) => vec![key.clone()],
        _ => keys()?,
    };
    let Some(path) = args.plan else { return Err(Failure::Usage("name a file for the plan".to_owned())) };
    // Before anything is asked, so that no answer is for nothing.
    let file = if path.as_os_str() == "-" { None } else { Some(NewFile::make(path, console)?) };
    let keymux = loader.of(keys.iter().map(KeyRef::account)).await?;
    let known = keys.iter().try_for_each(|key| keymux.account(key.account()).map(drop));
    known.map_err(|error| Failure::Usage(format!("{error}; nothing was planned")))?;
    let (guard, rotator, options) = (ShutdownGuard::begin(), keymux.rotator(), &args.options);
    let entries: Vec<Entry> = {
        let (guard, rotator) = (&guard, &rotator);
        let planned = stream::iter(keys).map(|key| async move {
            let plan = planned(rotator, &key, options, false, guard).await;
            Entry::of(key, plan, options)
        });
        planned.buffered(AT_ONCE * 2).collect().await
    };
    if guard.was_heard() {
        return Err(Failure::Interrupted(guard.exit()));
    }
    let (rotated, skipped): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.action == Action::Rotate);
    let said = format!("{} to rotate, {} to skip", rotated.len(), skipped.len());
    let exit = match (rotated.is_empty(), skipped.is_empty()) {
        (_, true) => Exit::Success,
        (false, false) => Exit::Partial,
        (true, false) => Exit::Failure,
    };
    let about = [
        "Change `action` (rotate, skip), `native`, `old_key` (revoke, keep, revoke after 24h, expire after 24h), `set` \
         and `stamp` (nowhere, metadata, name). The rest is to read.",
        "Each key is looked up again when the plan is carried out: keymux rotate --apply PLAN --secret-dir DIR",
    ];
    let plan = PlanFile { keymux_rotation_plan: VERSION, about: about.map(str::to_owned).to_vec(), rotations: entries };
    let mut text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    text.push('\n');
    match file {
        None => output::print(&text)?,
        Some(file) => {
            let shown = file.shown();
            file.fill(text.as_bytes()).map_err(|error| Failure::Lost(format!("{shown}: {error}")))?;
            console.note(&format!("keymux: {shown}: {said}"));
        }
    }
    Ok(exit)
}

/// Every reference once. One that cannot be read is a mistake, and nothing is planned on a mistake.
fn keys() -> Result<Vec<KeyRef>, Failure> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for given in super::super::references::read(vec!["-".to_owned()])? {
        let (key, _) = given.map_err(|(_, error)| Failure::Usage(format!("{error}; nothing was planned")))?;
        if seen.insert(key.clone()) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn read(path: &Path) -> Result<PlanFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::Io(format!("reading {}", path.display()), error))?;
    let wrong = |why: String| Failure::Usage(format!("{} is no plan that can be carried out: {why}", path.display()));
    let plan: PlanFile = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if plan.keymux_rotation_plan != VERSION {
        return Err(wrong(format!("it is of version {}, and this build reads {VERSION}", plan.keymux_rotation_plan)));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = plan.rotations.iter().find(|entry| !seen.insert(&entry.r#ref)) {
        return Err(wrong(format!("{} is in it twice", twice.r#ref)));
    }
    Ok(plan)
}

/// What became of one key.
enum Fate {
    Came(Box<Rotation>, Came),
    Failed(Failure),
    /// A signal, or too many failures, came before.
    NotBegun,
}

/// Carries a plan out.
pub(super) async fn apply(
    loader: &Loader<'_>,
    args: RotateArgs,
    commands: Commands,
    console: &Console,
) -> Result<Exit, Failure> {
    let Some(path) = args.apply.clone() else { return Err(Failure::Usage("name a plan".to_owned())) };
    if args.secret_dir.is_none() && commands.store.is_none() {
        return Err(Failure::Usage(
            "say where the plaintexts are stored: --secret-dir DIR, or --store -- COMMAND".to_owned(),
        ));
    }
    if !args.yes.yes {
        ask::must_be_able(console)?;
    }
    let plan = read(&path)?;
    let entries: Vec<Entry> = plan.rotations.into_iter().filter(|entry| entry.action == Action::Rotate).collect();
    // A mistake in one of them stops all, before anything is sent.
    let entries: Vec<(KeyRef, RotationArgs)> =
        entries.iter().map(|entry| Ok((entry.r#ref.clone(), entry.options()?))).collect::<Result<_, Failure>>()?;
    let keymux = loader.of(entries.iter().map(|(key, _)| key.account())).await?;
    let known = entries.iter().try_for_each(|(key, _)| keymux.account(key.account()).map(drop));
    known.map_err(|error| Failure::Usage(format!("{error}; nothing was rotated")))?;
    if !args.yes.yes {
        console.failed_for("these keys get successors:", entries.iter().map(|(key, _)| key.to_string()));
        if !ask::confirm(&format!("Rotate these {} keys?", entries.len())).await? {
            console.note("Nothing was done.");
            return Ok(Exit::Failure);
        }
    }
    if let Some(folder) = &args.secret_dir {
        make_folder(folder).map_err(|error| Failure::Io(format!("making {}", folder.display()), error))?;
    }
    let mut states = path.clone().into_os_string();
    states.push(".state");
    let carrier = Carrier {
        keymux: &keymux,
        console,
        guard: &ShutdownGuard::begin(),
        commands: &commands,
        secrets: args.secret_dir.as_deref(),
        states: &PathBuf::from(states),
        failures: &Cell::new(0),
        stop_after: args.stop_after,
    };
    carrier.all(entries, &path).await
}

/// A folder that its owner alone may enter, if it is not there yet.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[derive(Clone, Copy)]
struct Carrier<'a> {
    keymux: &'a Keymux,
    console: &'a Console,
    guard: &'a ShutdownGuard,
    commands: &'a Commands,
    secrets: Option<&'a Path>,
    /// One file for each key, which stays when it is done, so that another run knows.
    states: &'a Path,
    failures: &'a Cell<u64>,
    stop_after: Option<u64>,
}

impl Carrier<'_> {
    async fn all(self, entries: Vec<(KeyRef, RotationArgs)>, plan: &Path) -> Result<Exit, Failure> {
        let shown = Plan::of_many::<RotationRow>(self.console, &["ref", "stage", "new_ref", "old_key"]);
        let mut output = Output::new(self.console, shown);
        let mut accounts: BTreeMap<AccountName, Vec<(KeyRef, RotationArgs)>> = BTreeMap::new();
        for entry in entries {
            accounts.entry(entry.0.account().clone()).or_default().push(entry);
        }
        let mut fates = stream::select_all(accounts.into_values().map(|entries| {
            let one = move |(key, options): (KeyRef, RotationArgs)| {
                Box::pin(async move {
                    let fate = self.one(&key, &options).await;
                    (key, fate)
                })
            };
            stream::iter(entries).map(one).buffer_unordered(AT_ONCE)
        }));
        let mut tally = Tally::default();
        let (mut done, mut kept, mut failed, mut left) = (0_u64, 0_u64, 0_u64, 0_u64);
        while let Some((key, fate)) = fates.next().await {
            match fate {
                Fate::Came(rotation, came) => {
                    for orphan in rotation.orphans() {
                        self.console.failed(&orphan.to_string());
                    }
                    match came {
                        Came::Ended(_) => done += 1,
                        Came::Kept(_) => kept += 1,
                        Came::Handed => {}
                        Came::NotProven(ref why) => {
                            self.console
                                .failed(&format!("{key}: the new key was not seen to work ({why}); both are left"));
                        }
                        Came::Unfinished(ref error, _) => {
                            self.console.error(Some(&format!("{key} may still work beside its successor")), error);
                        }
                    }
                    if matches!(came, Came::Ended(_) | Came::Kept(_)) && rotation.orphans().is_empty() {
                        tally.success();
                    } else {
                        // Something came of it in any case.
                        tally.success();
                        tally.failed(Exit::Partial);
                        failed += u64::from(!matches!(came, Came::Ended(_) | Came::Kept(_)));
                    }
                    output.row(RotationRow::new(&rotation, Vec::new()))?;
                }
                Fate::Failed(failure) => {
                    failed += 1;
                    tally.failed(failure.exit());
                    let error = match failure {
                        Failure::Call(error) | Failure::Change(_, error) => error,
                        other => Error::new(ErrorKind::Config).with_message(other.to_string()),
                    };
                    self.console.error(Some(&key.to_string()), &error);
                    output.problem(&Problem::of_ref(key.to_string(), &error))?;
                }
                Fate::NotBegun => left += 1,
            }
            output.flush()?;
        }
        let heard = self.guard.was_heard();
        let mut summary = Summary::new(failed + left == 0, heard);
        summary.text = Some(format!("{done} rotated, {kept} with the old key kept, {failed} failed, {left} not begun"));
        let text = summary.text.clone().unwrap_or_default();
        output.finish(Some(summary))?;
        self.console.note(&format!("keymux: {text}"));
        if failed + left > 0 {
            self.console.note(&format!(
                "keymux: go on with: keymux rotate --apply {}",
                super::quoted(&plan.display().to_string())
            ));
        }
        Ok(match tally.exit() {
            _ if heard => self.guard.exit(),
            Exit::Success if left > 0 => Exit::Partial,
            exit => exit,
        })
    }

    async fn one(self, key: &KeyRef, options: &RotationArgs) -> Fate {
        let stops = self.stop_after.is_some_and(|most| self.failures.get() >= most);
        if stops || self.guard.was_heard() {
            return Fate::NotBegun;
        }
        match self.carried(key, options).await {
            Ok((rotation, came)) => {
                if !matches!(came, Came::Ended(_) | Came::Kept(_)) {
                    self.failures.set(self.failures.get() + 1);
                }
                Fate::Came(Box::new(rotation), came)
            }
            Err(failure) => {
                self.failures.set(self.failures.get() + 1);
                Fate::Failed(failure)
            }
        }
    }

    async fn carried(self, key: &KeyRef, options: &RotationArgs) -> Result<(Rotation, Came), Failure> {
        let rotator = self.keymux.rotator();
        let (mut state, rotation) = StateFile::open(self.states.join(file_name(key) + ".ndjson"))?;
        let mut rotation = match rotation {
            Some(rotation) if rotation.old_key() == key => rotation,
            Some(_) => return Err(Failure::Usage(format!("the state of {key} is that of another key"))),
            None => {
                let proof = self.commands.prove.is_some();
                planned(&rotator, key, options, proof, self.guard).await?.begin()?
            }
        };
        says(false, &mut rotation, &mut state, self.console)?;
        let store = if rotation.stage().is_stored() {
            None
        } else {
            let secret = self.secrets.map(|folder| in_folder(folder, key)).unwrap_or_default();
            Some(Store::ready(self.commands, secret, &mut state, self.console)?)
        };
        let job = Job {
            keymux: self.keymux,
            rotator: &rotator,
            console: self.console,
            guard: self.guard,
            next: "the same command",
            commands: self.commands,
        };
        let came = job.carry(&mut rotation, &mut state, store).await;
        if came.is_err() && *rotation.stage() == Stage::Planned && rotation.abandoned().is_empty() {
            // The next run plans anew.
            if rotation.orphans().is_empty() {
                state.remove();
                return Ok((rotation, came?));
            }
        }
        let came = came?;
        Ok((rotation, came))
    }
}
