//! The one command: runs every worker against the loopback server, and prints what they cost as Markdown.
//!
//! Ends with 1 if a bar is missed whose figure repeats exactly: instructions, allocations, memory.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

const USAGE: &str = "\
cargo run --release --manifest-path bench/Cargo.toml -- [--exact | --builds] [--quick]
  --exact   instructions, allocations and memory alone: what repeats exactly
  --builds  clean builds alone
  --quick   fewer rounds";

/// Workers, as they are named in tables. The third is what the others are compared with.
const PEERS: [(&str, &str); 6] = [
    ("hyper", "hyper alone"),
    ("by_hand", "reqwest by hand"),
    // Beside it, so that as little of the machine's noise as possible lies between the two.
    ("typed", "Keymux, typed"),
    ("normalized", "Keymux, normalized"),
    ("retry", "reqwest-middleware, reqwest-retry"),
    ("progenitor", "progenitor's client"),
];
const BY_HAND: usize = 1;
const TYPED: usize = 2;
const NORMALIZED: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if arguments.iter().any(|argument| !["--exact", "--builds", "--quick"].contains(&argument.as_str())) {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    let rounds = if has("--quick") { 1 } else { 15 };
    print_setting(&arguments);
    let mut bars = Bars::default();
    if has("--builds") {
        builds(rounds.min(3), &mut bars);
    } else {
        cargo(&["build", "--release", "--bins"]);
        let bench = Bench::start();
        bench.exact(rounds.min(3), &mut bars);
        bench.pages(&mut bars);
        bench.memory(&mut bars);
        if !has("--exact") {
            bench.times(rounds * 10, &mut bars);
            bench.cold(rounds * 10, &mut bars);
        }
    }
    bars.print()
}

/// Values of one figure from several rounds.
struct Figure(Vec<f64>);

impl Figure {
    fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Round by round: noise that lasts longer than a round is in both.
    fn ratio(values: &[f64], to: &[f64]) -> Self {
        Self::of(values.iter().zip(to).map(|(value, to)| value / to))
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    fn print(&self, digits: usize) -> String {
        let (low, high) = (self.0[0], self.0[self.0.len() - 1]);
        let median = format!("{:.digits$}", self.median());
        let (low, high) = (format!("{low:.digits$}"), format!("{high:.digits$}"));
        if low == high { median } else { format!("{median} ({low} to {high})") }
    }

    /// For many rounds: the least and the most of them are the machine's.
    fn print_quartiles(&self, digits: usize) -> String {
        let quarter = self.0.len() / 4;
        let (low, high) = (self.0[quarter], self.0[self.0.len() - 1 - quarter]);
        format!("{:.digits$} ({low:.digits$} to {high:.digits$})", self.median())
    }
}

/// What must be reached, and what was.
#[derive(Default)]
struct Bars {
    rows: String,
    missed: bool,
}

impl Bars {
    /// A figure that repeats exactly: a miss fails the run.
    fn exact(&mut self, name: &str, value: f64, bar: f64, digits: usize) {
        self.missed |= value > bar;
        self.row(name, &format!("{value:.digits$}"), &format!("at most {bar:.digits$}"), value <= bar);
    }

    /// A time: a miss is told, and may be the machine's.
    fn timed(&mut self, name: &str, figure: &str, bar: &str, met: bool) {
        self.row(name, figure, bar, met);
    }

    fn row(&mut self, name: &str, value: &str, bar: &str, met: bool) {
        let met = if met { "yes" } else { "**no**" };
        let _ = writeln!(self.rows, "| {name} | {value} | {bar} | {met} |");
    }

    fn print(&self) -> ExitCode {
        println!("\n## The bars\n\n| figure | measured | bar | met |\n|---|---|---|---|\n{}", self.rows.trim_end());
        ExitCode::from(u8::from(self.missed))
    }
}

/// The server, and where the workers are.
struct Bench {
    server: Child,
    base: String,
    workers: PathBuf,
}

impl Bench {
    fn start() -> Self {
        let workers = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let mut server =
            Command::new(workers.join("server")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut base = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut base).unwrap();
        Self { server, base: base.trim().to_owned(), workers }
    }

    /// Runs a worker; gives what it prints by name.
    fn work(&self, worker: &str, arguments: &[&str]) -> impl Fn(&str) -> f64 + use<> {
        let output = run(Command::new(self.workers.join(worker)).args(arguments));
        move |name| {
            let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("{name} is not in {output}")).parse().unwrap()
        }
    }

    /// Instructions of user code for one of `n` units of work: a long run less a short one.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn instructions(&self, worker: &str, arguments: &[&str], n: u64) -> f64 {
        let count = |n: u64| {
            let mut command = Command::new("valgrind");
            command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(self.workers.join(worker));
            let output = command.args(arguments).arg(n.to_string()).output();
            let output = output.expect("valgrind is needed: apt-get install valgrind");
            let log = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{log}");
            let collected = log.lines().find_map(|line| line.split_once("Collected :")).expect("callgrind counts");
            collected.1.trim().parse::<u64>().unwrap()
        };
        let short = n / 10;
        (count(n + short) - count(short)) as f64 / n as f64
    }

    /// Instructions and allocations of one look-up.
    fn exact(&self, rounds: usize, bars: &mut Bars) {
        let mut figures = Vec::new();
        for (worker, _) in PEERS {
            let instructions: Vec<f64> =
                (0..rounds).map(|_| self.instructions(worker, &["one", &self.base], 1000)).collect();
            let told = self.work(worker, &["one", &self.base, "2000"]);
            figures.push((instructions, told("allocations"), told("bytes")));
        }
        println!("\n## One look-up: what repeats exactly\n");
        println!("| client | instructions | to by hand | allocations | over by hand | bytes allocated |");
        println!("|---|---|---|---|---|---|");
        let by_hand = &figures[BY_HAND];
        for ((_, name), (instructions, allocations, bytes)) in PEERS.iter().zip(&figures) {
            let ratio = Figure::ratio(instructions, &by_hand.0);
            println!(
                "| {name} | {} | {} | {allocations:.0} | {:+.0} | {bytes:.0} |",
                Figure::of(instructions.clone()).print(0),
                ratio.print(3),
                allocations - by_hand.1,
            );
        }
        for (peer, name, bar, more) in [(TYPED, "typed", 1.05, 6.0), (NORMALIZED, "normalized", 1.25, 24.0)] {
            let (instructions, allocations, _) = &figures[peer];
            let ratio = Figure::ratio(instructions, &by_hand.0).median();
            bars.exact(&format!("instructions of a {name} get, to by hand"), ratio, bar, 3);
            bars.exact(
                &format!("allocations of a {name} get, over by hand"),
                (allocations - by_hand.1).round(),
                more,
                0,
            );
        }
    }

    /// A page in memory.
    fn pages(&self, bars: &mut Bars) {
        let ways = [
            ("serde_json", "`serde_json::from_slice` into a typed struct"),
            ("typed", "Keymux, typed"),
            ("normalized", "Keymux, normalized"),
        ];
        println!(
            "\n## A page of 1,000 keys in memory\n\n| way | instructions | ratio | allocations | CPU |\n|---|---|---|---|---|"
        );
        let mut alone = None;
        for (way, name) in ways {
            let instructions = self.instructions("page", &[way], 10);
            let told = self.work("page", &[way, "50"]);
            let ratio = instructions / *alone.get_or_insert(instructions);
            let (allocations, cpu) = (told("allocations"), told("cpu_us") / 1000.0);
            println!("| {name} | {instructions:.0} | {ratio:.3} | {allocations:.0} | {cpu:.2} ms |");
            if way == "normalized" {
                bars.exact("instructions of a normalized page, to `from_slice`", ratio, 2.0, 3);
            }
        }
    }

    /// Peak memory of what is large.
    fn memory(&self, bars: &mut Bars) {
        println!("\n## Memory\n\n| work | peak | seconds |\n|---|---|---|");
        let work = [
            ("list", "a million keys through the facade's stream", Some(64.0)),
            ("huge", "a body of 1 GiB, in chunks: Keymux, typed", Some(32.0)),
            ("huge_by_hand", "a body of 1 GiB, in chunks: reqwest by hand", None),
        ];
        for (work, name, bar) in work {
            let told = self.work("extremes", &[work, &self.base]);
            let peak = told("peak_kib") / 1024.0;
            println!("| {name} | {peak:.1} MiB | {:.2} |", told("seconds"));
            if let Some(bar) = bar {
                bars.exact(&format!("MiB at most of {name}"), peak, bar, 1);
            }
        }
    }

    /// Times of look-ups, one and 64 at a time. In each round every peer has its turn, and a short one: what the machine
    /// does beside lasts longer, and is the same for all.
    fn times(&self, rounds: usize, bars: &mut Bars) {
        for (mode, title, n) in [("one", "one at a time", "1000"), ("many", "64 at a time", "6400")] {
            let mut figures = [const { (Vec::new(), Vec::new()) }; PEERS.len()];
            let mut server = [(0.0, 0.0); PEERS.len()];
            for _ in 0..rounds {
                for (((worker, _), (rates, cpu)), (busy, whole)) in PEERS.iter().zip(&mut figures).zip(&mut server) {
                    let (before, started) = (self.server_seconds(), Instant::now());
                    let told = self.work(worker, &[mode, &self.base, n]);
                    *busy += self.server_seconds() - before;
                    *whole += started.elapsed().as_secs_f64();
                    rates.push(told("per_second"));
                    cpu.push(told("cpu_us"));
                }
            }
            println!("\n## Look-ups, {title}: median (quartiles) of {rounds} rounds\n");
            println!(
                "| client | requests a second | to by hand | CPU of a request, µs | to by hand |\n|---|---|---|---|---|"
            );
            for ((_, name), (rates, cpu)) in PEERS.iter().zip(&figures) {
                println!(
                    "| {name} | {} | {} | {} | {} |",
                    Figure::of(rates.clone()).print_quartiles(0),
                    Figure::ratio(rates, &figures[BY_HAND].0).print_quartiles(2),
                    Figure::of(cpu.clone()).print_quartiles(1),
                    Figure::ratio(cpu, &figures[BY_HAND].1).print_quartiles(2),
                );
            }
            let server = Figure::of(server.map(|(busy, whole)| busy / whole));
            println!("\nThe server was busy for {} of the time, by client.", server.print(2));
            if mode == "many" {
                let ratio = Figure::ratio(&figures[TYPED].0, &figures[BY_HAND].0);
                let met = ratio.median() >= 0.95;
                let name = "requests a second of 64 typed gets at a time, to by hand";
                bars.timed(name, &ratio.print_quartiles(2), "at least 0.95", met);
            }
        }
    }

    /// From the start of a process to its first key.
    fn cold(&self, rounds: usize, bars: &mut Bars) {
        let mut figures = [const { Vec::new() }; PEERS.len()];
        for _ in 0..rounds {
            for ((worker, _), times) in PEERS.iter().zip(&mut figures) {
                let started = Instant::now();
                self.work(worker, &["cold", &self.base])("done");
                times.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
        println!("\n## From process start to exit, with one look-up: median (quartiles) of {rounds} rounds\n");
        println!("| client | ms | to by hand |\n|---|---|---|");
        for ((_, name), times) in PEERS.iter().zip(&figures) {
            let ratio = Figure::ratio(times, &figures[BY_HAND]);
            println!("| {name} | {} | {} |", Figure::of(times.clone()).print_quartiles(2), ratio.print_quartiles(2));
        }
        let ratio = Figure::ratio(&figures[TYPED], &figures[BY_HAND]);
        let met = ratio.median() <= 1.10;
        bars.timed("cold start to a typed key, to by hand", &ratio.print_quartiles(2), "at most 1.10", met);
    }

    /// CPU time of the server so far.
    fn server_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.id())).unwrap();
        // The name before it may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
        (ticks(11) + ticks(12)) / 100.0
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Clean builds of two least programs, each into an empty folder.
fn builds(rounds: usize, bars: &mut Bars) {
    cargo(&["fetch", "--locked"]);
    let programs = [("build-reqwest", "reqwest, serde and serde_json"), ("build-facade", "the facade")];
    let mut figures = [const { (Vec::new(), Vec::new()) }; 2];
    for _ in 0..rounds {
        for ((package, _), (wall, cpu)) in programs.iter().zip(&mut figures) {
            let target = std::env::temp_dir().join(format!("{package}-{}", std::process::id()));
            let (started, before) = (Instant::now(), children_seconds());
            cargo(&["build", "--locked", "--package", package, "--target-dir", &target.to_string_lossy()]);
            wall.push(started.elapsed().as_secs_f64());
            cpu.push(children_seconds() - before);
            let _ = std::fs::remove_dir_all(target);
        }
    }
    println!("\n## Clean builds, debug profile: median (least to most) of {rounds} rounds\n");
    println!("| program on | seconds | ratio | CPU seconds | ratio |\n|---|---|---|---|---|");
    for ((_, name), (wall, cpu)) in programs.iter().zip(&figures) {
        println!(
            "| {name} | {} | {} | {} | {} |",
            Figure::of(wall.clone()).print(1),
            Figure::ratio(wall, &figures[0].0).print(2),
            Figure::of(cpu.clone()).print(1),
            Figure::ratio(cpu, &figures[0].1).print(2),
        );
    }
    let ratio = Figure::ratio(&figures[1].0, &figures[0].0);
    bars.timed("clean build of the facade, to reqwest", &ratio.print(2), "at most 1.35", ratio.median() <= 1.35);
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of an hour at most")]
fn children_seconds() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// When, where and with what.
fn print_setting(arguments: &[String]) {
    let of_cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = of_cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{}, {cores} cores of {}",
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        cpu.trim_start_matches(['\t', ':', ' '])
    );
    println!("{}, {}", version(Command::new("rustc").arg("-V")), version(Command::new("valgrind").arg("--version")));
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let locked = |name: &&str| {
        let entry = lock.split("\n\n").find(|entry| entry.contains(&format!("\nname = \"{name}\"\n")))?;
        let version = entry.lines().find_map(|line| line.strip_prefix("version = "))?;
        Some(format!("{name} {}", version.trim_matches('"')))
    };
    let crates = ["hyper", "reqwest", "reqwest-middleware", "reqwest-retry", "progenitor", "serde_json", "tokio"];
    println!("{}", crates.iter().filter_map(locked).collect::<Vec<_>>().join(", "));
    let arguments: String = arguments.iter().map(|argument| format!(" {argument}")).collect();
    println!(
        "`cargo run --release --manifest-path bench/Cargo.toml{}{arguments}`",
        if arguments.is_empty() { "" } else { " --" }
    );
}

fn version(command: &mut Command) -> String {
    let Ok(output) = command.output() else { return format!("no {}", command.get_program().to_string_lossy()) };
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Its own output goes to standard error; the tables are alone on standard output.
    command.args(arguments).arg("--manifest-path").arg(root().join("Cargo.toml")).arg("--quiet");
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
