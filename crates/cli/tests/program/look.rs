//! look
use crate::stage::Stage;
#[test]
fn look() {
    let stage = Stage::new();
    let sample = format!("mielto:{}", stage.emulator.mielto().sample_address()[0]);
    for args in [
        vec!["list"],
        vec!["list", "-o", "table"],
        vec!["list", "-o", "csv", "mielto"],
        vec!["list", "-o", "json", "datkey"],
        vec!["get", &sample, "-o", "table"],
        vec!["get", &sample, "-o", "json"],
        vec!["get", &sample, "mielto:nope", "nope:a", "x", "-v"],
        vec!["scopes"],
        vec!["scopes", "-o", "table"],
        vec!["accounts", "-o", "table"],
        vec!["accounts", "check", "-o", "table"],
        vec!["accounts", "check", "-vv"],
        vec![
            "list",
            "mielto",
            "-o",
            "table",
            "--sort",
            "-expires",
            "--filter",
            "expires!=none",
            "--columns",
            "ref,expires",
        ],
    ] {
        let ran = stage.run(&args);
        println!("$ keymux {}\n{}--stderr {:?}\n{}", args.join(" "), ran.stdout, ran.status, ran.stderr);
    }
}
