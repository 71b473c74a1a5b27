//! Every argument of every command, as clap is told of them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PathBufValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCompleter;
use keymux::{AccountName, Action, KeyRef, Permission, WorkUnit};

use crate::complete;
use crate::secret_args::Surplus;
use crate::stamp::StampArg;
use crate::text::shown;
use crate::when::{self, When};

/// The table of `docs/exit-statuses.md`, for a terminal.
const EXIT_STATUS: &str = "\
`keymux COMMAND --help` has examples; `keymux help config` explains the file with the accounts.

Exit status:
  0    all well
  1    another failure
  2    wrong usage or configuration
  3    partial: something failed, something came
  4    not found
  5    the credential was not accepted, or may not do this
  6    rate limited; the message says until when
  7    outcome unknown; the message says how to find out
  8    a verification refused the key
  129  ended with SIGHUP
  130  interrupted with Ctrl-C
  131  ended with SIGQUIT
  143  ended with SIGTERM";

const PLAINTEXT: &str = "\
The plaintext alone goes to standard output, with a line break, and the record to standard error. With --secret-file FILE the \
plaintext goes to FILE, without a line break, and the record to FILE.json. Both are new files which their owner alone can read. \
Room for them is made before anything is sent, under temporary names in the same folder; they have their names once they are \
whole. No file is overwritten.";

const ROTATE: &str = "\
A second key like the first is made, its plaintext is stored, and only then is the first one revoked. Stored means: --secret-file \
is on the disk; the command of --store ended with 0; a terminal has shown it; or standard output is a regular file, flushed to the \
disk. A pipe that took the plaintext has stored nothing: the old key is kept, the status is 3, and the next command is told.

  keymux rotate mielto:key_1 --secret-file new-key
  keymux rotate mielto:key_1 --store -- vault kv put secret/mielto key=-
  keymux rotate mielto:key_1 --secret-file new-key --revoke-old-after 24h --prove -- ./works
  keymux rotate mielto:key_1 | store-it && keymux rotate --resume mielto:key_1 --stored
  keymux list mielto -o ndjson | keymux rotate - --plan plan.json
  keymux rotate --apply plan.json --secret-dir new-keys

How far it is stands in a file in $XDG_STATE_HOME/keymux (~/.local/state/keymux), written before each request; it holds no secret. \
After a crash, a signal or a failure run the same command again, or --resume: it goes on, and says so. A key whose plaintext was \
lost is revoked once that of another one is stored. The commands after `--` are run without a shell, with KEYMUX_REF, \
KEYMUX_OLD_REF and KEYMUX_ACCOUNT in their environment; they end with 0 once they have read and stored, or tried, the plaintext.

The old key stays as it is, with status 3, if the new one is not proven, or if it could not be revoked; the message says how to go \
on. What the old key's record does not tell and might widen what the new one is allowed stops the rotation: say it with --set.

A plan is a JSON file: change `action`, `native`, `old_key`, `set` and `stamp` of each key. --apply looks each key up again.";

const VERIFY: &str = "\
The outcome is an object of the type `verdict`.

Exit status:
  0  the vendor says that the key is valid
  8  the vendor refuses it, and `reason` says why
  1, 2, 5, 6  as of other commands: it could not be told

A question may count as a use of the key.";

const REVOKE: &str = "\
On a terminal the keys are looked up and shown, and one question is asked for all; everything but `y` and `yes` is no, with \
exit status 1. A reference or an account that is wrong stops the command before anything is sent. Each key has an outcome of \
its own; a key whose first answer was lost, and which a repeat did not find, is taken for revoked, and that is told.";

const UPDATE: &str = "\
Of one key, the answer is its record. Of several, or with `-`, each has an outcome of its own: on a terminal they are looked up \
and shown, one question is asked for all, and a key that fails stops no other one, unless --stop-after says so. A reference or an \
account that is wrong stops the command before anything is sent.";

const RUN: &str = "\
The key is made, its plaintext is put into the environment of the command, and nowhere else, and the key is revoked when the \
command ends, however it ends. Signals are passed on to the command: SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2, and SIGINT and SIGQUIT \
unless the terminal has sent them to the command already. A command that ignores them is waited for. While the key is revoked, a \
second signal gives that up. The rest of the environment is the command's too.

  keymux run --create mielto --env MIELTO_API_KEY --expires 1h -- python nightly.py

Before the key is made, a file in $XDG_STATE_HOME/keymux (~/.local/state/keymux) says so, without any secret; it goes once the key \
is revoked. After a crash, `keymux orphans` finds the key.

Exit status:
  the command's own; 128 and the number of the signal that ended it
  3         the command ended with 0, and the key could not be revoked
  126, 127  the command cannot be run, or is not found; no key is made for one that is not found
  else as of `keymux create`";

const ORPHANS: &str = "\
An orphan is a key that was made for a while, and whose end nobody has seen to: of a `keymux run` that was killed on this machine, \
or one that bears the stamp of Keymux and is not known here. The second may be in use by a run on another machine, or be the work \
of a rotation: look before you end it. A run on this machine that goes on is no orphan.

Of each, `acknowledge` and `revoke` are the commands that settle it. One that the vendor no longer knows is settled, and not shown.
Filters and sorting are those of `keymux list`.";

const LISTING: &str = "\
Filters:
  --filter FIELD=VALUE     equal; != not equal; < <= > >= for times and numbers
  --filter FIELD~PATTERN   matches the regular expression anywhere; !~ does not
  --filter FIELD=none      the vendor says that there is none; expires=never means the same
  --filter FIELD=missing   the vendor did not send it
  --filter FIELD=unsupported, FIELD=known   it cannot say; there is a value

  A filter with a value keeps rows alone whose value is known. A key whose vendor cannot say when it ends is
  neither `expires<30d` nor `expires>30d`; ask for it with `expires=unsupported`.
  Several filters must all hold. In one, conditions are joined by `and`, `or` (which binds less) and parentheses:
  `(status=disabled or last_used>90d) and name~^ci`. A value in double quotes may hold these words.
  Of a list, one element is enough; for != and !~, none may be equal or match.

  A field is named as in JSON, or without `_at`: expires_at, expires, owner.group, limits.uses, metadata.team.
  What is in metadata is text or a number: = and != compare either, < <= > >= numbers alone, by all their digits.
  A time is compared by < <= > >= with a date (2027-01-31, all of that day in UTC), a time (2027-01-31T12:00:00Z, without a
  zone in UTC), `now` or a span (30d, 2w, 12h, 6mo, 1y). For expires_at a span is the time that is left: `expires<30d` ends
  within 30 days from now, and has not ended; what has ended is `expires<now` or `status=expired`. For every other time a
  span is the time that has gone by: `last_used>90d` was last used more than 90 days ago.
  How many rows a filter could not judge, since their vendors do not say the field, is told at the end.

Counting:
  --count                  prints the number of rows alone, in every format
  --group-by FIELD         prints a row for each group, the largest first: `--group-by status`

Sorting:
  --sort FIELD, --sort=-FIELD for the reverse; several with commas. Rows without a known value come last.
  Sorted output, and every table, begins when all rows are there; else rows are written as they come.";

/// Look up, list, make, change and revoke API keys at Baseten, Braintrust, Mielto, Datkey and Oneloop.
#[derive(Debug, Parser)]
#[command(name = "keymux", version, after_help = EXIT_STATUS, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The file with the accounts [default: KEYMUX_CONFIG, else the platform's configuration folder, else no file: an
    /// account for each credential in the environment]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Append a line before and after every change that is sent to this file, without secrets; if it cannot be written,
    /// nothing is sent [default: `[trail]` of the file with the accounts, else no trail]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = PathBufValueParser::new().try_map(trail_file))]
    pub(crate) trail: Option<PathBuf>,
    /// Why changes are made, for the trail
    #[arg(long, global = true, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) reason: Option<String>,
    /// The format [default: table on a terminal and with --columns, ndjson into a pipe]
    #[arg(long, short, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// Show each request on standard error; twice: everything that is traced
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write no notes and no progress to standard error, and ask nothing; errors are told all the same
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For eyes: aligned, fitted to the terminal
    Table,
    /// One document: an object for one `get`, else an array of what ndjson has
    Json,
    /// One object a line, as it comes; a summary at the end of a list
    Ndjson,
    /// A header and a row for each, for people and spreadsheets: `never`, `not sent` and `cannot say` as in a table, and an
    /// apostrophe before text that would be a formula; errors and summary on standard error
    Csv,
    /// The same with tabs; tabs, line breaks and backslashes within cells are written as \t, \n, \r, \\
    Tsv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look keys up: one record for each reference
    Get(GetArgs),
    /// List the keys of accounts or scopes; without argument, of all accounts
    List(ListArgs),
    /// List the groups and workspaces of accounts
    Scopes(ScopesArgs),
    /// Make a key; its plaintext alone goes to standard output, or to a file
    Create(CreateArgs),
    /// Bring a key of one's own; its plaintext is read from standard input or a file
    Register(RegisterArgs),
    /// Make a key for one command: it is in the command's environment alone, and revoked when the command ends
    Run(RunArgs),
    /// List keys that were made for a while and that nobody has acknowledged
    Orphans(OrphansArgs),
    /// Change keys
    Update(UpdateArgs),
    /// Give a key a new plaintext
    Rotate(RotateArgs),
    /// Ask whether a plaintext is a valid key; it is read from standard input or a file
    Verify(VerifyArgs),
    /// End keys for good
    Revoke(RevokeArgs),
    /// Tell what each vendor can do and say
    Providers(ProvidersArgs),
    /// Write a first keymux.toml, from the names of what is set in the environment; no file is overwritten
    Init,
    /// Tell the configured accounts; `accounts check` asks whether their credentials work, `accounts add` adds one
    Accounts(AccountsArgs),
    /// Serve stand-ins of all vendors on loopback, and print what to export
    Emulate(EmulateArgs),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// What to show of a listing.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Listing options")]
pub(crate) struct Listing {
    /// Which columns of a table, CSV or TSV, with commas; JSON has every field
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// By which fields to sort, with commas; a `-` before one reverses it
    #[arg(long, value_name = "FIELD", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) sort: Vec<String>,
    /// Which rows to keep, such as `expires<30d` or `status=disabled or uses=0`; all filters must hold
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Vec<String>,
    /// Print how many rows there are, and nothing of them; with --group-by, of each group
    #[arg(long)]
    pub(crate) count: bool,
    /// Count the rows by what they have in this field; of a list, each element counts
    #[arg(long, value_name = "FIELD")]
    pub(crate) group_by: Option<String>,
    /// CSV and TSV for programs: text as the vendor has it, and an empty cell for what is not known; `coverage` says why
    #[arg(long)]
    pub(crate) raw_cells: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = LISTING)]
pub(crate) struct GetArgs {
    /// References such as `prod-baseten:abc123hash/aBcDeFg`; `-` reads them from standard input, a line each: a reference,
    /// or a JSON object with one in `ref`, as this program's own NDJSON has it
    #[arg(required = true, value_name = "REF", add = ArgValueCompleter::new(complete::keys))]
    pub(crate) refs: Vec<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
#[command(after_long_help = LISTING)]
pub(crate) struct ListArgs {
    /// An account, or one scope of it: `prod-baseten:abc123hash`
    #[arg(value_name = "ACCOUNT[:SCOPE]", add = ArgValueCompleter::new(complete::accounts))]
    pub(crate) units: Vec<WorkUnit>,
    /// End with status 3 if anything that was asked for is lacking
    #[arg(long)]
    pub(crate) require_complete: bool,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
#[command(after_long_help = LISTING)]
pub(crate) struct ScopesArgs {
    /// Accounts [default: all that have scopes]
    #[arg(value_name = "ACCOUNT", add = ArgValueCompleter::new(complete::accounts))]
    pub(crate) accounts: Vec<AccountName>,
    /// End with status 3 if anything that was asked for is lacking
    #[arg(long)]
    pub(crate) require_complete: bool,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
#[command(after_long_help = LISTING)]
pub(crate) struct ProvidersArgs {
    /// One vendor, in detail
    #[arg(add = ArgValueCompleter::new(complete::providers))]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
#[command(after_long_help = LISTING, args_conflicts_with_subcommands = true)]
pub(crate) struct AccountsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<AccountsAction>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountsAction {
    /// Ask each vendor whether the credential works; changes nothing
    Check {
        #[command(flatten)]
        listing: Listing,
    },
    /// Add an account to keymux.toml, which keeps its comments; no credential is written or looked at
    Add(AddArgs),
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("credential").required(true).args(["credential_env", "credential_file", "credential_command"])))]
pub(crate) struct AddArgs {
    /// The account's name, before the `:` of references
    #[arg(value_name = "NAME")]
    pub(crate) name: AccountName,
    /// The vendor: baseten, braintrust, mielto, datkey or oneloop
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) provider: String,
    /// The variable that holds the credential: its name, never the credential
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) credential_env: Option<String>,
    /// The file that holds the credential alone, with mode 0600
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) credential_file: Option<String>,
    /// The program that prints the credential, with its arguments: all that follows on the line, so put it last
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) credential_command: Vec<String>,
    /// A setting of the account, such as `base_url=https://…`; may be given again; `keymux help config` has them all
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub(crate) set: Vec<(String, String)>,
}

/// Where a plaintext goes that is shown once.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SecretOut {
    /// Write the plaintext to this new file, readable by its owner alone, and the record to FILE.json beside it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = PathBufValueParser::new().try_map(new_file))]
    pub(crate) secret_file: Option<PathBuf>,
}

/// Where a plaintext comes from. Never from an argument, which every process of the machine can see.
#[derive(Debug, Args)]
pub(crate) struct SecretIn {
    /// Read the plaintext from this file [default: standard input; at a terminal it is not shown]. One byte-order mark at
    /// the start and one line break at the end are taken off; whatever else is not visible ASCII is refused
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
}

/// Whether a change is made.
#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// Print what would be sent, credentials masked, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Whether a question is asked first.
#[derive(Debug, Args)]
pub(crate) struct Yes {
    /// Do not ask; needed where there is no terminal
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// A new key, and where it is made.
#[derive(Debug, Args)]
pub(crate) struct NewKeyArgs {
    /// The account, with the group, workspace or API where the vendor has them: `prod-baseten:abc123hash`
    #[arg(value_name = "ACCOUNT[:SCOPE]", add = ArgValueCompleter::new(complete::accounts))]
    pub(crate) unit: WorkUnit,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

/// What a new key is.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The key's name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    /// When it ends: a span from now (90d, 6mo), a date, or a time (2027-01-31T12:00). A date is the last day on which it
    /// works: it ends at 23:59:59 of that day. What has no time zone is in UTC
    #[arg(long, value_name = "90d|DATE", value_parser = when::parse_ahead)]
    pub(crate) expires: Option<When>,
    /// What it may do: a name, or `name=create,read,update,delete`; may be given again
    #[arg(long, value_name = "NAME[=ACTIONS]", value_parser = parse_permission)]
    pub(crate) permission: Vec<Permission>,
    /// From which address it may be used; may be given again
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Vec<String>,
    /// How often it may be used in all
    #[arg(long, value_name = "N")]
    pub(crate) max_uses: Option<u64>,
    /// What is attached to it, as text; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub(crate) meta: Vec<(String, String)>,
    /// The customer to whom it is given
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// What stands before its random part
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// Make it switched off
    #[arg(long)]
    pub(crate) disabled: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = PLAINTEXT)]
pub(crate) struct CreateArgs {
    /// The account, with the group, workspace or API where the vendor has them: `prod-baseten:abc123hash`
    #[arg(value_name = "ACCOUNT[:SCOPE]", required_unless_present = "like", conflicts_with = "like")]
    pub(crate) unit: Option<WorkUnit>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// Make a key like this one, which is looked up and left as it is; other options change what it is
    #[arg(long, value_name = "REF")]
    pub(crate) like: Option<KeyRef>,
    /// With --like: what the record does not tell, or `NAME=none` to leave it out; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair, requires = "like")]
    pub(crate) set: Vec<(String, String)>,
    /// Set a stamp, by which `keymux orphans` finds the key unless its plaintext was kept by this run
    #[arg(long, value_name = "PLACE")]
    pub(crate) stamp: Option<StampArg>,
    #[command(flatten)]
    pub(crate) secret: SecretOut,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) surplus: Surplus,
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN)]
pub(crate) struct RunArgs {
    /// Where the key is made: the account, with the group, workspace or API where the vendor has them
    #[arg(long, value_name = "ACCOUNT[:SCOPE]")]
    pub(crate) create: WorkUnit,
    /// The variable that the plaintext is in, for the command alone
    #[arg(long, value_name = "NAME", value_parser = parse_variable)]
    pub(crate) env: String,
    /// Where the stamp stands by which the key is found after a crash [default: metadata where the vendor takes and
    /// shows it, else the name]
    #[arg(long, value_name = "PLACE")]
    pub(crate) stamp: Option<StampArg>,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(after_long_help = ORPHANS)]
pub(crate) struct OrphansArgs {
    /// Accounts [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<AccountName>,
    /// This key is known to somebody, and no orphan: a reference, or the id of a lease whose key is not known; may be given
    /// again. Nothing is sent
    #[arg(long, value_name = "REF|ID", conflicts_with = "accounts")]
    pub(crate) acknowledge: Vec<String>,
    #[command(flatten)]
    pub(crate) listing: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) secret: SecretIn,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) surplus: Surplus,
}

#[derive(Debug, Args)]
#[command(after_long_help = UPDATE)]
pub(crate) struct UpdateArgs {
    /// The keys; `-` reads them from standard input, a line each: a reference, or a JSON object with one in `ref`
    #[arg(required = true, value_name = "REF", add = ArgValueCompleter::new(complete::keys))]
    pub(crate) refs: Vec<String>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    /// Send nothing more once so many keys have failed [default: every key is tried]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) stop_after: Option<u64>,
    #[command(flatten)]
    pub(crate) yes: Yes,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
}

/// What is changed.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Its new name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    /// When it ends: a span from now (90d, 6mo), a date, or a time (2027-01-31T12:00). A date is the last day on which it
    /// works: it ends at 23:59:59 of that day. What has no time zone is in UTC
    #[arg(long, value_name = "90d|DATE", value_parser = when::parse_ahead)]
    pub(crate) expires: Option<When>,
    /// What it may do, in place of what it may now: a name, or `name=create,read,update,delete`; may be given again
    #[arg(long, value_name = "NAME[=ACTIONS]", value_parser = parse_permission)]
    pub(crate) permission: Vec<Permission>,
    /// From which address it may be used, in place of those of now; may be given again
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Vec<String>,
    /// How often it may be used in all
    #[arg(long, value_name = "N")]
    pub(crate) max_uses: Option<u64>,
    /// Switch it on
    #[arg(long, conflicts_with = "disable")]
    pub(crate) enable: bool,
    /// Switch it off
    #[arg(long)]
    pub(crate) disable: bool,
    /// Set to "none", with commas: no name, no end, no limit
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub(crate) clear: Vec<Clearable>,
}

/// A field of a key that can be set to "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Clearable {
    Name,
    #[value(alias = "expires")]
    ExpiresAt,
    Permissions,
    IpAllowlist,
    MaxUses,
}

#[derive(Debug, Args)]
#[command(after_long_help = ROTATE)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub(crate) struct RotateArgs {
    /// The key; `-` reads many from standard input for a plan; with --resume a file of a state too
    #[arg(value_name = "REF", required_unless_present = "apply", conflicts_with = "apply", value_parser = parse_target, add = ArgValueCompleter::new(complete::keys))]
    pub(crate) target: Option<Target>,
    #[command(flatten)]
    pub(crate) options: RotationArgs,
    /// Go on with a rotation that was begun: of this key, or of this file
    #[arg(long, conflicts_with_all = ["apply", "plan"])]
    pub(crate) resume: bool,
    /// With --resume: the new plaintext is stored, as you have seen to yourself
    #[arg(long, requires = "resume")]
    pub(crate) stored: bool,
    /// With --resume: the new key works, as you have seen yourself
    #[arg(long, requires = "resume")]
    pub(crate) proven: bool,
    /// With --resume: end an old key that is kept, now
    #[arg(long, requires = "resume")]
    pub(crate) revoke_old: bool,
    /// Keep the state in this file, which stays when the rotation is done [default: a file in the user's state folder,
    /// which goes then]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: SecretOut,
    /// Store the plaintext by the command after `--`, which has it on standard input; ended with 0, it is stored
    #[arg(long, conflicts_with_all = ["secret_file", "secret_dir"], requires = "command")]
    pub(crate) store: bool,
    /// How long the command of --store may take
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = parse_limit)]
    pub(crate) store_within: Duration,
    /// End the old key only after the command after `--`, which has the new plaintext on standard input, ended with 0; it is
    /// tried again until then. After --store, its command stands after a second `--`
    #[arg(long, requires = "command", conflicts_with = "proven")]
    pub(crate) prove: bool,
    /// How long --prove is tried
    #[arg(long, value_name = "SPAN", default_value = "2m", value_parser = parse_limit)]
    pub(crate) prove_within: Duration,
    /// Look the keys up and write what would be done to this new file, to read and change before --apply; `-`: show it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["secret_file", "store", "prove", "state"])]
    pub(crate) plan: Option<PathBuf>,
    /// Rotate the keys of a plan. Run again, it goes on where it ended
    #[arg(long, value_name = "PLAN", value_hint = ValueHint::FilePath, conflicts_with_all = ["secret_file", "state", "old"])]
    pub(crate) apply: Option<PathBuf>,
    /// With --apply: write each plaintext to a file of its own in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "apply")]
    pub(crate) secret_dir: Option<PathBuf>,
    /// With --apply: begin no other key once so many have failed [default: every key is tried]
    #[arg(long, value_name = "N", requires = "apply", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) stop_after: Option<u64>,
    #[command(flatten)]
    pub(crate) yes: Yes,
    /// Look the key up, show the plan and what would be sent, credentials masked, and change nothing
    #[arg(long, conflicts_with_all = ["apply", "resume"])]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) surplus: Surplus,
    /// The command of --store or --prove, after `--`; with both, the second one after another `--`
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// What becomes of a key and of its successor.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub(crate) struct RotationArgs {
    /// Let the vendor replace the plaintext in one call. If its answer is lost, no plaintext works until you rotate again
    #[arg(long)]
    pub(crate) native: bool,
    /// Keep the old key until `--resume --revoke-old`
    #[arg(long, group = "old")]
    pub(crate) keep_old: bool,
    /// Keep the old key for at least this long; --resume revokes it then
    #[arg(long, group = "old", value_name = "24h|DATE", value_parser = when::parse_ahead)]
    pub(crate) revoke_old_after: Option<When>,
    /// Let the vendor end the old key after this time, where it can change when a key ends
    #[arg(long, group = "old", value_name = "24h|DATE", value_parser = when::parse_ahead)]
    pub(crate) expire_old_after: Option<When>,
    /// What the old key's record does not tell of it, or what the new key is to be: `expires_at=2027-01-31`, or `NAME=none`
    /// to leave it out; may be given again. Nothing that is told can be widened
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Where the new key bears the mark by which it is found after a crash [default: in the metadata where the vendor takes
    /// some, else nowhere]
    #[arg(long, value_name = "PLACE")]
    pub(crate) stamp: Option<StampIn>,
}

/// Where a rotation's stamp stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StampIn {
    /// Nowhere: the key is looked for by its name and time
    Nowhere,
    /// In the metadata
    Metadata,
    /// At the end of the name
    Name,
}

/// What is rotated.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Key(KeyRef),
    /// References on standard input.
    Many,
    /// The state of a rotation.
    File(PathBuf),
}

fn parse_target(text: &str) -> Result<Target, String> {
    if text == "-" {
        return Ok(Target::Many);
    }
    match text.parse() {
        Ok(key) => Ok(Target::Key(key)),
        Err(_) if std::path::Path::new(text).is_file() => Ok(Target::File(PathBuf::from(text))),
        Err(error) => Err(keymux::Error::to_string(&error)),
    }
}

fn parse_limit(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| "write a span, such as 90s or 2m".to_owned())?;
    let limit = Duration::try_from(span).ok().filter(|limit| (1..=86_400).contains(&limit.as_secs()));
    limit.ok_or_else(|| "it is from 1s to 24h".to_owned())
}

#[derive(Debug, Args)]
#[command(after_long_help = VERIFY)]
pub(crate) struct VerifyArgs {
    /// The account, with the API where the vendor needs it: `datkey:api_example_1`
    #[arg(value_name = "ACCOUNT[:SCOPE]", add = ArgValueCompleter::new(complete::accounts))]
    pub(crate) unit: WorkUnit,
    /// What the key should be allowed to do; may be given again
    #[arg(long, value_name = "NAME[=ACTIONS]", value_parser = parse_permission)]
    pub(crate) permission: Vec<Permission>,
    #[command(flatten)]
    pub(crate) secret: SecretIn,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) surplus: Surplus,
}

#[derive(Debug, Args)]
#[command(after_long_help = REVOKE)]
pub(crate) struct RevokeArgs {
    /// The keys; `-` reads them from standard input, a line each: a reference, or a JSON object with one in `ref`
    #[arg(required = true, value_name = "REF", add = ArgValueCompleter::new(complete::keys))]
    pub(crate) refs: Vec<String>,
    #[command(flatten)]
    pub(crate) yes: Yes,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
}

#[derive(Debug, Args)]
pub(crate) struct EmulateArgs {
    /// How many keys to generate for each vendor, up to a million [default: a few that are made by hand]
    #[arg(long, value_name = "N")]
    pub(crate) keys: Option<usize>,
    /// Generate other keys with each number
    #[arg(long, value_name = "S", default_value_t = 0, requires = "keys")]
    pub(crate) seed: u64,
    /// The first of five ports that follow each other [default: any that are free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Answer 429 to more requests than this in a second, for each operation and credential [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

/// `-` is no file where other programs have it for standard output.
fn new_file(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.as_os_str() == "-" {
        return Err("leave it out: the plaintext goes to standard output anyway; a file of this name is `./-`");
    }
    Ok(path)
}

/// Lines about changes never go to standard output, where plaintexts are.
fn trail_file(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.as_os_str() == "-" {
        return Err("the trail is a file; one of this name is `./-`");
    }
    Ok(path)
}

fn parse_permission(text: &str) -> Result<Permission, String> {
    let Some((name, actions)) = text.split_once('=') else {
        return Ok(Permission { name: text.to_owned(), actions: None });
    };
    let action = |word: &str| match word {
        "create" => Ok(Action::Create),
        "read" => Ok(Action::Read),
        "update" => Ok(Action::Update),
        "delete" => Ok(Action::Delete),
        other => Err(format!("`{}` is no action; there are create, read, update and delete", shown(other))),
    };
    let actions = actions.split(',').map(action).collect::<Result<_, _>>()?;
    Ok(Permission { name: name.to_owned(), actions: Some(actions) })
}

fn parse_variable(text: &str) -> Result<String, &'static str> {
    let named = text
        .bytes()
        .enumerate()
        .all(|(at, byte)| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()));
    if text.is_empty() || !named {
        return Err("it is no name of a variable: letters, digits and `_`, a digit not first");
    }
    Ok(text.to_owned())
}

fn parse_pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_description_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_permission_is_a_name_with_or_without_actions() {
        let read = parse_permission("model=read,update").unwrap();
        assert_eq!((read.name.as_str(), read.actions), ("model", Some(vec![Action::Read, Action::Update])));
        assert_eq!(parse_permission("chat:write").unwrap().actions, None);
        assert!(parse_permission("model=fly").unwrap_err().contains("`fly`"));
    }

    #[test]
    fn metadata_is_text_after_the_first_equals_sign() {
        assert_eq!(parse_pair("equation=a=b"), Ok(("equation".to_owned(), "a=b".to_owned())));
        assert!(parse_pair("team").is_err());
    }
}
