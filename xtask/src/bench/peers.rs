//! The peers' programs in ../shared/peers: which there are, how they are set up and run.

use super::record::Measurement;
use crate::stages::{root, run};
use anyhow::{Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Train,
    Predict,
    Job,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Train, Kind::Predict, Kind::Job];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Train => "train",
            Kind::Predict => "predict",
            Kind::Job => "job",
        }
    }

    pub(super) fn parse(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|kind| kind.name() == name) {
            Some(kind) => Ok(kind),
            None => bail!("no kind of work {name}; there are {}", Self::ALL.map(Self::name).join(", ")),
        }
    }

    /// Predictions take microseconds: half of the time gives enough of them.
    pub(super) fn seconds(self, seconds: f64) -> f64 {
        if self == Kind::Predict { seconds / 2.0 } else { seconds }
    }
}

const TRAIN: [&str; 10] = [
    "torch-eager",
    "torch-fused",
    "torch-compile",
    "torch-manual",
    "jax-jit",
    "jax-scan",
    "numpy",
    "sklearn",
    "candle",
    "burn",
];
const PREDICT: [&str; 9] =
    ["torch-eager", "torch-jit", "torch-compile", "jax", "onnxruntime", "numpy", "sklearn", "candle", "burn"];
const JOB: [&str; 6] = ["sklearn", "torch-eager", "torch-compile", "jax-scan", "candle", "burn"];
/// Their steps of W5 take so long that a round would last for minutes.
pub(super) const STEPS_TOO_LONG: [&str; 3] = ["numpy", "torch-eager", "jax-scan"];
/// A process that takes longer is ended and left out; one of them measures six workloads.
const TIMEOUT_SECONDS: &str = "600";

/// Every name once.
pub(super) fn names() -> Vec<&'static str> {
    let mut names = [&TRAIN[..], &PREDICT[..], &JOB[..]].concat();
    names.sort_unstable();
    names.dedup();
    names
}

pub(super) fn is_known(name: &str) -> bool {
    names().contains(&name)
}

/// Where their programs are.
pub(super) struct Peers {
    sources: PathBuf,
    /// What was built.
    pub(super) folder: PathBuf,
}

/// Builds what is missing.
pub(super) fn set_up() -> Result<Peers> {
    let folder = std::env::var_os("PEERS_DIR").map_or_else(|| root().join("target/peers"), PathBuf::from);
    let peers = Peers { sources: root().join("../shared/peers"), folder };
    std::fs::create_dir_all(&peers.folder)?;
    if peers.sources.is_dir() && !peers.is_complete() {
        // A copy, since the programs write beside their sources.
        let copy = root().join("target/peers-src");
        std::fs::create_dir_all(&copy)?;
        run(Command::new("cp").args(["-r", "--no-preserve=mode"]).arg(peers.sources.join(".")).arg(&copy))?;
        let mut command = Command::new("sh");
        command.args(["peers.sh", "--rounds", "0"]).current_dir(&copy).env("PEERS_DIR", &peers.folder);
        // Its last line makes a table of results, and there are none: what counts is what was built.
        if let Err(error) = run(&mut command) {
            println!("{error}");
        }
        if !peers.is_complete() {
            println!("not all of the peers' programs could be built; the others are measured");
        }
    }
    Ok(peers)
}

impl Peers {
    fn is_complete(&self) -> bool {
        names().into_iter().all(|peer| self.program(peer).is_file())
    }

    pub(super) fn are_there(&self) -> bool {
        self.sources.is_dir() && names().into_iter().any(|peer| self.program(peer).is_file())
    }

    /// Those that do this kind of work and are built.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &'static str> {
        let all: &[&'static str] = match kind {
            Kind::Train => &TRAIN,
            Kind::Predict => &PREDICT,
            Kind::Job => &JOB,
        };
        let there = self.sources.is_dir();
        all.iter().copied().filter(move |peer| there && self.program(peer).is_file())
    }

    /// What is started.
    fn program(&self, peer: &str) -> PathBuf {
        match peer {
            "candle" | "burn" => self.folder.join("bin").join(format!("{peer}-peer")),
            _ => self.folder.join("venv/bin/python"),
        }
    }

    fn is_python(&self, peer: &str) -> bool {
        !matches!(peer, "candle" | "burn")
    }

    /// The command of a whole training on the file of images.
    pub(super) fn job(&self, peer: &str, images: &Path) -> Command {
        let mut command = Command::new(self.program(peer));
        if self.is_python(peer) {
            command.arg(self.sources.join("job.py")).arg(peer).arg(images);
        } else {
            command.arg(self.sources.join("workloads.json")).args(["W4", "job"]).arg(images);
        }
        command
    }

    /// Steps or predictions of some workloads.
    pub(super) fn measure(
        &self,
        peer: &str,
        kind: Kind,
        workloads: &[&str],
        threads: usize,
        seconds: f64,
    ) -> Result<Vec<Measurement>> {
        let seconds = kind.seconds(seconds).to_string();
        let mut printed = String::new();
        if self.is_python(peer) {
            let asked = if kind == Kind::Predict { format!("{peer}:infer") } else { peer.to_owned() };
            let mut command = Command::new(self.program(peer));
            command.arg(self.sources.join("peers.py")).args([&asked, &workloads.join(",")]);
            printed = output(command.args([&threads.to_string(), &seconds]), threads)?;
        } else {
            let mode = if kind == Kind::Predict { "infer" } else { "train" };
            for workload in workloads {
                let mut command = Command::new(self.program(peer));
                command.arg(self.sources.join("workloads.json")).args([workload, mode, &seconds]);
                printed += &output(&mut command, threads)?;
            }
        }
        Ok(workloads.iter().map(|workload| measurement(&printed, peer, kind, workload, threads)).collect())
    }
}

/// The line about a workload; if it is missing, a measurement that says so.
fn measurement(printed: &str, peer: &str, kind: Kind, workload: &str, threads: usize) -> Measurement {
    let objects = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let object = objects.into_iter().find(|object| object["workload"] == *workload).unwrap_or(Value::Null);
    let mut found =
        Measurement::new(peer, kind, workload, threads, object["median"].as_f64().unwrap_or(f64::NAN));
    found.p10 = object["p10"].as_f64();
    if kind == Kind::Train {
        (found.loss_first, found.loss_last) = (object["loss0"].as_f64(), object["loss1"].as_f64());
    } else if object.is_null() {
        found.problem = Some("no result".into());
    }
    found
}

/// What a program prints; its own complaints go to the terminal.
fn output(command: &mut Command, threads: usize) -> Result<String> {
    let mut limited = Command::new("timeout");
    limited.arg(TIMEOUT_SECONDS).arg(command.get_program()).args(command.get_args());
    let mut pinned = pinned(threads, limited);
    let output = pinned.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        println!("{command:?}: {}\n{}", output.status, said.lines().last().unwrap_or(""));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command on `threads` processors and with as many threads. One thread runs on the last of the first two: the
/// first one often serves the interrupts.
pub(super) fn pinned(threads: usize, command: Command) -> Command {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let list = match threads {
        1 => (processors.min(2) - 1).to_string(),
        _ => format!("0-{}", threads.min(processors) - 1),
    };
    let mut pinned = match which("taskset") {
        true => Command::new("taskset"),
        false => Command::new("env"),
    };
    if which("taskset") {
        pinned.args(["-c", &list]);
    }
    pinned.arg(command.get_program()).args(command.get_args());
    const VARIABLES: [&str; 5] = [
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "MATMUL_NUM_THREADS",
    ];
    pinned.envs(VARIABLES.map(|name| (name, threads.to_string())));
    pinned
}

/// Whether a program is in the path.
fn which(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}
