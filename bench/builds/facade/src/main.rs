//! The least program on the facade with default features. Only how long it takes to build is measured.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keymux = keymux::Keymux::from_env()?;
    println!("{}", keymux.get(&"mielto:key_000000001".parse()?).await?.key_ref());
    Ok(())
}
