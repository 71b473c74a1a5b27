//! The program with accounts at an emulator, and nothing else of the environment.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use keymux_emulator::{Emulator, Vendor};
use serde_json::Value;

/// Five accounts at an emulator, named after their vendors.
pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.state_home());
    }
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { emulator: runtime.block_on(Emulator::start()).unwrap() }
    }

    pub(crate) fn vendors(&self) -> [&Vendor; 5] {
        let all = &self.emulator;
        [all.baseten(), all.braintrust(), all.mielto(), all.datkey(), all.oneloop()]
    }

    /// The variables that name the five accounts.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let of = |vendor: &Vendor| {
            let name = vendor.name().to_uppercase();
            [
                (format!("{name}_API_KEY"), vendor.credential().to_owned()),
                (format!("{name}_BASE_URL"), vendor.base_url().to_owned()),
            ]
        };
        let mut variables: Vec<_> = self.vendors().into_iter().flat_map(of).collect();
        variables.push(("XDG_STATE_HOME".to_owned(), self.state_home().to_str().unwrap().to_owned()));
        variables
    }

    /// The folder of the states of this stage alone.
    pub(crate) fn state_home(&self) -> PathBuf {
        let port = self.emulator.baseten().base_url().rsplit(':').next().unwrap().trim_matches('/').to_owned();
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("state-{}-{port}", std::process::id()))
    }

    /// The states of rotations that are not finished.
    pub(crate) fn states(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state_home().join("keymux")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The program with five accounts.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = bare(args);
        command.envs(self.variables());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run(&mut self.command(args), "")
    }
}

/// The program without accounts.
pub(crate) fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keymux"));
    command.args(args).env_clear();
    command
}

/// The program, started by a shell that has run `before`.
#[cfg(unix)]
pub(crate) fn under_shell(stage: &Stage, before: &str, args: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before} exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_keymux")]).args(args);
    shell.env_clear().env("PATH", "/usr/bin:/bin").envs(stage.variables());
    shell
}

pub(crate) fn run(command: &mut Command, input: &str) -> Ran {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A program that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The objects of NDJSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Those of one `type`.
    pub(crate) fn of_type(&self, r#type: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|object| object["type"] == r#type).collect()
    }
}

/// The URL of a server that answers every request with this status. It runs until the tests end.
pub(crate) fn scripted(status: u16, headers: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 {status} Scripted\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\n{{}}");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_head(&mut stream);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

/// The URL of a server that answers with these bodies in turn, the last one again and again. It runs until the tests end.
pub(crate) fn serving(bodies: &[&str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bodies: Vec<String> = bodies.iter().map(|body| (*body).to_owned()).collect();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            read_head(&mut stream);
            let body = &bodies[number.min(bodies.len() - 1)];
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    url
}

/// The URL of a server that takes requests and answers none, and a channel that tells of each.
pub(crate) fn silent() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_head(&mut stream);
            kept.push(stream);
            let _ = tell.send(());
        }
    });
    (url, told)
}

/// The URL of a server that answers its one request with this body, once it is let; and a channel that tells of the
/// request.
pub(crate) fn held(body: &'static str) -> (String, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        tell.send(()).unwrap();
        gone.recv().unwrap();
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + body).as_bytes()).unwrap();
    });
    (url, told, go)
}

/// The URL of a server that answers a GET with the JSON that `body` makes of its path.
pub(crate) fn answering(body: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read_head(&mut stream);
            let body = body(request.split(' ').nth(1).unwrap_or_default());
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    url
}

/// Reads the head of a request and gives its first line.
fn read_head(stream: &mut TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    first
}

/// The workspace and the key that Oneloop begins with.
pub(crate) const WORKSPACE: &str = "oneloop:ws_0123456789abcdef0123456789abcdef";

/// What Oneloop needs of a new key.
pub(crate) const NEW: [&str; 6] = ["--name", "nightly", "--permission", "documents=read", "--customer", "customer-1"];

/// A key of one's own, with a line break as files have it.
pub(crate) const OWN: &str = "canaryKeyOfMyOwn0123456789abcdef\n";

/// The reference of a vendor's sample.
pub(crate) fn sample(vendor: &Vendor) -> String {
    format!("{}:{}", vendor.name(), vendor.sample_address().join("/"))
}

/// How many requests all vendors have had.
pub(crate) fn requests(stage: &Stage) -> u64 {
    stage.vendors().iter().map(|vendor| vendor.request_count()).sum()
}

/// Longer than signals may be apart that are one.
pub(crate) const APART: Duration = Duration::from_millis(300);

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// An empty folder of this name.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
