//! bench/record/DATE.json: the machine, the versions, and every measurement of the day.

use super::WXB;
use super::peers::{Kind, Peers};
use crate::results::{first_line, machine};
use crate::stages::root;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// One program, one workload, one round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measurement {
    /// When the run of the task began; rounds of one run were interleaved.
    pub(super) run: String,
    pub(super) round: usize,
    pub(super) peer: String,
    pub(super) kind: String,
    pub(super) workload: String,
    pub(super) threads: usize,
    /// Of a step or a prediction, the median; of a whole job, all of it. None where there is no result.
    pub(super) seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p10: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loss_first: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loss_last: Option<f64>,
    /// FLOP of a step or a prediction, as wxb counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flop: Option<f64>,
    /// What the FMA loop reached just before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fma_gflops: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gemm_gflops: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allocations_per_step: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_mb: Option<f64>,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

impl Measurement {
    pub(super) fn new(peer: &str, kind: Kind, workload: &str, threads: usize, seconds: f64) -> Self {
        Self {
            run: String::new(),
            round: 0,
            peer: peer.into(),
            kind: kind.name().into(),
            workload: workload.into(),
            threads,
            seconds: Some(seconds).filter(|seconds| seconds.is_finite()),
            p10: None,
            loss_first: None,
            loss_last: None,
            flop: None,
            fma_gflops: None,
            gemm_gflops: None,
            allocations_per_step: None,
            cpu_seconds: None,
            peak_mb: None,
            problem: None,
        }
    }

    /// From an object of `wxb bench --json`.
    pub(super) fn ours(kind: Kind, threads: usize, object: &Value) -> Self {
        let what = if kind == Kind::Predict { "seconds_per_prediction" } else { "seconds_per_step" };
        let number = |key: &str| object[key].as_f64();
        let seconds = number(what).unwrap_or(f64::NAN);
        let mut found = Self::new(WXB, kind, object["workload"].as_str().unwrap_or("?"), threads, seconds);
        found.p10 = number(&format!("{what}_p10"));
        (found.loss_first, found.loss_last) = (number("loss_first"), number("loss_last"));
        found.flop = number("gflops").map(|gflops| (1e9 * gflops * seconds).round());
        (found.fma_gflops, found.gemm_gflops) = (number("fma_gflops"), number("gemm_gflops"));
        found.allocations_per_step = number("allocations_per_step");
        found
    }

    /// As the terminal shows it.
    pub(super) fn line(&self) -> String {
        let seconds = self.seconds.map_or("-".into(), |seconds| format!("{:.4e} s", seconds));
        let problem = self.problem.as_deref().unwrap_or("");
        format!("{:<4} {:<14} {seconds}  {problem}", self.workload, self.peer)
    }

    /// Which one is wrong, and how.
    pub(super) fn complaint(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(format!("{} of {}, {} threads: {problem}", self.workload, self.peer, self.threads))
    }
}

/// The file of a day.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) date: String,
    pub(super) machine: String,
    pub(super) system: String,
    /// By run of the task: what was at work in it.
    pub(super) versions: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) measurements: Vec<Measurement>,
    #[serde(skip)]
    run: String,
}

impl Record {
    /// The record of today with what it holds already, for another run.
    pub(super) fn open(peers: &Peers) -> Result<Self> {
        let (date, run) =
            (first_line("date", &["-u", "+%Y-%m-%d"]), first_line("date", &["-u", "+%H:%M:%S"]));
        let path = path(&date);
        let mut record = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string())?,
            Err(_) => Self {
                date,
                machine: String::new(),
                system: String::new(),
                versions: BTreeMap::new(),
                measurements: vec![],
                run: String::new(),
            },
        };
        record.machine = machine();
        record.system = first_line("uname", &["-srm"]);
        record.versions.insert(run.clone(), versions(peers));
        record.run = run;
        Ok(record)
    }

    /// Adds and writes.
    pub(super) fn add(&mut self, mut found: Vec<Measurement>) -> Result<()> {
        found.iter_mut().for_each(|measurement| measurement.run.clone_from(&self.run));
        self.measurements.extend(found);
        let path = path(&self.date);
        fs::create_dir_all(path.parent().unwrap_or(root()))?;
        // A line for each measurement: the file can be read, and its changes too.
        let lines: Vec<String> =
            self.measurements.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let head = serde_json::to_string_pretty(&self.head())?;
        let text =
            head.replace("\"measurements\": []", &format!("\"measurements\": [\n{}\n]", lines.join(",\n")));
        fs::write(&path, text + "\n").with_context(|| path.display().to_string())
    }

    /// What the tables are of: the runs, of this day and of earlier ones on this machine, that are the latest of some program on some
    /// workload. A run is named by its day and time.
    pub(super) fn with_earlier_days(&self) -> Result<Self> {
        let mut all = Self { measurements: vec![], versions: BTreeMap::new(), ..self.head() };
        for file in fs::read_dir(folder())? {
            let path = file?.path();
            let day: Self = serde_json::from_str(&fs::read_to_string(&path)?)
                .with_context(|| path.display().to_string())?;
            if day.machine == self.machine {
                all.take(day);
            }
        }
        all.keep_latest();
        Ok(all)
    }

    fn take(&mut self, day: Self) {
        let named = |run: &str| format!("{} {run}", day.date);
        self.versions.extend(day.versions.into_iter().map(|(run, versions)| (named(&run), versions)));
        self.measurements.extend(day.measurements.into_iter().map(|mut measurement| {
            measurement.run = named(&measurement.run);
            measurement
        }));
    }

    fn keep_latest(&mut self) {
        let mut latest = BTreeMap::<_, String>::new();
        for m in self.measurements.iter().filter(|m| m.problem.is_none() && m.seconds.is_some()) {
            let run = latest.entry((&m.kind, m.threads, &m.peer, &m.workload)).or_default();
            *run = m.run.clone().max(std::mem::take(run));
        }
        let kept: BTreeSet<String> = latest.into_values().collect();
        self.measurements.retain(|m| kept.contains(&m.run));
        self.versions.retain(|run, _| kept.contains(run));
    }

    fn head(&self) -> Self {
        Self {
            date: self.date.clone(),
            machine: self.machine.clone(),
            system: self.system.clone(),
            versions: self.versions.clone(),
            measurements: vec![],
            run: String::new(),
        }
    }
}

fn folder() -> PathBuf {
    root().join("bench/record")
}

fn path(date: &str) -> PathBuf {
    folder().join(date).with_extension("json")
}

/// wxb's commit, the compiler, and the packages of the peers.
fn versions(peers: &Peers) -> BTreeMap<String, String> {
    let mut versions = BTreeMap::new();
    let changed = first_line("git", &["status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock"]);
    let mark = if changed.is_empty() { "" } else { " with changes" };
    versions.insert(WXB.into(), first_line("git", &["rev-parse", "--short", "HEAD"]) + mark);
    versions.insert("rustc".into(), first_line("rustc", &["--version"]).replace("rustc ", ""));
    const PACKAGES: &str = "\
import importlib.metadata as m, platform
print('python', platform.python_version())
for n in ('numpy', 'scikit-learn', 'torch', 'jax', 'onnxruntime'): print(n, m.version(n))";
    let python = Command::new(peers.folder.join("venv/bin/python")).args(["-c", PACKAGES]).output();
    let printed =
        python.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let pairs = printed.lines().filter_map(|line| line.split_once(' '));
    versions.extend(pairs.map(|(name, version)| (name.to_owned(), version.to_owned())));
    for (folder, package) in [("candle-peer", "candle-core"), ("burn-peer", "burn")] {
        let lock = peers.folder.join("src").join(folder).join("Cargo.lock");
        let lock = fs::read_to_string(lock).unwrap_or_default();
        let version = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
        if let Some(version) = version.and_then(|(_, rest)| rest.split('"').next()) {
            versions.insert(package.into(), version.into());
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy was at work on the first day alone: that run stays whole, with wxb's time that its own is compared to. The run between is
    /// of no use.
    #[test]
    fn the_latest_run_of_each_program_is_kept() {
        let day = |date: &str, runs: &[(&str, &str)]| Record {
            date: date.into(),
            machine: String::new(),
            system: String::new(),
            versions: runs.iter().map(|(run, _)| ((*run).to_owned(), BTreeMap::new())).collect(),
            measurements: runs
                .iter()
                .map(|(run, peer)| Measurement {
                    run: (*run).to_owned(),
                    ..Measurement::new(peer, Kind::Train, "W1", 1, 1.0)
                })
                .collect(),
            run: String::new(),
        };
        let mut all = day("", &[]);
        all.take(day("2026-01-02", &[("01:00", WXB)]));
        all.take(day("2026-01-01", &[("20:00", WXB), ("20:00", "numpy"), ("21:00", WXB)]));
        all.keep_latest();
        let kept: Vec<&str> = all.versions.keys().map(String::as_str).collect();
        assert_eq!(kept, ["2026-01-01 20:00", "2026-01-02 01:00"]);
        assert_eq!(all.measurements.len(), 3);
    }
}
