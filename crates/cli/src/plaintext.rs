//! The plaintext of a key that the user has: read from a file, a pipe or a terminal, and never from an argument, which
//! every process of the machine can see.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use keymux::{SecretFlaw, SecretString, read_secret};
use zeroize::Zeroizing;

use crate::args::SecretIn;
use crate::ask;
use crate::console::Console;
use crate::exit::Failure;

/// No vendor has a key of this length.
const MAX_BYTES: usize = 16 * 1024;

/// Reads the plaintext from the file that was named, else from standard input.
pub(crate) async fn read(from: &SecretIn, console: &Console) -> Result<SecretString, Failure> {
    let Some(path) = &from.key_file else {
        if io::stdin().is_terminal() {
            let line = ask::hidden("Key (it is not shown): ", console).await?;
            return checked(&line, "what was typed");
        }
        let bytes = bounded(&mut io::stdin().lock())
            .map_err(|error| Failure::Io("reading standard input".to_owned(), error))?;
        return checked(&bytes, "standard input");
    };
    let failed = |error| Failure::Io(format!("reading {}", path.display()), error);
    let bytes = File::open(path).and_then(|mut file| bounded(&mut file)).map_err(failed)?;
    checked(&bytes, &path.display().to_string())
}

/// Reads a little more than a key can have; the buffer does not grow, so that no copy is left behind.
fn bounded(reader: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; MAX_BYTES + 1]);
    let mut filled = 0;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The key in what was read. Errors tell the shape alone.
fn checked(bytes: &[u8], from: &str) -> Result<SecretString, Failure> {
    let wrong = |what: String| Failure::Usage(format!("the key from {from} {what}"));
    if bytes.len() > MAX_BYTES {
        return Err(wrong(format!("has more than {MAX_BYTES} bytes; is it the right file?")));
    }
    read_secret(bytes).map_err(|flaw| match flaw {
        SecretFlaw::Empty => wrong(format!("{flaw}; give the plaintext on standard input or with --key-file")),
        _ => wrong(flaw.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use keymux::ExposeSecret;

    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_taken_off() {
        for text in ["sk-1", "sk-1\n", "sk-1\r\n"] {
            assert_eq!(checked(text.as_bytes(), "a test").unwrap().expose_secret(), "sk-1", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_shape_and_no_text_of_it() {
        let long = "k".repeat(MAX_BYTES + 1);
        for (bytes, shape) in [
            (&b""[..], "empty"),
            (b"\n", "empty"),
            (b"secret\n\n", "at byte 7 of 7"),
            (b"secret\r", "at byte 7 of 7"),
            (b" secret", "at byte 1 of 7"),
            (b"sec ret\n", "at byte 4 of 7"),
            (b"sec\0ret", "at byte 4 of 7"),
            ("sec\u{a0}ret".as_bytes(), "at byte 4 of 8"),
            (b"secret\xff", "7 bytes that are not UTF-8"),
            (long.as_bytes(), "more than 16384 bytes"),
        ] {
            let error = checked(bytes, "a test").unwrap_err().to_string();
            assert!(error.contains(shape), "{bytes:?}: {error}");
            assert!(!error.contains("sec") && !error.contains("ret"), "{error}");
        }
    }
}
