//! Python hears what happens in a training: `listener(what, json)`.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use serde_json::{Value, json};
use wxb::Real;
use wxb::trainer::Event;
use wxb_train::record::Numbers;
use wxb_train::{Listener, News};

use crate::error::as_parameters;

/// Hands news on to a function of Python's, and breaks off when it says so.
pub struct Follow<'a> {
    listener: Option<&'a Py<PyAny>>,
    /// Ctrl-C sets it.
    stop: &'a AtomicBool,
    /// What the function raised.
    pub raised: Option<PyErr>,
    /// What was warned of.
    pub warnings: Vec<String>,
}

impl<'a> Follow<'a> {
    /// Nothing has happened yet.
    pub fn new(listener: Option<&'a Py<PyAny>>, stop: &'a AtomicBool) -> Self {
        Self { listener, stop, raised: None, warnings: vec![] }
    }

    /// Calls the function; what it gives back, if it is true, breaks the training off.
    fn tell(&mut self, what: &str, news: &Value) {
        let Some(listener) = self.listener.filter(|_| self.raised.is_none()) else { return };
        let answer = Python::attach(|py| {
            let answer = listener.call1(py, (what, news.to_string()))?;
            answer.bind(py).is_truthy()
        });
        match answer {
            Ok(stop) => self.stop.fetch_or(stop, Ordering::Relaxed),
            Err(error) => {
                self.raised = Some(error);
                self.stop.swap(true, Ordering::Relaxed)
            }
        };
    }
}

impl Listener for Follow<'_> {
    fn warn(&mut self, warning: &str) {
        self.warnings.push(as_parameters(warning));
    }

    fn hear<T: Real>(&mut self, news: News<'_, T>) {
        match news {
            News::Remark(note) => self.tell("remark", &json!(as_parameters(&note.to_string()))),
            News::Beside { candidate, took } => {
                let metrics = Numbers::of_scores(&candidate.scores());
                let seconds = took.as_secs_f64();
                self.tell(
                    "beside",
                    &json!({ "network": candidate.name, "metrics": metrics, "seconds": seconds }),
                );
            }
            News::Plan { plan, network, .. } => {
                self.tell("plan", &json!({ "sizes": network.sizes(), "epochs": plan.config.epochs }));
            }
            News::Training { network, event: Event::RunStart { epochs, .. } } => {
                self.tell("start", &json!({ "network": network, "epochs": epochs }));
            }
            News::Training { network, event: Event::RunEnd { .. } } => {
                self.tell("end", &json!({ "network": network }));
            }
            News::Training { network, event: Event::Epoch { record, .. } } => {
                self.tell("epoch", &json!({ "network": network, "record": record }));
            }
            News::Data(_) | News::Task(_) | News::Training { .. } => {}
        }
    }

    fn breaks_off(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
