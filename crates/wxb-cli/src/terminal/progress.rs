//! Readers of the trainer's events: a live line, plain lines, or JSON Lines.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wxb::Real;
use wxb::metrics::Metric;
use wxb::trainer::{EpochRecord, Event};

use super::event::{Epoch, RunEnd, RunStart};
use super::{Terminal, number};
use crate::args::choice::ProgressKind;

/// A best epoch between the spaced ones gets a line at most this often.
const BETWEEN_BESTS: Duration = Duration::from_secs(10);
/// The live line is rewritten at most this often.
const BETWEEN_DRAWS: Duration = Duration::from_millis(100);

/// Shows a training as it runs.
pub struct Watcher<'t> {
    terminal: &'t Terminal,
    kind: ProgressKind,
    /// The metric in the table's last column.
    metric: Option<Metric>,
    started: Instant,
    epoch_started: Instant,
    last_best_line: Option<Instant>,
    last_draw: Instant,
    bar: Option<ProgressBar>,
    shape: Shape,
    /// The best epoch so far and the time at its end.
    best: Option<(EpochRecord, Duration)>,
    /// The last epoch that has a line.
    shown: u64,
}

/// The size of the run.
#[derive(Clone, Copy, Default)]
struct Shape {
    epochs: u64,
    done: u64,
    steps_per_epoch: u64,
    train_rows: usize,
    has_valid: bool,
}

impl<'t> Watcher<'t> {
    /// A reader of the kind that the terminal asks for.
    pub fn new(terminal: &'t Terminal, metric: Option<Metric>) -> Self {
        let now = Instant::now();
        Self {
            terminal,
            kind: terminal.progress(),
            metric,
            started: now,
            epoch_started: now,
            last_best_line: None,
            last_draw: now,
            bar: None,
            shape: Shape::default(),
            best: None,
            shown: 0,
        }
    }

    /// Takes note of an event.
    pub fn see<T: Real>(&mut self, event: &Event<'_, T>) {
        match event {
            Event::RunStart { epochs, done, steps_per_epoch, rows } => {
                self.start(Shape {
                    epochs: *epochs,
                    done: *done,
                    steps_per_epoch: *steps_per_epoch,
                    train_rows: rows.0,
                    has_valid: rows.1 > 0,
                });
                let (train_rows, valid_rows) = *rows;
                let body = RunStart {
                    epochs: *epochs,
                    done: *done,
                    steps_per_epoch: *steps_per_epoch,
                    train_rows,
                    valid_rows,
                };
                self.emit("run_start", body);
            }
            Event::Step { epoch, of, .. } => self.step(*epoch, *of),
            Event::Epoch { record, .. } => self.epoch(record),
            Event::RunEnd { stop, run } => {
                self.end(run.history.last());
                let body = RunEnd {
                    stop,
                    epochs: run.epoch,
                    steps: run.step,
                    best_epoch: run.best.epoch,
                    diverged: matches!(stop, wxb::trainer::Stop::Diverged(_)),
                    seconds: (self.started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
                };
                self.emit("run_end", body);
            }
        }
    }

    /// Writes an event to whoever reads JSON.
    pub fn emit(&self, kind: &str, body: impl serde::Serialize) {
        self.terminal.emit(kind, body);
    }

    fn start(&mut self, shape: Shape) {
        self.shape = shape;
        (self.started, self.epoch_started) = (Instant::now(), Instant::now());
        if matches!(self.kind, ProgressKind::Live | ProgressKind::Plain) {
            self.line("");
            self.line(&self.heading());
        }
        if self.kind == ProgressKind::Live {
            let bar = ProgressBar::with_draw_target(
                Some(shape.epochs * shape.steps_per_epoch),
                ProgressDrawTarget::stderr(),
            );
            // The template is a constant; if it could not be read, indicatif's own look would do.
            if let Ok(style) = ProgressStyle::with_template("  [{bar:20}] {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            self.bar = Some(bar);
        }
    }

    fn step(&mut self, epoch: u64, of: (u64, u64)) {
        let Some(bar) = &self.bar else { return };
        if self.last_draw.elapsed() < BETWEEN_DRAWS {
            return;
        }
        self.last_draw = Instant::now();
        let steps = (epoch - 1) * self.shape.steps_per_epoch + of.0;
        bar.set_message(self.message(epoch, steps));
        bar.set_position(steps);
    }

    /// `51/200   best 31   eta 14s   41k rows/s`
    fn message(&self, epoch: u64, steps: u64) -> String {
        let Shape { epochs, done, steps_per_epoch, train_rows, .. } = self.shape;
        let done_steps = steps.saturating_sub(done * steps_per_epoch).max(1) as f64;
        let seconds = self.started.elapsed().as_secs_f64();
        let left = (epochs * steps_per_epoch - steps) as f64 * seconds / done_steps;
        let rows = done_steps / steps_per_epoch as f64 * train_rows as f64 / seconds;
        let best = self.best.map_or(String::new(), |(best, _)| format!("   best {}", best.epoch));
        let eta = number::duration(Duration::from_secs_f64(left.clamp(0.0, 1e9)));
        format!("{epoch}/{epochs}{best}   eta at most {eta}   {} rows/s", number::rate(rows))
    }

    fn epoch(&mut self, record: &EpochRecord) {
        let seconds = self.epoch_started.elapsed().as_secs_f64();
        self.epoch_started = Instant::now();
        self.emit("epoch", Epoch::new(record, self.metric, self.shape.train_rows as f64 / seconds));
        if record.best {
            self.best = Some((*record, self.started.elapsed()));
        }
        if matches!(self.kind, ProgressKind::Live | ProgressKind::Plain) && self.is_due(record) {
            self.show(record);
        }
    }

    /// Epochs 1, 2, 4, 8, …; a best one now and then; with -v every one.
    fn is_due(&mut self, record: &EpochRecord) -> bool {
        if record.epoch.is_power_of_two() || self.terminal.verbosity() > 0 {
            return true;
        }
        let waited = self.last_best_line.map_or(self.started.elapsed(), |at| at.elapsed());
        let is_due = record.best && waited >= BETWEEN_BESTS;
        if is_due {
            self.last_best_line = Some(Instant::now());
        }
        is_due
    }

    /// The last epoch always has a line.
    fn end(&mut self, last: Option<&EpochRecord>) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !matches!(self.kind, ProgressKind::Live | ProgressKind::Plain) {
            return;
        }
        let shown = self.shown;
        last.into_iter().filter(|last| last.epoch > shown).for_each(|last| self.show(last));
        self.line("");
    }

    /// The best epoch since the last line comes first, so that the best one always has a line.
    fn show(&mut self, record: &EpochRecord) {
        let best = self.best.filter(|(best, _)| best.epoch > self.shown && best.epoch < record.epoch);
        best.into_iter().for_each(|(best, time)| self.line(&self.row(&best, time)));
        self.shown = record.epoch;
        self.line(&self.row(record, self.started.elapsed()));
    }

    fn heading(&self) -> String {
        let mut text = format!("{:>6} {:>12}", "epoch", "train loss");
        if self.shape.has_valid {
            text += &format!(" {:>12}", "valid loss");
            if let Some(metric) = self.metric {
                text += &format!(" {:>14}", format!("valid {}", super::metric_label(metric)));
            }
        }
        text + &format!(" {:>9} {:>8}", "lr", "time")
    }

    fn row(&self, record: &EpochRecord, time: Duration) -> String {
        let star = if record.best { "*" } else { " " };
        let mut text = format!("{:>6} {:>12}", record.epoch, number::measure(record.train_loss));
        if let Some(loss) = record.valid_loss {
            text += &format!(" {:>12}", format!("{}{star}", number::measure(loss)));
            if self.metric.is_some() {
                text += &format!(" {:>14}", record.valid_metric.map_or("-".into(), number::measure));
            }
        }
        text + &format!(" {:>9} {:>8}", number::short(record.lr), number::duration(time))
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| super::stderr_line(text)),
            None => super::stderr_line(text),
        }
    }
}
