//! `keymux providers`: what each vendor can do and say.

use keymux::{ProviderInfo, Support};

use crate::args::{Format, ProvidersArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, Plan};
use crate::rows::{ProviderRow, Summary, word};
use crate::text::shown;
use crate::words;

const SHOWN: &[&str] =
    &["id", "address", "get", "list", "scopes", "create", "register", "update", "rotate", "verify", "revoke"];

pub(super) fn run(args: ProvidersArgs, console: &Console) -> Result<Exit, Failure> {
    let plan = Plan::read::<ProviderRow>(&args.listing, console, SHOWN)?;
    let infos = keymux::providers();
    let Some(name) = args.name else {
        let mut output = Output::new(console, plan);
        infos.into_iter().try_for_each(|info| output.row(ProviderRow::new(info)))?;
        output.finish(Some(Summary::new(true, false)))?;
        return Ok(Exit::Success);
    };
    let Some(info) = infos.iter().find(|info| info.id().as_str() == name) else {
        let known: Vec<&str> = infos.iter().map(|info| info.id().as_str()).collect();
        return Err(Failure::Usage(format!("there is no vendor `{}`; there are: {}", shown(&name), known.join(", "))));
    };
    let whole = args.listing.columns.is_empty() && !args.listing.count && args.listing.group_by.is_none();
    if console.format() == Format::Table && whole {
        detail(info, console)?;
        return Ok(Exit::Success);
    }
    let mut output = Output::single(console, plan);
    output.row(ProviderRow::new(info))?;
    output.finish(None)?;
    Ok(Exit::Success)
}

/// One vendor for eyes: each operation with what it takes or what to do instead, and the fields.
fn detail(info: &ProviderInfo, console: &Console) -> Result<(), Failure> {
    let row = ProviderRow::new(info);
    let operations = row.operations().map(|(operation, ability)| {
        let takes = ability.parameters.iter().map(|(parameter, takes)| match takes {
            keymux::ParameterSupport::Required => format!("{} (required)", words::option(*parameter, Some(operation))),
            _ => words::option(*parameter, Some(operation)).to_owned(),
        });
        let note = match &ability.support {
            Support::Emulated { how } => how.to_string(),
            Support::Unsupported { alternative } => alternative.to_string(),
            _ => takes.collect::<Vec<_>>().join(", "),
        };
        vec![operation.to_owned(), word(&ability.support).to_owned(), note]
    });
    let address: Vec<&str> = info.address().collect();
    output::print(&format!("{}: addresses are {}\n\n", info.name(), address.join("/")))?;
    let rows: Vec<Vec<String>> = operations.collect();
    output::print(&output::text_table(&["OPERATION", "CAN", "TAKES, OR WHAT TO DO INSTEAD"], &rows, console))?;
    output::print(&format!("\nsays:       {}\ncannot say: {}\n", row.says(true).join(", "), row.says(false).join(", ")))
}
