//! What the library says, in the words of the command: options in place of parameters, and no items of code.

use keymux::{Error, ErrorReport, Parameter};

/// What an error says to who runs the command.
pub(crate) fn report(error: &Error) -> ErrorReport {
    let mut report = error.report();
    if let (Some(parameter), Some(message)) = (report.parameter, &mut report.message) {
        let named = format!("`{parameter}`");
        *message = message.replace(&named, &format!("`{}`", option(parameter, report.operation.as_deref())));
    }
    report
}

/// How a parameter is given to the command of this name.
pub(crate) fn option(parameter: Parameter, operation: Option<&str>) -> &'static str {
    match parameter {
        Parameter::Enabled if operation == Some("update") => "--enable",
        Parameter::Scope => "ACCOUNT:SCOPE",
        Parameter::Name => "--name",
        Parameter::ExpiresAt => "--expires",
        Parameter::Permissions => "--permission",
        Parameter::IpAllowlist => "--ip",
        Parameter::MaxUses => "--max-uses",
        Parameter::Metadata => "--meta",
        Parameter::Customer => "--customer",
        Parameter::Prefix => "--prefix",
        Parameter::Enabled => "--disabled",
        // One of a newer library has no option yet.
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use keymux::{About, AccountName, ErrorKind, NewKey, Operation, Scope, Support, providers};

    use super::*;

    /// Of a text that no reader of the command should see.
    fn is_code(text: &str) -> bool {
        ["::", "with_", "list_page", "scopes_page", "keymux_"].iter().any(|word| text.contains(word))
    }

    #[test]
    fn no_text_of_a_provider_names_an_item_of_code() {
        for info in providers() {
            let capabilities = info.capabilities();
            let mut texts: Vec<String> =
                capabilities.narrower_list().into_iter().chain(capabilities.not_listed()).map(str::to_owned).collect();
            for &operation in Operation::ALL {
                match capabilities.support(operation) {
                    Support::Emulated { how } => texts.push(how.into_owned()),
                    Support::Unsupported { alternative } => texts.push(alternative.into_owned()),
                    _ => {}
                }
                texts.push(report(&info.unsupported(operation)).to_string());
            }
            for text in texts {
                assert!(!is_code(&text), "{}: {text}", info.id());
            }
        }
    }

    #[test]
    fn an_item_of_code_is_for_who_prints_the_error_itself() {
        let infos = providers();
        let braintrust = infos.iter().find(|info| info.id().as_str() == "braintrust").unwrap();
        let see = braintrust.capabilities().see(About::NotListed);
        assert_eq!(see, Some("keymux_braintrust::Client::list_service_tokens"));
        let error = braintrust.unsupported(Operation::Create).with_account("prod".parse::<AccountName>().unwrap());
        assert!(error.to_string().contains("; see keymux_braintrust::Client::create_service_token"), "{error}");
        assert!(!is_code(&report(&error).to_string()));
        let error = braintrust.unsupported(Operation::ScopesPage);
        assert!(report(&error).to_string().starts_with("braintrust scopes: not supported: no scopes at Braintrust"));
    }

    #[test]
    fn a_parameter_is_named_as_its_option() {
        let infos = providers();
        let info = |id: &str| infos.iter().find(|info| info.id().as_str() == id).unwrap();
        let error = NewKey::new(Scope::account()).check(info("baseten"), Operation::Create).unwrap_err();
        assert_eq!(error.parameter(), Some(Parameter::Scope));
        assert!(error.message().unwrap().contains("`scope`"));
        assert!(report(&error).message.unwrap().contains("`ACCOUNT:SCOPE`"));
        let plain = Error::new(ErrorKind::InvalidRequest).with_message("`scope` is odd");
        assert_eq!(report(&plain).message.as_deref(), Some("`scope` is odd"));
        let help = crate::args::Cli::command().find_subcommand_mut("create").unwrap().render_long_help().to_string();
        for &parameter in Parameter::ALL.iter().filter(|parameter| **parameter != Parameter::Scope) {
            assert!(help.contains(option(parameter, None)), "{parameter}");
        }
    }
}
