//! The tables of docs/performance.md, between its markers, from the latest records.

use super::record::{Measurement, Record};
use super::{PREDICTED, WXB};
use crate::results::grouped;
use crate::stages::root;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const PAGE: &str = "docs/performance.md";
const MARKERS: [&str; 2] = ["<!-- cargo xtask bench writes from here -->", "<!-- to here -->"];

/// Writes the tables.
pub(super) fn write(record: &Record) -> Result<()> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).context(PAGE)?;
    let (before, rest) =
        page.split_once(MARKERS[0]).with_context(|| format!("{PAGE} has no {}", MARKERS[0]))?;
    let (_, after) = rest.split_once(MARKERS[1]).with_context(|| format!("{PAGE} has no {}", MARKERS[1]))?;
    let [first, last] = MARKERS;
    fs::write(&path, format!("{before}{first}\n\n{}\n{last}{after}", tables(record)))?;
    println!("\n{PAGE}: {} measurements", record.measurements.len());
    Ok(())
}

fn tables(record: &Record) -> String {
    let mut text = head(record);
    let threads: BTreeSet<usize> = record.measurements.iter().map(|m| m.threads).collect();
    for (kind, title, unit) in [
        ("train", "One training step", "µs"),
        ("predict", "One prediction for one row", "µs"),
        ("job", "A whole training: W4, 5 epochs of 60,000 images", "s"),
    ] {
        for &threads in &threads {
            let all = counted(&record.measurements, kind, threads);
            if !all.is_empty() {
                let plural = if threads == 1 { "" } else { "s" };
                text += &format!("\n### {title}, {threads} thread{plural}, {unit}\n\n");
                text += &if kind == "job" { job_table(&all) } else { table(&all, kind) };
            }
        }
    }
    text
}

fn head(record: &Record) -> String {
    let days: BTreeSet<&str> = record.versions.keys().filter_map(|run| run.split(' ').next()).collect();
    let days = days.into_iter().collect::<Vec<_>>().join(" and ");
    let mut text = format!("Measured on {days} (UTC) on {}, {}.\n", record.machine, record.system);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in record.versions.values().flatten() {
        versions.entry(name).or_default().insert(version);
    }
    let versions = versions.iter().map(|(name, found)| {
        let found: Vec<&str> = found.iter().copied().collect();
        format!("{name} {}", found.join(" and "))
    });
    text += &format!("Versions: {}.\n", versions.collect::<Vec<_>>().join(", "));
    text + "All rounds: [bench/record](../bench/record).\n"
}

/// What counts of a kind of work.
fn counted<'a>(all: &'a [Measurement], kind: &str, threads: usize) -> Vec<&'a Measurement> {
    let fits = |m: &&Measurement| m.kind == kind && m.threads == threads && m.problem.is_none();
    all.iter().filter(fits).filter(|m| m.seconds.is_some()).collect()
}

/// The rounds of the latest run of the task that has the program on the workload.
fn latest<'a>(all: &[&'a Measurement], peer: &str, workload: &str) -> Vec<&'a Measurement> {
    let of = || all.iter().copied().filter(|m| m.peer == peer && m.workload == workload);
    let run = of().map(|m| &m.run).max();
    of().filter(|m| Some(&m.run) == run).collect()
}

/// A row per program, a column per workload.
fn table(all: &[&Measurement], kind: &str) -> String {
    let names: &[&str] = if kind == "predict" { &PREDICTED } else { &["W1", "W2", "W3", "W4", "W5", "W6"] };
    let workloads: Vec<&str> =
        names.iter().copied().filter(|name| all.iter().any(|m| m.workload == *name)).collect();
    let mut text = format!("| | {} |\n| --- |{}\n", workloads.join(" | "), " ---: |".repeat(workloads.len()));
    for peer in peers(all) {
        let cells = workloads.iter().map(|workload| cell(&latest(all, peer, workload)));
        text += &format!("| {peer} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    let ratios = workloads.iter().map(|workload| ratio(all, workload));
    text += &format!("| **wxb / fastest peer** | {} |\n", ratios.collect::<Vec<_>>().join(" | "));
    let shares = workloads.iter().map(|workload| share(&latest(all, WXB, workload)));
    text += &format!("| wxb, share of the FMA loop | {} |\n", shares.collect::<Vec<_>>().join(" | "));
    text
}

fn job_table(all: &[&Measurement]) -> String {
    let mut text = "| | wall time | time of all processors | peak memory, MB | last loss |\n\
        | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for peer in peers(all) {
        let rounds = latest(all, peer, "W4");
        let middle = |get: fn(&Measurement) -> Option<f64>| median(rounds.iter().filter_map(|m| get(m)));
        let shown = |value: Option<f64>, places: usize| value.map_or("-".into(), |v| format!("{v:.places$}"));
        text += &format!(
            "| {peer} | {} | {} | {} | {} |\n",
            spread(&rounds, |seconds| format!("{seconds:.1}")),
            shown(middle(|m| m.cpu_seconds), 1),
            shown(middle(|m| m.peak_mb), 0),
            shown(middle(|m| m.loss_last), 4),
        );
    }
    text + &format!("| **wxb / fastest peer** | {} | | | |\n", ratio(all, "W4"))
}

/// In the order of their first measurement: wxb, then as they are run.
fn peers<'a>(all: &[&'a Measurement]) -> Vec<&'a str> {
    let mut peers: Vec<&str> = vec![];
    for measurement in all {
        if !peers.contains(&measurement.peer.as_str()) {
            peers.push(&measurement.peer);
        }
    }
    peers.sort_by_key(|peer| *peer != WXB);
    peers
}

fn cell(rounds: &[&Measurement]) -> String {
    spread(rounds, |seconds| match 1e6 * seconds {
        us if us < 10.0 => format!("{us:.2}"),
        us if us < 1000.0 => format!("{us:.1}"),
        us => grouped(us.round() as u64),
    })
}

/// `64.1 (62.9–65.0)`: the median of the rounds, the least and the largest.
fn spread(rounds: &[&Measurement], shown: impl Fn(f64) -> String) -> String {
    let seconds = || rounds.iter().filter_map(|m| m.seconds);
    let Some(middle) = median(seconds()) else { return "-".into() };
    let (least, most) = (seconds().fold(f64::INFINITY, f64::min), seconds().fold(0.0, f64::max));
    match rounds.len() {
        1 => shown(middle),
        _ => format!("{} ({}–{})", shown(middle), shown(least), shown(most)),
    }
}

/// wxb's median by that of the peer with the least cell, and whose it is; both of that peer's run, because between runs the machine is
/// another one.
fn ratio(all: &[&Measurement], workload: &str) -> String {
    let middle = |rounds: &[&Measurement]| median(rounds.iter().filter_map(|m| m.seconds));
    let cells = peers(all).into_iter().filter(|peer| *peer != WXB).filter_map(|peer| {
        let rounds = latest(all, peer, workload);
        Some((middle(&rounds)?, peer, &rounds.first()?.run))
    });
    let is_ours = |m: &&Measurement, run: &str| m.peer == WXB && m.workload == workload && m.run == run;
    let of_peer = cells.filter_map(|(seconds, peer, run)| {
        let ours: Vec<_> = all.iter().copied().filter(|m| is_ours(m, run)).collect();
        Some((seconds, middle(&ours)? / seconds, peer))
    });
    match of_peer.min_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, ratio, peer)) => format!("**{ratio:.2}** {peer}"),
        None => "-".into(),
    }
}

/// FLOP a second by those of the loop, in the median round.
fn share(rounds: &[&Measurement]) -> String {
    let shares = rounds.iter().filter_map(|m| Some(m.flop? / m.seconds? / (1e9 * m.fma_gflops?)));
    median(shares).map_or("-".into(), |share| format!("{:.0} %", 100.0 * share))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 {
        return None;
    }
    Some((values[(n - 1) / 2] + values[n / 2]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::peers::Kind;
    use super::*;

    #[test]
    fn a_table_by_hand() {
        let rounds =
            [(WXB, 4e-6), ("jax-scan", 8e-6), (WXB, 2e-6), ("burn", 3e-5), ("jax-scan", 4e-6), (WXB, 3e-6)];
        let mut found: Vec<Measurement> =
            rounds.map(|(peer, seconds)| Measurement::new(peer, Kind::Train, "W1", 1, seconds)).into();
        found.iter_mut().for_each(|m| (m.flop, m.fma_gflops) = (Some(3e4), Some(40.0)));
        let table = table(&counted(&found, "train", 1), "train");
        let expected = "\
| | W1 |
| --- | ---: |
| wxb | 3.00 (2.00–4.00) |
| jax-scan | 6.00 (4.00–8.00) |
| burn | 30.0 |
| **wxb / fastest peer** | **0.50** jax-scan |
| wxb, share of the FMA loop | 25 % |
";
        assert_eq!(table, expected);
    }

    /// In the run at 9 wxb takes 3 s and jax-scan 4, at 10 wxb takes 2 s beside burn's 5: jax-scan is not compared with 2. Nor does numpy, which
    /// took 8 s in a bad minute that wxb had, too, become the fastest.
    #[test]
    fn a_ratio_is_of_one_run() {
        let rows = [
            ("08", WXB, 7.0),
            ("08", "numpy", 8.0),
            ("09", WXB, 3.0),
            ("09", "jax-scan", 4.0),
            ("10", WXB, 2.0),
            ("10", "burn", 5.0),
        ];
        let found = rows.map(|(run, peer, seconds)| {
            let mut measurement = Measurement::new(peer, Kind::Train, "W1", 1, seconds);
            measurement.run = run.into();
            measurement
        });
        let all = counted(&found, "train", 1);
        assert_eq!(ratio(&all, "W1"), "**0.75** jax-scan");
        assert_eq!(latest(&all, WXB, "W1").iter().map(|m| m.seconds).collect::<Vec<_>>(), [Some(2.0)]);
    }
}
