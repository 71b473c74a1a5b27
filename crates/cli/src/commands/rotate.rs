//! `keymux rotate`: gives a key a successor, in steps whose state outlasts the process.

mod carry;
mod many;
mod options;

use std::convert::Infallible;
use std::future::ready;
use std::path::PathBuf;

use keymux::rotation::{Method, OldKeyEnd, ProofLimit, RotationPlan, Stage};
use keymux::{KeyRef, Rotation};

use crate::args::{RotateArgs, SecretOut, Target};
use crate::ask;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::rotation_state::{self, StateFile};
use crate::rows::RequestRow;
use crate::secret_file;
use crate::shutdown::ShutdownGuard;

use carry::{Came, Job, Store};
pub(super) use options::assign;
use options::{Commands, planned};

pub(super) async fn run(loader: &Loader<'_>, args: RotateArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let commands = Commands::of(&args)?;
    if args.apply.is_some() {
        return many::apply(loader, args, commands, console).await;
    }
    match &args.target {
        Some(Target::Many | Target::Key(_)) if args.plan.is_some() => many::plan(loader, args, console).await,
        Some(Target::Many) => Err(Failure::Usage(
            "many keys are rotated by a plan: write one with `keymux rotate - --plan FILE`, read it, then \
             `keymux rotate --apply FILE --secret-dir DIR`"
                .to_owned(),
        )),
        Some(Target::File(path)) if !args.resume => Err(Failure::Usage(format!(
            "{} is a file; to go on with the rotation whose state it is, add --resume",
            path.display()
        ))),
        Some(_) if args.dry_run => show_requests(loader, &args, console).await,
        Some(_) => one(loader, args, commands, console).await,
        // clap asks for one of them.
        None => Err(Failure::Usage("name a key".to_owned())),
    }
}

/// Rotates one key, or goes on with it.
async fn one(loader: &Loader<'_>, args: RotateArgs, commands: Commands, console: &Console) -> Result<Exit, Failure> {
    let asks = !args.yes.yes && !args.resume;
    if asks {
        ask::must_be_able(console)?;
    }
    let (path, key) = match (&args.target, &args.state) {
        (Some(Target::File(path)), _) => (path.clone(), None),
        (Some(Target::Key(key)), Some(path)) => (path.clone(), Some(key.clone())),
        (Some(Target::Key(key)), None) => (rotation_state::path_of(key)?, Some(key.clone())),
        _ => return Err(Failure::Usage("name a key".to_owned())),
    };
    if args.resume && !rotation_state::is_there(&path) {
        let shown = path.display();
        return Err(Failure::Usage(format!("there is no rotation to go on with: {shown} is not there")));
    }
    // What stays was named by the user.
    let named = args.state.is_some() || matches!(args.target, Some(Target::File(_)));
    let keymux = if let Some(key) = &key {
        loader.of([key.account()]).await?
    } else {
        let (_, rotation) = StateFile::open(path.clone())?;
        let rotation = rotation.ok_or_else(|| Failure::Usage("the state says nothing".to_owned()))?;
        loader.of([rotation.old_key().account()]).await?
    };
    let guard = ShutdownGuard::begin();
    let (rotator, next) = (keymux.rotator(), next(&args, &path));
    let (mut state, rotation) = StateFile::open(path.clone())?;
    let store = |state: &mut StateFile| Store::ready(&commands, args.secret.clone(), state, console);
    let (mut rotation, store) = if let Some(mut rotation) = rotation {
        if let Some(key) = key.filter(|key| key != rotation.old_key()) {
            return Err(Failure::Usage(format!(
                "{} is the state of the rotation of {}, and not of {key}; name another file",
                path.display(),
                rotation.old_key()
            )));
        }
        console.note(&format!("keymux: going on with {}", path.display()));
        rotation.to_string().lines().for_each(|line| console.note(line));
        if asks && !rotation.stage().is_done() && !ask::confirm("Go on with it?").await? {
            console.note("Nothing was done.");
            return Ok(Exit::Failure);
        }
        says(args.stored, &mut rotation, &mut state, console)?;
        let store = if rotation.stage().is_stored() { None } else { Some(store(&mut state)?) };
        (rotation, store)
    } else {
        let Some(key) = key else { return Err(Failure::Usage("the state says nothing".to_owned())) };
        // Before anything is asked of the vendor.
        let store = store(&mut state)?;
        let plan = planned(&rotator, &key, &args.options, commands.prove.is_some(), &guard).await?;
        if asks {
            plan.to_string().lines().for_each(|line| console.note(line));
        }
        let rotation = plan.begin()?;
        if asks && !ask::confirm(&format!("Rotate {key}?")).await? {
            console.note("Nothing was done.");
            return Ok(Exit::Failure);
        }
        (rotation, Some(store))
    };
    if args.revoke_old && matches!(rotation.stage(), Stage::Kept { .. }) {
        rotation.release();
    }
    if args.proven {
        let seen = rotator.prove(&mut rotation, ProofLimit::default(), || ready(Ok::<_, Infallible>(())));
        seen.await.map_err(|error| Failure::Usage(error.to_string()))?;
        state.save(&rotation).map_err(|error| unsaved(&state, error))?;
    }
    let job = Job { keymux: &keymux, rotator: &rotator, console, guard: &guard, next: &next, commands: &commands };
    let came = job.carry(&mut rotation, &mut state, store).await;
    let exit = ended(&came, &rotation, &next, console);
    let over = rotation.stage().is_done() || (matches!(rotation.stage(), Stage::Planned) && came.is_err());
    let leaves = !rotation.abandoned().is_empty();
    if over && !leaves && !named {
        state.remove();
    }
    came?;
    Ok(exit)
}

/// What the caller has seen to, and what a file tells of a run that was killed.
fn says(stored: bool, rotation: &mut Rotation, state: &mut StateFile, console: &Console) -> Result<(), Failure> {
    let filled = match (rotation.stage(), &state.secret_file) {
        (Stage::Made { .. }, Some(path)) => secret_file::is_filled(path).then(|| path.clone()),
        _ => None,
    };
    if let Some(path) = &filled {
        console.note(&format!("keymux: the plaintext is in {}, where the run before put it", path.display()));
    }
    if stored || filled.is_some() {
        rotation.stored()?;
        state.save(rotation).map_err(|error| unsaved(state, error))?;
    }
    Ok(())
}

fn unsaved(state: &StateFile, error: std::io::Error) -> Failure {
    Failure::Io(format!("keeping the state of the rotation in {}", state.path().display()), error)
}

/// The command that goes on.
fn next(args: &RotateArgs, path: &std::path::Path) -> String {
    match (&args.target, &args.state) {
        (Some(Target::Key(key)), None) => format!("keymux rotate --resume {key}"),
        _ => format!("keymux rotate --resume {}", quoted(&path.display().to_string())),
    }
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Tells how the rotation ended, and gives the status.
fn ended(came: &Result<Came, Failure>, rotation: &Rotation, next: &str, console: &Console) -> Exit {
    let key = rotation.old_key();
    let new = rotation.new_key().map_or_else(|| "the new key".to_owned(), |new| new.to_string());
    for orphan in rotation.orphans() {
        console.failed(&orphan.to_string());
    }
    let Ok(came) = came else {
        if !rotation.stage().is_done() {
            let native = rotation.plan().method() == Method::Native;
            if !native || *rotation.stage() == Stage::Planned {
                console.note(&format!("{key} still works"));
            }
            if *rotation.stage() != Stage::Planned {
                console.note(&format!("go on with: {next}"));
            }
        }
        return Exit::Failure;
    };
    let exit = if rotation.orphans().is_empty() { Exit::Success } else { Exit::Partial };
    match came {
        Came::Ended(OldKeyEnd::Replaced) => {
            console.note(&format!("{key} has a new plaintext in place of the old one"));
            exit
        }
        Came::Ended(OldKeyEnd::AlreadyGone) => {
            console.note(&format!("{new} takes the place of {key}, which is gone already"));
            exit
        }
        Came::Ended(OldKeyEnd::Expires(at)) => {
            console.note(&format!("{new} takes the place of {key}, which ends at {at}"));
            exit
        }
        Came::Ended(_) => {
            console.note(&format!("{new} takes the place of {key}, which is revoked"));
            exit
        }
        Came::Kept(Some(until)) => {
            console.note(&format!("{new} is made, and {key} is kept until {until}; revoke it then with: {next}"));
            exit
        }
        Came::Kept(None) => {
            console.note(&format!("{new} is made, and {key} is kept; revoke it with: {next} --revoke-old"));
            exit
        }
        Came::Handed => {
            console.failed(&format!(
                "{new} is made; its plaintext went into a pipe, and whether it is stored is not known here: {key} still \
                 works. Once it is stored: {next} --stored"
            ));
            Exit::Partial
        }
        Came::NotProven(why) => {
            console.failed(&format!(
                "{new} is made and stored, and was not seen to work ({why}): {key} still works too. Go on with: {next} \
                 --secret-file FILE --prove -- COMMAND, or with {next} --proven"
            ));
            Exit::Partial
        }
        Came::Unfinished(error, unknown) => {
            let was = if *unknown { "may not be" } else { "was not" };
            console.error(Some(&format!("{new} is made, and {key} {was} revoked")), error);
            console.failed(&format!("Both keys may work; end the old one with `{next}` or `keymux revoke {key}`"));
            Exit::Partial
        }
    }
}

/// The plan, and the requests: some of them depend on the answer to the one before.
async fn show_requests(loader: &Loader<'_>, args: &RotateArgs, console: &Console) -> Result<Exit, Failure> {
    let Some(Target::Key(key)) = &args.target else { return Err(Failure::Usage("name a key".to_owned())) };
    let guard = ShutdownGuard::begin();
    let real = loader.of([key.account()]).await?;
    let plan: RotationPlan = planned(&real.rotator(), key, &args.options, args.prove, &guard).await?;
    plan.to_string().lines().for_each(|line| console.note(line));
    let (mut dry_run, transport) = DryRun::new(None);
    let keymux = loader.through(transport).of([key.account()]).await?;
    let provider = keymux.account(key.account())?;
    let of = (key.account(), provider.info().id());
    if plan.method() == Method::Native {
        let request = dry_run.request(of, provider.rotate(key.address())).await?;
        return super::show_request(request, console);
    }
    // What could not begin is told here, too.
    plan.clone().begin()?;
    let mut output = Output::new(console, Plan::of_many::<RequestRow>(console, super::REQUEST));
    output.row(dry_run.request(of, keymux.get(key)).await?)?;
    output.row(dry_run.request(of, keymux.create(key.account(), &plan.stamped_key())).await?)?;
    let mut last = dry_run.request(of, keymux.revoke(key)).await?;
    last.note = Some("once the new plaintext is stored".to_owned());
    output.row(last)?;
    output.finish(None)?;
    Ok(Exit::Success)
}

/// Where one plaintext of many goes.
fn in_folder(folder: &std::path::Path, key: &KeyRef) -> SecretOut {
    let path: PathBuf = folder.join(rotation_state::file_name(key));
    SecretOut { secret_file: Some(path) }
}
