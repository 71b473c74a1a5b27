//! The least program that looks a key up by hand. Only how long it takes to build is measured.

#[derive(serde::Deserialize)]
struct Key {
    label: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request = reqwest::Client::new().get("https://api.mielto.com/api/v1/api-keys/key_000000001");
    let key: Key =
        request.bearer_auth(std::env::var("MIELTO_API_KEY")?).send().await?.error_for_status()?.json().await?;
    println!("{}", serde_json::to_string(&key.label)?);
    Ok(())
}
