//! `wxb help`: the long texts.

use serde::Serialize;
use wxb::{Code, Error, error::nearest};

use crate::args::choice::OutputFormat;
use crate::args::{self, ending::HelpArgs};
use crate::exit::{Exit, Outcome};
use crate::terminal::Terminal;
use crate::terminal::table::Table;

const EXIT_CODES: &str = "\
Exit codes

  0    success
  1    it worked, but a gate that you set failed: evaluate --fail-if, gradcheck over its tolerance
  2    the command line or the data is wrong
  3    training diverged: the loss or a weight is no longer finite; the last finite weights are kept
  4    the machine is out of something: memory, disk
  101  a bug in wxb
  130  interrupted; the model is saved if there was one";

const ENVIRONMENT: &str = "\
Environment

  WXB_SEED, WXB_EPOCHS, …   every long flag has a mirror; a flag that is typed wins
  NO_COLOR                  no colour
  CLICOLOR_FORCE, FORCE_COLOR  colour also where no terminal is
  CI                        plain progress lines instead of a live one

`wxb env` prints which of them are set.";

const SYMMETRY: &str = "\
Symmetry: why weights must not start equal

Two units of a layer that start with the same weights compute the same A from the same input. Their rows of
dZ = (dZ of the next layer) Wᵀ ⊙ g'(Z) are then equal too, so dW and db are equal, so the update is equal, and
they stay equal for ever: a layer of 64 such units is worth one. With all weights 0 it is worse: dA = dZ Wᵀ is
0, so nothing below the last layer learns at all, and only the last bias moves.

What breaks the symmetry is randomness, not smallness. Biases may start at 0. Without a hidden layer (logistic
and softmax regression) zero weights are fine: there is nothing to be symmetric with.

See it:   wxb demo moons; wxb train moons.csv --target class --init zeros -o zeros.wxb
Remedy:   --init he (ReLU and its kin) or --init xavier (tanh, sigmoid); the default chooses by the activation";

const TOPICS: &[(&str, &str)] =
    &[("exit-codes", EXIT_CODES), ("environment", ENVIRONMENT), ("symmetry", SYMMETRY)];

#[derive(Serialize)]
struct HelpObject<'a> {
    schema: &'static str,
    topic: &'a str,
    text: &'a str,
}

/// Prints what is known about a topic.
pub fn run(args: &HelpArgs, terminal: &Terminal) -> Outcome {
    let text = match &args.topic {
        None => long_help(&[]),
        Some(topic) => about(topic)?,
    };
    if terminal.is_json() {
        let topic = args.topic.as_deref().unwrap_or("wxb");
        let plain = anstream::adapter::strip_str(text.trim_end()).to_string();
        terminal.json(&HelpObject { schema: "wxb.help/1", topic, text: &plain })?;
    } else {
        terminal.result(text.trim_end())?;
    }
    Ok(Exit::Success)
}

fn about(topic: &str) -> Result<String, Error> {
    if topic == "codes" {
        return Ok(all_codes());
    }
    if let Some(code) = Code::ALL.iter().find(|code| code.name().eq_ignore_ascii_case(topic)) {
        return Ok(format!("{}: {}\n\n{}", code.name(), words(*code), wrapped(code.explanation())));
    }
    if let Some((_, text)) = TOPICS.iter().find(|(name, _)| *name == topic) {
        return Ok((*text).to_owned());
    }
    let command = args::command();
    match command.find_subcommand(topic) {
        Some(_) => Ok(long_help(&[topic])),
        None => Err(unknown(topic, &command)),
    }
}

/// What `wxb WORDS --help` prints.
fn long_help(words: &[&str]) -> String {
    let line = ["wxb"].iter().chain(words).chain(&["--help"]);
    match args::command().try_get_matches_from(line) {
        Err(help) => help.render().ansi().to_string(),
        Ok(_) => String::new(),
    }
}

fn unknown(topic: &str, command: &clap::Command) -> Error {
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .chain(TOPICS.iter().map(|(name, _)| *name))
        .chain(Code::ALL.iter().map(|code| code.name()))
        .collect();
    let error = Error::new(Code::UnknownTopic, format!("there is no help on {topic:?}"));
    match nearest(topic, names.into_iter()) {
        Some(near) => error.hint(format!("did you mean `wxb help {near}`?")),
        None => error.hint("`wxb help codes` lists the error codes, `wxb help` the commands"),
    }
}

fn all_codes() -> String {
    let mut table = Table::new(&["code", "meaning"]);
    Code::ALL.iter().for_each(|&code| table.row([code.name().to_owned(), words(code)]));
    table.render(OutputFormat::Text)
}

/// `UnknownColumn` as `unknown column`.
fn words(code: Code) -> String {
    let mut words = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// Lines of at most 100 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > 100 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
