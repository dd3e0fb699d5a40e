//! Commands one after the other. Each runs as a process of its own, as it does without the shell: its log, its signals and
//! its end are its own, and what goes wrong in it ends nothing else.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{IsTerminal as _, stdin};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Args, CommandFactory as _};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Cli, Everywhere};
use crate::error::report;
use crate::session::Exit;

const PROMPT: &str = "ordermill> ";
/// Below the home folder, for its owner alone.
const HISTORY: &str = ".ordermill_history";
const REMEMBERED: usize = 1_000;
/// What ends the shell.
const ENDS: [&str; 2] = ["exit", "quit"];

/// Type commands one after the other: tab completes them, arrow up brings earlier ones back
///
/// Commands are typed as they are behind `ordermill`; flags of the shell itself, such as --json, go for all of them. Ctrl-C
/// ends what runs, `exit` or Ctrl-D the shell. Lines that begin with a space are not remembered. Lines that are piped in are
/// all run; the exit code is then the gravest of theirs.
#[derive(Debug, Args)]
pub struct Shell {}

impl Shell {
    /// Runs until the input ends.
    #[allow(clippy::unused_self, reason = "it is run as every other command is")]
    pub fn run(self, everywhere: &Everywhere) -> Result<Exit> {
        // Ctrl-C reaches whoever runs at the terminal; the shell is to outlive it.
        let runtime = super::runtime(false)?;
        let _interrupts = {
            let _entered = runtime.enter();
            signal(SignalKind::interrupt()).context("signals cannot be listened to")?
        };
        let mut editor = editor()?;
        let history = std::env::home_dir().map(|home| home.join(HISTORY));
        if let Some(path) = history.as_ref().filter(|path| path.exists()) {
            told(editor.load_history(path).context("earlier commands cannot be read"));
        }
        let mut gravest = Exit::Done;
        loop {
            match editor.readline(PROMPT) {
                Ok(line) => {
                    remember(&mut editor, history.as_ref(), &line)?;
                    let ended = match words(&line) {
                        Ok(words) if words.first().is_some_and(|word| ENDS.contains(&word.as_str())) => break,
                        Ok(words) if words.is_empty() => Ok(Exit::Done),
                        Ok(words) => execute(everywhere, &words),
                        Err(error) => Err(error),
                    };
                    gravest = gravest.and(told(ended).unwrap_or(Exit::Failed));
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error).context("the next command cannot be read"),
            }
        }
        // Whoever typed has seen how each ended.
        Ok(if stdin().is_terminal() { Exit::Done } else { gravest })
    }
}

fn editor() -> Result<Editor<Commands, FileHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .max_history_size(REMEMBERED)?
        .build();
    let mut editor = Editor::with_config(config).context("the terminal cannot be used")?;
    editor.set_helper(Some(Commands));
    Ok(editor)
}

/// What goes wrong is told where other commands tell it, and the shell goes on.
fn told<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) => {
            report(&error);
            None
        }
    }
}

fn remember(editor: &mut Editor<Commands, FileHistory>, history: Option<&PathBuf>, line: &str) -> Result<()> {
    let is_new = !line.trim().is_empty() && editor.add_history_entry(line)?;
    match history {
        Some(path) if is_new && stdin().is_terminal() => {
            told(editor.append_history(path).context("the command cannot be remembered"));
        }
        _ => {}
    }
    Ok(())
}

/// The words of a line, quoted as in other shells; the program's own name may stand before them.
fn words(line: &str) -> Result<Vec<String>> {
    let mut words = shlex::split(line).context("a quote is not closed")?;
    if words.first().is_some_and(|word| word == "ordermill") {
        words.remove(0);
    }
    if words.first().is_some_and(|word| word == "shell") {
        bail!("this is the shell; type another command");
    }
    Ok(words)
}

/// Runs a command to its end. How it ended it has told itself.
fn execute(everywhere: &Everywhere, words: &[String]) -> Result<Exit> {
    let program = std::env::current_exe().context("the program cannot be found")?;
    let mut command = Command::new(program);
    command.args(flags(everywhere, words)).args(words);
    if let Some(file) = &everywhere.config {
        command.env("ORDERMILL_CONFIG", file);
    }
    if let Some(url) = &everywhere.database {
        command.env("ORDERMILL_DATABASE_URL", url);
    }
    // What is piped into the shell are its lines.
    if !stdin().is_terminal() {
        command.stdin(Stdio::null());
    }
    let ended = command.status().context("the command cannot be started")?;
    Ok(ended.code().map_or(Exit::Interrupted, Exit::of_code))
}

/// The shell's own flags that a line does not give itself.
fn flags(everywhere: &Everywhere, words: &[String]) -> Vec<&'static str> {
    let given = [
        (everywhere.json, "--json"),
        (everywhere.no_migrate, "--no-migrate"),
        (everywhere.quiet, "--quiet"),
        (everywhere.verbose > 0, "--verbose"),
        (everywhere.verbose > 1, "-v"),
    ];
    let is_new = |flag: &str| !words.iter().any(|word| word == flag);
    given.into_iter().filter(|(is_set, flag)| *is_set && is_new(flag)).map(|(_, flag)| flag).collect()
}

/// What can be typed, for whoever presses tab.
struct Commands;

impl Helper for Commands {}
impl Hinter for Commands {
    type Hint = String;
}
impl Validator for Commands {}
impl Highlighter for Commands {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Completer for Commands {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..at];
        let begin = typed.rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let (before, word) = typed.split_at(begin);
        let Some(words) = shlex::split(before) else { return Ok((at, Vec::new())) };
        Ok((begin, candidates(&words, word)))
    }
}

fn candidates(words: &[String], word: &str) -> Vec<Pair> {
    let after_name = words.iter().skip(usize::from(words.first().is_some_and(|word| word == "ordermill")));
    let mut typed = vec![OsString::from("ordermill")];
    typed.extend(after_name.map(OsString::from));
    typed.push(word.into());
    let (last, folder) = (typed.len() - 1, std::env::current_dir().ok());
    let found = clap_complete::engine::complete(&mut Cli::command(), typed, last, folder.as_deref());
    let found = found.unwrap_or_default().into_iter().filter(|candidate| !candidate.is_hide_set());
    let texts = found.filter_map(|candidate| candidate.get_value().to_str().map(str::to_owned));
    let ends =
        ENDS.iter().filter(|end| words.is_empty() && end.starts_with(word)).map(|end| (*end).to_owned());
    let pair = |text: String| {
        let is_whole = !text.ends_with(['/', '=']);
        Pair { replacement: if is_whole { format!("{text} ") } else { text.clone() }, display: text }
    };
    texts.chain(ends).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let history = FileHistory::new();
        let (_, pairs) = Commands.complete(line, line.len(), &Context::new(&history)).unwrap();
        pairs.into_iter().map(|pair| pair.replacement).collect()
    }

    #[test]
    fn tab_offers_commands_their_parts_flags_and_values() {
        assert_eq!(offered("ref"), ["refund "]);
        assert_eq!(offered("ex"), ["exit "]);
        assert_eq!(offered("orders de"), ["deliver "]);
        assert_eq!(offered("ordermill orders de"), ["deliver "]);
        assert_eq!(offered("orders list --st"), ["--status "]);
        assert_eq!(offered("completions z"), ["zsh "]);
        assert_eq!(offered("orders list 'open"), [""; 0]);
        assert!(offered("orders ").contains(&"cancel ".to_owned()));
    }

    #[test]
    fn words_are_quoted_as_in_other_shells() {
        let read = |line: &str| words(line).map_err(|error| error.to_string());
        let refund = ["refund", "1", "--reason", "one is cracked"].map(str::to_owned).to_vec();
        assert_eq!(read("ordermill refund 1 --reason 'one is cracked'"), Ok(refund));
        assert_eq!(read("  # a remark"), Ok(Vec::new()));
        assert_eq!(read("orders 'show"), Err("a quote is not closed".to_owned()));
        assert!(read("shell").is_err());
    }

    #[test]
    fn flags_of_the_shell_go_for_every_command_and_are_not_given_twice() {
        let everywhere = Everywhere {
            config: None,
            database: None,
            json: true,
            no_migrate: false,
            verbose: 2,
            quiet: false,
        };
        let given = |line: &str| flags(&everywhere, &words(line).unwrap());
        assert_eq!(given("orders list"), ["--json", "--verbose", "-v"]);
        assert_eq!(given("orders list --json"), ["--verbose", "-v"]);
    }
}
