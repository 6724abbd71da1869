//! Who follows a training: a terminal, a log, a window.

use std::time::Duration;

use wxb::preprocess::Note;
use wxb::trainer::{Event, Run};
use wxb::{Network, Real, Result};

use super::budget::Afforded;
use super::candidate::Candidate;
use super::train::{Plan, Problem};

/// What happens on the way, in this order.
pub enum News<'a, T> {
    /// What is to be learned, and from what. Remarks and warnings about the data follow.
    Data(&'a Problem),
    /// What was noticed about a column, where nobody has to look at it.
    Remark(&'a Note),
    /// The same problem, after all remarks and before anything is trained.
    Task(&'a Problem),
    /// A network beside the main one is trained.
    Beside {
        /// The network, and how it does.
        candidate: &'a Candidate<T>,
        /// The time that it took.
        took: Duration,
    },
    /// The main network and its settings, before its first step.
    Plan {
        /// What it is to learn.
        problem: &'a Problem,
        /// How it is trained.
        plan: &'a Plan,
        /// The network; its start may yet look at the data.
        network: &'a Network<T>,
    },
    /// What happens in the training of a network. Those beside the main one are trained before [`News::Plan`], the main one after it.
    Training {
        /// Its preset.
        network: &'static str,
        /// What the trainer says.
        event: &'a Event<'a, T>,
    },
}

/// Hears what happens in a training, and may break it off. `()` hears nothing.
pub trait Listener {
    /// A warning: what was asked for is done, but.
    fn warn(&mut self, warning: &str);

    /// Takes note of what happens.
    fn hear<T: Real>(&mut self, news: News<'_, T>);

    /// Whether to break off; asked after every step and whenever something else has taken its time.
    fn breaks_off(&mut self) -> bool {
        false
    }

    /// What an earlier training, which is gone on with, had time for.
    ///
    /// # Errors
    /// If there should be one, and it cannot be read. The training ends with this error.
    fn afforded<T: Real>(&mut self) -> Result<Option<Afforded>> {
        Ok(None)
    }

    /// The state of an earlier training of this network to go on from, instead of its beginning.
    ///
    /// # Errors
    /// If there should be one, and it cannot be gone on from. The training ends with this error.
    fn resume<T: Real>(
        &mut self,
        _problem: &Problem,
        _plan: &Plan,
        _network: &Network<T>,
    ) -> Result<Option<Run<T>>> {
        Ok(None)
    }
}

impl Listener for () {
    fn warn(&mut self, _warning: &str) {}

    fn hear<T: Real>(&mut self, _news: News<'_, T>) {}
}
