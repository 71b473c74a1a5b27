//! Serving until somebody ends it, for programs.

use std::fmt::Write as _;
use std::future::Future;
use std::io::{self, Write};

use crate::builder::Builder;
use crate::emulator::Emulator;

/// Starts an emulator, tells how to reach it, and serves until Ctrl-C or, on Unix, SIGTERM. Then it ends with `Ok`.
///
/// `exports` gets the [lines for a shell](Emulator::exports) and nothing else, and is flushed; then `notes` gets, for
/// people, which keys there are and how to stop. Fails if the emulator does not start, if one of both cannot be written,
/// or if the signals cannot be waited for. Runs on a Tokio runtime with I/O.
pub async fn serve(builder: Builder, mut exports: impl Write, mut notes: impl Write) -> io::Result<()> {
    // Before anything is told: who reads it may stop the program at once.
    let stopped = stopped()?;
    let emulator = builder.start().await?;
    exports.write_all(emulator.exports().as_bytes())?;
    exports.flush()?;
    notes.write_all(told(&emulator).as_bytes())?;
    notes.flush()?;
    stopped.await
}

fn told(emulator: &Emulator) -> String {
    let mut text = "Stand-ins of five vendors, until Ctrl-C. Some keys:\n".to_owned();
    for vendor in emulator.vendors() {
        let sample = vendor.sample_address();
        if !sample.is_empty() {
            // Writing into a text cannot fail.
            let _ = writeln!(text, "  {}:{}", vendor.name(), sample.join("/"));
        }
    }
    text
}

/// Listens from now on, not only from the first poll on.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
