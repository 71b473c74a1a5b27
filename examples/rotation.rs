//! A rotation that survives being killed: its state is in a file, written before each request. A first process is killed
//! in the middle, a second one goes on, and no key is lost.
//!
//! ```text
//! cargo run --example rotation                  # killed before the answer, after it, after storing, and not at all
//! cargo run --example rotation -- after-made    # killed at this point alone
//! ```
//!
//! The program starts itself again as a child, which aborts at the point that it is given: nothing is tidied, as with
//! SIGKILL. The stand-in of the vendor lives on in the parent.
#![allow(clippy::print_stdout, reason = "this program prints its result")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use keymux::{ExposeSecret, KeyRef, Keymux, Rotation, Scope, mielto};
use keymux_emulator::Emulator;

/// Where a process may be killed.
const POINTS: [&str; 4] = ["before-answer", "after-made", "after-stored", "never"];

/// What the parent tells its child.
const BASE_URL: &str = "ROTATION_EXAMPLE_BASE_URL";
const CREDENTIAL: &str = "ROTATION_EXAMPLE_CREDENTIAL";
const KEY: &str = "ROTATION_EXAMPLE_KEY";
const FOLDER: &str = "ROTATION_EXAMPLE_FOLDER";

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let point = std::env::args().nth(1);
    if let Ok(folder) = std::env::var(FOLDER) {
        return rotate(Path::new(&folder), point.as_deref().unwrap_or("never")).await;
    }
    let points = POINTS.into_iter().filter(|known| point.as_deref().is_none_or(|point| point == *known));
    let points: Vec<&str> = points.collect();
    if points.is_empty() {
        return Err(format!("no such point; there are {}", POINTS.join(", ")).into());
    }
    for point in points {
        try_point(point).await?;
    }
    Ok(())
}

/// Rotates a key in a process that is killed at `point`, and then in another one.
async fn try_point(point: &str) -> Outcome<()> {
    println!("killed: {point}");
    let emulator = Emulator::start().await?;
    let vendor = emulator.mielto();
    let keymux = keymux(vendor.base_url(), vendor.credential())?;
    let old: KeyRef = format!("mielto:{}", vendor.sample_address().join("/")).parse()?;
    let before = count(&keymux, &old).await?;

    let folder = std::env::temp_dir().join(format!("keymux-rotation-{}-{point}", std::process::id()));
    fs::create_dir_all(&folder)?;
    for point in [point, "never"] {
        let child = Command::new(std::env::current_exe()?)
            .arg(point)
            .env(BASE_URL, vendor.base_url())
            .env(CREDENTIAL, vendor.credential())
            .env(KEY, old.to_string())
            .env(FOLDER, &folder)
            .output()?;
        print!("{}", String::from_utf8_lossy(&child.stdout));
        println!("  the process ended {}", if child.status.success() { "by itself" } else { "by force" });
        // Either the old key works, or the new plaintext is stored.
        let old_works = keymux.get(&old).await.is_ok();
        let stored = fs::read_to_string(folder.join("secret")).is_ok_and(|secret| !secret.is_empty());
        println!("  the old key {}, a new plaintext {}", yes(old_works, "works"), yes(stored, "is stored"));
        assert!(old_works || stored, "a key was lost");
    }

    let rotation = Rotation::from_json(&fs::read_to_string(folder.join("rotation.json"))?)?;
    for line in rotation.to_string().lines() {
        println!("  | {line}");
    }
    assert!(rotation.stage().is_done() && rotation.orphans().is_empty());
    assert_eq!(count(&keymux, &old).await?, before);
    println!("  {before} keys, as many as before\n");
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// How many keys the account has.
async fn count(keymux: &Keymux, key: &KeyRef) -> Outcome<usize> {
    let mut keys = keymux.list(key.account(), Scope::account(), None)?;
    let mut count = 0;
    while let Some(key) = keys.next().await {
        key?;
        count += 1;
    }
    Ok(count)
}

/// One process: goes on from the state in the folder, or begins. It aborts at `point`.
async fn rotate(folder: &Path, point: &str) -> Outcome<()> {
    let (state, secret) = (folder.join("rotation.json"), folder.join("secret"));
    let save = |rotation: &Rotation| write(&state, &rotation.to_json());
    let die_at = |here: &str| {
        if point == here {
            std::process::abort();
        }
    };
    let keymux = keymux(&std::env::var(BASE_URL)?, &std::env::var(CREDENTIAL)?)?;
    let rotator = keymux.rotator();

    let mut rotation = if let Ok(json) = fs::read_to_string(&state) {
        Rotation::from_json(&json)?
    } else {
        let plan = rotator.plan(&std::env::var(KEY)?.parse()?).await?;
        for line in plan.to_string().lines() {
            println!("  > {line}");
        }
        plan.begin()?
    };
    println!("  {} at the start", rotation.stage().as_str());

    if !rotation.stage().is_stored() {
        // After a crash this settles what became of the request before.
        rotator.prepare(&mut rotation).await?;
        // Written before the request is sent, so that a key that comes of it is found again.
        save(&rotation)?;
        let issued = rotator.make(&mut rotation).await?;
        // As if the process had been killed before it saw the answer: the file still says `making`.
        die_at("before-answer");
        save(&rotation)?;
        die_at("after-made");
        write(&secret, issued.plaintext.expose_secret())?;
        rotation.stored()?;
        save(&rotation)?;
        die_at("after-stored");
    }
    // Revokes the old key, and what earlier tries left behind.
    rotator.finish(&mut rotation).await?;
    save(&rotation)
}

/// A file that is the old or the new one at every moment.
fn write(path: &Path, text: &str) -> Outcome<()> {
    let beside = PathBuf::from(format!("{}.new", path.display()));
    fs::write(&beside, text)?;
    Ok(fs::rename(beside, path)?)
}

fn keymux(base_url: &str, credential: &str) -> Outcome<Keymux> {
    let client = mielto::Config::new(credential).with_base_url(base_url).build()?;
    Ok(Keymux::builder().with_provider(client).build()?)
}

fn yes(holds: bool, what: &'static str) -> String {
    if holds { what.to_owned() } else { what.replace("works", "works no more").replace("is stored", "is not stored") }
}
