//! What happens in a training as JSON objects, one per line: `"schema":"wxb.event/1"`.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use wxb::metrics::Metric;
use wxb::trainer::{EpochRecord, Stop};
use wxb_train::record::Numbers;

/// Numbers the events of a run and writes them, each on a line of its own.
#[derive(Debug, Default)]
pub struct EventLog {
    seq: u64,
}

#[derive(Serialize)]
struct Envelope<'a, B> {
    schema: &'static str,
    seq: u64,
    t: f64,
    r#type: &'a str,
    #[serde(flatten)]
    body: B,
}

impl EventLog {
    /// The next event as a line of text.
    pub fn line(&mut self, kind: &str, body: impl Serialize) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Milliseconds are what a reader can use, and what a double holds for a few thousand years.
        let t = (since.as_secs_f64() * 1e3).round() / 1e3;
        let seq = self.seq;
        self.seq += 1;
        let envelope = Envelope { schema: "wxb.event/1", seq, t, r#type: kind, body };
        serde_json::to_string(&envelope)
            .unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()))
    }

    /// Writes the next event. A reader that has gone away is no reason to stop a training.
    pub fn write(&mut self, out: &mut impl Write, kind: &str, body: impl Serialize) {
        let line = self.line(kind, body);
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

/// The body of `run_start`.
#[derive(Serialize)]
pub struct RunStart {
    pub epochs: u64,
    pub done: u64,
    pub steps_per_epoch: u64,
    pub train_rows: usize,
    pub valid_rows: usize,
}

/// The body of `epoch`.
#[derive(Serialize)]
pub struct Epoch {
    pub epoch: u64,
    pub step: u64,
    pub train: Numbers,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<Numbers>,
    pub lr: f64,
    pub rows_per_s: Option<u64>,
    pub best: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub diverged: bool,
}

impl Epoch {
    /// From the trainer's record.
    pub fn new(record: &EpochRecord, metric: Option<Metric>, rows_per_s: f64) -> Self {
        let train = Numbers::of_epoch(record.train_loss, None);
        let valid = record.valid_loss.map(|loss| Numbers::of_epoch(loss, metric.zip(record.valid_metric)));
        let diverged = train.has_non_finite() || valid.as_ref().is_some_and(Numbers::has_non_finite);
        Self {
            epoch: record.epoch,
            step: record.step,
            train,
            valid,
            lr: record.lr,
            rows_per_s: rows_per_s.is_finite().then_some(rows_per_s.round() as u64),
            best: record.best,
            diverged,
        }
    }
}

/// The body of `warning`.
#[derive(Serialize)]
pub struct Warning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    pub message: &'a str,
}

/// The body of `run_end`.
#[derive(Serialize)]
pub struct RunEnd<'a> {
    pub stop: &'a Stop,
    pub epochs: u64,
    pub steps: u64,
    pub best_epoch: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub diverged: bool,
    pub seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_look_as_documented() {
        let record = EpochRecord {
            epoch: 2,
            step: 46,
            train_loss: 0.4419,
            valid_loss: Some(0.4308),
            valid_metric: Some(0.8377),
            lr: 0.0034,
            best: true,
        };
        let mut log = EventLog { seq: 17 };
        let line = log.line("epoch", Epoch::new(&record, Some(Metric::Auc), 41_020.3));
        let (head, rest) = line.split_once(",\"t\":").unwrap();
        let (_, tail) = rest.split_once(',').unwrap();
        assert_eq!(head, r#"{"schema":"wxb.event/1","seq":17"#);
        let expected = r#""type":"epoch","epoch":2,"step":46,"train":{"loss":0.4419},"valid":{"loss":0.4308,"auc":0.8377},"lr":0.0034,"rows_per_s":41020,"best":true}"#;
        assert_eq!(tail, expected);
    }

    #[test]
    fn what_is_not_finite_is_null_with_a_flag() {
        let record = EpochRecord {
            epoch: 1,
            step: 1,
            train_loss: f64::INFINITY,
            valid_loss: None,
            valid_metric: None,
            lr: 30.0,
            best: false,
        };
        let line = EventLog::default().line("epoch", Epoch::new(&record, None, f64::NAN));
        assert!(line.contains(r#""train":{"loss":null}"#) && line.contains(r#""diverged":true"#), "{line}");
    }
}
