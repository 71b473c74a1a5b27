//! Plaintexts that no key can be, at the vendors that take plaintexts: refused before a request, by place and code point.

use keymux_core::{Action, ApiKeyProvider, ErrorKind, NewKey, Permission, Scope, SecretString, VerifyRequest};

use super::support::Forgetful;

/// The text, and what is told of it.
const NO_KEYS: [(&str, &str); 6] = [
    ("", "the plaintext is empty"),
    ("\u{feff}CANARY-4f9d0c21a7b36e58-9b3c77aa10", "(U+FEFF) at byte 1 of 37"),
    ("CANARY-4f9d0c21a7b36e58-9b3c77aa10\u{200b}", "(U+200B) at byte 35 of 37"),
    ("CANARY\u{2010}4f9d0c21a7b36e58-9b3c77aa10", "(U+2010) at byte 7 of 36"),
    ("CANARY 4f9d0c21a7b36e58-9b3c77aa10", "white space (U+0020) at byte 7 of 34"),
    ("CANARY-4f9d0c21a7b36e58-9b3c77aa10\n", "white space (U+000A) at byte 35 of 35"),
];

#[tokio::test]
async fn what_no_key_can_be_is_refused_before_a_request() {
    let server = Forgetful::start().await;
    let baseten = keymux_baseten::Config::new("c").with_base_url(server.url()).build().unwrap();
    let datkey = keymux_datkey::Config::new("c").with_base_url(server.url()).build().unwrap();
    let oneloop = keymux_oneloop::Config::new("c").with_base_url(server.url()).build().unwrap();
    let scope = || Scope::new(["a1"]).unwrap();
    let mut key = NewKey::new(scope());
    key.name = Some("n".to_owned());
    key.permissions = Some(vec![Permission { name: "documents".to_owned(), actions: Some(vec![Action::Read]) }]);
    key.customer = Some("c1".to_owned());
    let mut plain = NewKey::new(scope());
    plain.name = Some("n".to_owned());
    for (text, told) in NO_KEYS {
        let plaintext = SecretString::from(text);
        let errors = [
            ("baseten register", baseten.register(&plain, &plaintext).await.unwrap_err()),
            ("datkey verify", datkey.verify(&plaintext, &VerifyRequest::new(scope())).await.unwrap_err()),
            ("oneloop register", oneloop.register(&key, &plaintext).await.unwrap_err()),
            ("oneloop verify", oneloop.verify(&plaintext, &VerifyRequest::default()).await.unwrap_err()),
        ];
        for (call, error) in errors {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{call}: {error}");
            assert!(error.to_string().contains(told), "{call}: {error}");
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{call}: {error:?}");
        }
    }
    assert_eq!(server.requests(), 0);
}
