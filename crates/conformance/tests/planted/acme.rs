//! An honest provider of a vendor that has everything, small enough to be read at a glance.

use std::sync::LazyLock;

use async_trait::async_trait;
use http::Method;
use http::header::{AUTHORIZATION, HeaderMap};
use keymux_core::{
    Answer, ApiKeyProvider, Call, Capabilities, Change, ClientOptions, Cursor, Dialect, DriftNotes, Envelope, Error,
    ExposeSecret, Fact, Field, Id, IdKind, IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyState, NewKey,
    Operation, Page, Parameter, ParameterSupport, Pipeline, ProviderId, ProviderInfo, Refusal, Rejected, Rejection,
    Revoked, Scope, ScopeInfo, SecretString, Setup, Shape, Status, TimeForm, VendorTime, Verdict, VerifyRequest,
    resolve_time,
};
use serde::Deserialize;
use serde_json::json;

pub(crate) const ID: ProviderId = ProviderId::new("acme");

pub(crate) static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Acme", ["project_id", "key_id"])
        .with_fields([Field::Name, Field::Display, Field::LastUsedAt, Field::OwnerGroup, Field::LimitsMaxUses])
        .with_capabilities(
            Capabilities::default()
                .with_native(Operation::ALL.iter().copied())
                .with_parameters(
                    Operation::Create,
                    [
                        (Parameter::Scope, ParameterSupport::Required),
                        (Parameter::Name, ParameterSupport::Required),
                        (Parameter::MaxUses, ParameterSupport::Optional),
                    ],
                )
                .with_parameters(
                    Operation::Register,
                    [(Parameter::Scope, ParameterSupport::Required), (Parameter::Name, ParameterSupport::Required)],
                )
                .with_parameters(
                    Operation::Update,
                    [(Parameter::Name, ParameterSupport::SetOnly), (Parameter::MaxUses, ParameterSupport::Optional)],
                ),
        )
});

enum ProjectKind {}
impl IdKind for ProjectKind {
    const NAME: &'static str = "project_id";
}
type Project = Id<ProjectKind>;

enum AcmeKeyKind {}
impl IdKind for AcmeKeyKind {
    const NAME: &'static str = "key_id";
}
type KeyId = Id<AcmeKeyKind>;

#[derive(Debug, Deserialize)]
struct Key {
    id: KeyId,
    #[serde(default)]
    project: Fact<String>,
    #[serde(default)]
    name: Fact<String>,
    #[serde(default)]
    max_uses: Fact<u64>,
    #[serde(default)]
    used: Fact<VendorTime>,
    #[serde(default)]
    secret: Option<SecretString>,
}

/// What must be there of a key that was made.
#[derive(Deserialize)]
struct Made {
    secret: SecretString,
}

#[derive(Debug, Deserialize)]
struct Rest {
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ProjectRow {
    id: Project,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Valid {
    valid: bool,
}

const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["secret"] };

#[derive(Debug)]
pub(crate) struct Acme {
    pub(crate) pipeline: Pipeline,
}

impl Acme {
    pub(crate) fn new(credential: SecretString, base_url: &str, http: ClientOptions) -> Result<Self, Error> {
        let dialect =
            Dialect { provider: ID, request_id_header: None, read_rejection, rate_limit: None, wait_headers: &[] };
        let setup = Setup::new(credential, base_url).with_options(http);
        Ok(Self { pipeline: setup.connect(dialect, (AUTHORIZATION, "Bearer "), HeaderMap::new(), "")? })
    }
}

fn told(answer: &Answer, address: Option<&KeyAddress>) -> Result<(KeyRecord, Option<SecretString>), Error> {
    let decoded = answer.decode::<Key>(&SHAPE)?;
    let raw = decoded.raw;
    record(decoded.value, address, DriftNotes::of(decoded.drift), raw)
}

fn issued(answer: &Answer, address: Option<&KeyAddress>) -> Result<IssuedKey, Error> {
    let (record, plaintext) = told(answer, address)?;
    let plaintext = plaintext.ok_or_else(|| answer.undecodable("the answer lacks `secret`"))?;
    Ok(IssuedKey::new(record, plaintext))
}

fn made(answer: &Answer, asked: &NewKey) -> Result<IssuedKey, Error> {
    issued(answer, None).map(|issued| issued.asked(asked)).or_else(|error| {
        let Made { secret } = answer.decode(&SHAPE).map_err(|_| error)?.value;
        let draft = |address| KeyRecord::new(&INFO, address, KeyKind::API_KEY);
        Ok(IssuedKey::without_address(secret, "list the project's keys", asked, draft))
    })
}

fn record(
    mut key: Key,
    address: Option<&KeyAddress>,
    mut notes: DriftNotes,
    raw: Option<serde_json::Value>,
) -> Result<(KeyRecord, Option<SecretString>), Error> {
    let project = key.project.known().cloned().unwrap_or_default();
    let address = address.cloned().map_or_else(|| KeyAddress::new([project.as_str(), key.id.as_str()]), Ok)?;
    let plaintext = key.secret.take();
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.name.clone();
    record.display = Fact::Known(key.id.as_str().to_owned());
    record.last_used_at = resolve_time(&key.used, "used", TimeForm::UnixSeconds, &mut notes);
    record.owner.group = key.project.clone();
    record.limits.max_uses = key.max_uses;
    record.status = Status::derived(KeyState::Active, &["id"], "a revoked key is not found");
    Ok((record.of_answer(notes, raw, key), plaintext))
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    Rejection { message: rejected.text_at("/message"), ..Rejection::default() }
}

#[async_trait]
impl ApiKeyProvider for Acme {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let (project, id): (Project, KeyId) = address.two(&ID)?;
        let path = ["projects", project.as_str(), "keys", id.as_str()];
        Ok(told(&self.pipeline.send(Call::get("get_key", &path)).await?, Some(address))?.0)
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let project: Project = scope.one(&INFO)?;
        let query: Vec<(&str, &str)> = cursor.map(|cursor| ("after", cursor.as_str())).into_iter().collect();
        let path = ["projects", project.as_str(), "keys"];
        let answer = self.pipeline.send(Call::get("list_keys", &path).with_query(&query)).await?;
        let page = answer.decode_page::<Key, Rest>(&SHAPE, "keys")?;
        let unreadable = answer.unread_rows("keys", &page.unread);
        let listed = Page::new(page.rows, page.rest.next.map(Cursor::new), page.drift).with_unreadable(unreadable);
        Ok(listed.try_map(|row| Ok(record(row.value, None, DriftNotes::of(row.drift), row.raw)?.0)))
    }

    async fn scopes_page(&self, _cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        let answer = self.pipeline.send(Call::get("list_projects", &["projects"])).await?;
        let page = answer.decode_page::<ProjectRow, serde_json::Value>(&SHAPE, "projects")?;
        let rows = page.rows.into_iter().map(|row| row.value);
        let scopes = rows.map(|row| Ok(ScopeInfo::new(Scope::new([row.id.as_str()])?, row.name)));
        Ok(Page::new(scopes.collect::<Result<_, Error>>()?, None, page.drift))
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        key.check(&INFO, Operation::Create)?;
        let project: Project = key.scope.one(&INFO)?;
        let path = ["projects", project.as_str(), "keys"];
        let body = json!({"name": key.name, "max_uses": key.max_uses});
        let call =
            Call::new("create_key", Method::POST, &path).making_key("list the project's keys").with_json(&body)?;
        made(&self.pipeline.send(call).await?, key)
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        key.check(&INFO, Operation::Register)?;
        let project: Project = key.scope.one(&INFO)?;
        let path = ["projects", project.as_str(), "register"];
        let body = json!({"name": key.name, "secret": plaintext.expose_secret()});
        let call = Call::new("register_key", Method::POST, &path).making_key("verify the key").with_json(&body)?;
        Ok(told(&self.pipeline.send(call).await?, None)?.0)
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        patch.check(&INFO)?;
        let (project, id): (Project, KeyId) = address.two(&ID)?;
        let mut body = serde_json::Map::new();
        if let Change::Set(name) = &patch.name {
            body.insert("name".to_owned(), name.as_str().into());
        }
        if !patch.max_uses.is_leave() {
            body.insert("max_uses".to_owned(), json!(patch.max_uses));
        }
        let key = ["projects", project.as_str(), "keys", id.as_str()];
        let call = Call::new("update_key", Method::PATCH, &key).with_json(&body)?;
        Ok(told(&self.pipeline.send(call).await?, Some(address))?.0)
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        let (project, id): (Project, KeyId) = address.two(&ID)?;
        let path = ["projects", project.as_str(), "keys", id.as_str(), "rotate"];
        let call = Call::new("rotate_key", Method::POST, &path).making_key("rotate it again");
        issued(&self.pipeline.send(call).await?, Some(address))
    }

    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        request.check(&INFO)?;
        let body = json!({"secret": plaintext.expose_secret()});
        let call = Call::new("verify_key", Method::POST, &["verify"]).counting_use().with_json(&body)?;
        let answer = self.pipeline.send(call).await.and_then(|answer| answer.decode::<Valid>(&SHAPE));
        let refused = Verdict::Refused { reason: Refusal::Unknown, record: None };
        Verdict::of_call(answer, |answer| if answer.value.valid { Verdict::Valid { record: None } } else { refused })
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let (project, id): (Project, KeyId) = address.two(&ID)?;
        let path = ["projects", project.as_str(), "keys", id.as_str()];
        let removed = self.pipeline.send_removal("revoke_key", &path).await?;
        Ok(removed.map_or_else(Revoked::by_earlier_attempt, |_| Revoked::new(None)))
    }
}
