//! L-BFGS: an epoch is one iteration on the full batch.

use super::batches::{add_penalties, diverged, penalty};
use super::{Event, Fitting, Observer, Run, Stop};
use crate::error::Result;
use crate::lbfgs::{Lbfgs, LbfgsConfig, Progress, Reason};
use crate::real::Real;
use crate::step::{Mode, gradient};

/// L-BFGS and the vector it works on.
pub(super) struct FullBatch<T> {
    lbfgs: Lbfgs<T>,
    x: Vec<T>,
}

impl<T: Real> FullBatch<T> {
    pub(super) fn new(run: &Run<T>, config: LbfgsConfig) -> Result<Self> {
        let mut lbfgs = Lbfgs::new(run.network.params.flat.len(), config)?;
        lbfgs.restore(&run.moments)?;
        Ok(Self { lbfgs, x: run.network.params.flat.to_vec() })
    }
}

impl<T: Real> Fitting<'_, '_, T> {
    /// One iteration. The epoch's training loss is that of the weights it ends with.
    pub(super) fn full_batch_epoch(
        &mut self,
        run: &mut Run<T>,
        full: &mut FullBatch<T>,
        observe: Observer<'_, T>,
    ) -> Option<Stop> {
        self.train.load(self.train.rows(), &mut self.cache);
        let (m, config) = (self.train.len(), self.config);
        let (network, cache, grads) = (&mut run.network, &mut self.cache, &mut self.grads);
        let weight_sum: f64 = self.train.rows().iter().map(|&row| self.train.weight(row).f64()).sum();
        let mut objective = |x: &[T], slope: &mut [T]| {
            network.params.flat.copy_from_slice(x);
            let (j, weight) = gradient(network, cache, m, Mode::Predicting, grads);
            add_penalties(&network.params, grads, config, weight);
            slope.copy_from_slice(&grads.flat);
            T::of(j + penalty(&network.params, config, weight))
        };
        let progress = full.lbfgs.step(&mut full.x, &mut objective);
        run.network.params.flat.copy_from_slice(&full.x);
        if progress == Progress::NotFinite {
            return Some(Stop::Diverged(diverged(run, &self.cache, m)));
        }
        run.step += 1;
        full.lbfgs.state_into(&mut run.moments);
        let data_loss = full.lbfgs.loss() - penalty(&run.network.params, config, weight_sum);
        let _ = observe(Event::Step { epoch: run.epoch + 1, of: (1, 1), loss: data_loss });
        if let Progress::Converged(reason) = progress {
            run.converged = Some(in_words(reason).into());
        }
        self.end_epoch(run, data_loss, observe)
    }
}

fn in_words(reason: Reason) -> &'static str {
    match reason {
        Reason::GradientBelowTolerance => "the gradient is below its tolerance",
        Reason::NoDecreaseAtThisPrecision => "no decrease is possible at this precision",
    }
}
