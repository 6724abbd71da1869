//! `wxb demo`: a small data set, and a training on it that succeeds.

use std::path::Path;

use wxb::{Code, Error};

use super::demo_data;
use crate::args::choice::DemoData;
use crate::args::ending::DemoArgs;
use crate::args::train::TrainCommand;
use crate::args::{self, Cli, Command, Parsed};
use crate::exit::{Failure, Outcome};
use crate::terminal::Terminal;

/// What one demo needs: its file, its target, and the flags with which it visibly succeeds.
struct Demo {
    file: &'static str,
    target: &'static str,
    flags: &'static str,
    about: &'static str,
}

fn demo(data: DemoData) -> Demo {
    let (file, target, flags, about) = match data {
        DemoData::Xor => (
            "xor.csv",
            "class",
            "--hidden 8 --activation tanh --lr 0.02 --epochs 150",
            "two classes in opposite quadrants: no straight line parts them, one hidden layer does",
        ),
        DemoData::Moons => (
            "moons.csv",
            "class",
            "--hidden 16,16 --lr 0.01 --epochs 100",
            "two half circles that interlock, with noise",
        ),
        DemoData::Spiral => (
            "spiral.csv",
            "class",
            "--hidden 32,32 --activation tanh --lr 0.01 --epochs 300",
            "two arms wound around each other: depth bends space until they part",
        ),
        DemoData::Blobs => (
            "blobs.csv",
            "class",
            "--hidden none --lr 0.05 --epochs 100",
            "three round clouds: softmax regression, no hidden layer needed",
        ),
        DemoData::Linear => (
            "linear.csv",
            "y",
            "--hidden none --lr 0.05 --epochs 100",
            "y = 3 x1 - 2 x2 + 5 and a little noise: linear regression",
        ),
    };
    Demo { file, target, flags, about }
}

/// Writes the data and trains on it as the printed command would.
pub fn run(args: &DemoArgs, terminal: &Terminal) -> Outcome {
    let (demo, seed) = (demo(args.data), args.seed);
    let text = demo_data::table(args.data, seed);
    write_data(Path::new(demo.file), &text, args.force)?;
    let command = format!("wxb train {} --target {} {} --seed {}", demo.file, demo.target, demo.flags, seed);
    terminal.say("demo", &format!("{}\nwrote {}; the same as\n{command}", demo.about, demo.file));
    let exit = super::train::run(&*training(&command)?, terminal)?;
    let model = demo.file.replace(".csv", ".wxb");
    let next = ["inspect", "evaluate", "predict", "explain"].map(|command| match command {
        "inspect" => format!("wxb inspect {model}"),
        "explain" => format!("wxb explain {model} {} --row 0 --backward", demo.file),
        _ => format!("wxb {command} {model} {}", demo.file),
    });
    terminal.say("next", &next.join("\n"));
    Ok(exit)
}

fn training(command: &str) -> Result<Box<TrainCommand>, Failure> {
    match args::parse(command.split(' ').map(Into::into)) {
        Parsed::Run(cli) => match *cli {
            Cli { command: Command::Train(args), .. } => Ok(args),
            _ => Err(Error::new(Code::Usage, "the demo's command is no training").into()),
        },
        Parsed::Wrong(error) => Err(error.into()),
        _ => Err(Error::new(Code::Usage, "the demo's command asks for help").into()),
    }
}

/// Nothing is overwritten, but finding the same content there is no reason to stop.
fn write_data(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    if std::fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    wxb_io::write_atomically(path, force, |out| out.write_all(text.as_bytes())).map_err(|error| {
        match error.code() {
            Code::FileExists => error.note("it holds something else than the demo's data"),
            _ => error,
        }
    })
}
