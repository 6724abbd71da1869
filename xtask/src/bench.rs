//! `cargo xtask bench`: training steps, predictions and a whole training, by wxb and by its peers in turn.

mod job;
mod page;
mod peers;
mod record;
pub(crate) mod sweep;

use crate::stages::{cargo, run, wxb};
use anyhow::{Context, Result, bail, ensure};
use peers::{Kind, Peers, STEPS_TOO_LONG};
use record::{Measurement, Record};
use serde_json::Value;
use std::process::Command;

/// The name of our own rows.
const WXB: &str = "wxb";
const WORKLOADS: [&str; 6] = ["W1", "W2", "W3", "W4", "W6", "W5"];
const PREDICTED: [&str; 3] = ["W2", "W3", "W4"];
/// W5's steps take seconds: it is measured in so many rounds.
const ROUNDS_OF_W5: usize = 2;
/// The first loss of a peer, divided by wxb's, lies between 1/this and this: weights and data are other random draws.
const FIRST_LOSS: f64 = 1.5;

struct Options {
    rounds: usize,
    seconds: f64,
    workloads: Vec<String>,
    /// None: all that are there.
    peers: Option<Vec<String>>,
    threads: Vec<usize>,
    only: Vec<Kind>,
}

impl Options {
    fn parse(arguments: &[&str]) -> Result<Self> {
        let mut options = Self {
            rounds: 3,
            seconds: 0.6,
            workloads: WORKLOADS.map(str::to_owned).to_vec(),
            peers: None,
            threads: vec![1, 2],
            only: Kind::ALL.to_vec(),
        };
        let mut arguments = arguments.iter();
        while let Some(&flag) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
            let list = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
            match flag {
                "--rounds" => options.rounds = value.parse().context("--rounds")?,
                "--seconds" => options.seconds = value.parse().context("--seconds")?,
                "--workloads" => options.workloads = list(),
                "--peers" => options.peers = Some(list()),
                "--threads" => {
                    options.threads =
                        list().iter().map(|n| n.parse()).collect::<Result<_, _>>().context("--threads")?;
                }
                "--only" => {
                    options.only = list().iter().map(|name| Kind::parse(name)).collect::<Result<_>>()?
                }
                _ => bail!("no flag {flag}; `cargo xtask help` lists them"),
            }
        }
        let known = |name: &&String| !WORKLOADS.contains(&name.as_str());
        if let Some(unknown) = options.workloads.iter().find(known) {
            bail!("no workload {unknown}; there are {}", WORKLOADS.join(", "));
        }
        if let Some(unknown) = options.peers.iter().flatten().find(|name| !peers::is_known(name)) {
            bail!("no peer {unknown}; there are {}", peers::names().join(", "));
        }
        ensure!(options.threads.iter().all(|&threads| threads > 0), "--threads from 1 on");
        Ok(options)
    }

    fn workloads(&self, kind: Kind, peer: &str, round: usize) -> Vec<&'static str> {
        let all: &[&'static str] = if kind == Kind::Predict { &PREDICTED } else { &WORKLOADS };
        let wanted = |name: &&'static str| {
            let too_long = *name == "W5" && (round >= ROUNDS_OF_W5 || STEPS_TOO_LONG.contains(&peer));
            self.workloads.iter().any(|asked| asked == name) && !too_long
        };
        all.iter().copied().filter(wanted).collect()
    }
}

/// Runs the rounds; what was measured is kept after each part of a round.
pub(crate) fn run_task(arguments: &[&str]) -> Result<()> {
    let options = Options::parse(arguments)?;
    run(&mut cargo("build --release --package wxb-cli"))?;
    let peers = peers::set_up()?;
    if !peers.are_there() {
        println!("the peers' programs are not there: wxb alone is measured");
    }
    let mut record = Record::open(&peers)?;
    let mut problems = vec![];
    for round in 0..options.rounds {
        for &kind in &options.only {
            let threads = if kind == Kind::Job { &[2][..] } else { &options.threads };
            for &threads in threads {
                let mut found = part(&options, &peers, kind, threads, round)?;
                if kind == Kind::Train {
                    check_losses(&mut found);
                }
                problems.extend(found.iter().filter_map(Measurement::complaint));
                found.iter().for_each(|measurement| println!("{}", measurement.line()));
                record.add(found)?;
            }
        }
    }
    page::write(&record.with_earlier_days()?)?;
    ensure!(problems.is_empty(), "left out of the page:\n{}", problems.join("\n"));
    Ok(())
}

/// One kind of work at one number of threads, by wxb and then by each peer.
fn part(
    options: &Options,
    peers: &Peers,
    kind: Kind,
    threads: usize,
    round: usize,
) -> Result<Vec<Measurement>> {
    println!("\n=== round {} of {}: {}, {threads} threads", round + 1, options.rounds, kind.name());
    let wanted =
        |peer: &&str| options.peers.as_ref().is_none_or(|asked| asked.iter().any(|name| name == peer));
    let mut found = vec![];
    for peer in std::iter::once(WXB).chain(peers.of(kind).filter(wanted)) {
        let workloads = options.workloads(kind, peer, round);
        if kind == Kind::Job {
            found.push(job::measure(peers, peer)?);
        } else if workloads.is_empty() {
            continue;
        } else if peer == WXB {
            found.extend(ours(kind, &workloads, threads, options.seconds)?);
        } else {
            found.extend(peers.measure(peer, kind, &workloads, threads, options.seconds)?);
        }
    }
    found.iter_mut().for_each(|measurement| measurement.round = round);
    Ok(found)
}

fn ours(kind: Kind, workloads: &[&str], threads: usize, seconds: f64) -> Result<Vec<Measurement>> {
    let mut command = peers::pinned(threads, Command::new(wxb()));
    command.args(["bench", "--json", "--quiet", "--workload", &workloads.join(",")]);
    command.args(["--threads", &threads.to_string(), "--seconds", &kind.seconds(seconds).to_string()]);
    if kind == Kind::Predict {
        command.arg("--predict");
    }
    let output = command.output().context("cannot start the release build of wxb")?;
    ensure!(output.status.success(), "wxb bench: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout)?;
    let one = |line: &str| {
        let object: Value = serde_json::from_str(line)?;
        Ok(Measurement::ours(kind, threads, &object))
    };
    printed.lines().map(one).collect()
}

/// All of them do the same work: first losses agree as far as random draws can, and every loss falls.
fn check_losses(found: &mut [Measurement]) {
    let firsts: Vec<(String, f64)> = found
        .iter()
        .filter(|measurement| measurement.peer == WXB)
        .filter_map(|measurement| Some((measurement.workload.clone(), measurement.loss_first?)))
        .collect();
    for measurement in found {
        let ours =
            firsts.iter().find(|(workload, _)| *workload == measurement.workload).map(|(_, loss)| *loss);
        measurement.problem = match (measurement.loss_first, measurement.loss_last, ours) {
            // scikit-learn tells the mean of its first epoch, with initial weights of its own.
            (Some(first), _, Some(ours))
                if measurement.peer != "sklearn"
                    && !(ours / FIRST_LOSS..ours * FIRST_LOSS).contains(&first) =>
            {
                Some(format!("the first loss is {first}, wxb's {ours}"))
            }
            (Some(first), Some(last), _) if last < first => None,
            (first, last, _) => Some(format!("the loss went from {first:?} to {last:?}")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(peer: &str, losses: [f64; 2]) -> Measurement {
        let mut measurement = Measurement::new(peer, Kind::Train, "W1", 1, 1e-6);
        [measurement.loss_first, measurement.loss_last] = losses.map(Some);
        measurement
    }

    #[test]
    fn losses_that_disagree() {
        let mut found = [
            measured(WXB, [0.7, 0.1]),
            measured("near", [0.8, 0.1]),
            measured("far", [2.3, 0.1]),
            measured("rising", [0.7, 0.9]),
            measured("sklearn", [0.2, 0.1]),
        ];
        check_losses(&mut found);
        assert_eq!(found.map(|m| m.problem.is_some()), [false, false, true, true, false]);
    }

    #[test]
    fn arguments() {
        let options = Options::parse(&["--workloads", "W3,W5", "--threads", "2", "--only", "train"])
            .expect("all known");
        assert_eq!((options.rounds, options.threads.as_slice()), (3, &[2][..]));
        assert_eq!(options.workloads(Kind::Train, "burn", 0), ["W3", "W5"]);
        assert_eq!(options.workloads(Kind::Train, "burn", 2), ["W3"]);
        assert_eq!(options.workloads(Kind::Predict, "burn", 0), ["W3"]);
        for wrong in [&["--rounds"][..], &["--round", "3"], &["--workloads", "W7"], &["--peers", "nobody"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
