//! A network on its way as bytes, for pickles: a header of JSON, then the numbers as they lie in memory.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use wxb::optimizer::Optimizer;
use wxb::trainer::Best;
use wxb::{Layer, Loss, Network};

use super::examples::Number;
use super::learning::Learning;
use crate::error::exception;

#[derive(Serialize, Deserialize)]
struct Header {
    precision: String,
    layers: Vec<Layer>,
    loss: Loss,
    optimizer: Optimizer,
    parameters: usize,
    moments: usize,
    step: u64,
    seen: u64,
    stale: u64,
    /// Rows of the order, which come last.
    #[serde(default)]
    order: usize,
    /// As bits: JSON has no infinite numbers.
    numbers: [u64; 4],
}

/// The precision that bytes are in.
pub fn precision(bytes: &[u8]) -> PyResult<String> {
    Ok(split(bytes)?.0.precision)
}

impl<T: Number> Learning<T> {
    pub fn to_bytes(&self) -> PyResult<Vec<u8>> {
        let network = &self.run.network;
        let header = Header {
            precision: T::NAME.into(),
            layers: network.layers().to_vec(),
            loss: network.loss().clone(),
            optimizer: self.optimizer,
            parameters: network.params.flat.len(),
            moments: self.run.moments.len(),
            step: self.run.step,
            seen: self.seen,
            stale: self.stale,
            order: self.order.len(),
            numbers: [self.lr, self.lr_start, self.best_loss, self.best_score].map(f64::to_bits),
        };
        let header = serde_json::to_vec(&header).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        for values in [&network.params.flat[..], &self.run.best.flat, &self.run.moments] {
            values.iter().for_each(|value| value.write_le(&mut bytes));
        }
        self.order.iter().for_each(|row| bytes.extend(row.to_le_bytes()));
        Ok(bytes)
    }

    pub fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        let (header, rest) = split(bytes)?;
        let of_order =
            header.order.checked_mul(size_of::<u32>()).and_then(|bytes| rest.len().checked_sub(bytes));
        let (numbers, order) = rest.split_at(of_order.ok_or_else(damaged)?);
        let values: Vec<T> = numbers.chunks_exact(size_of::<T>()).map(T::read_le).collect();
        let parameters = header.parameters;
        let expected = parameters.checked_mul(2).and_then(|n| n.checked_add(header.moments));
        if expected != Some(values.len()) {
            return Err(damaged());
        }
        let (flat, rest) = values.split_at(parameters);
        let (best, moments) = rest.split_at(parameters);
        let network = Network::from_flat(header.layers, header.loss, flat.to_vec());
        let network = network.map_err(|error| exception(&error))?;
        let [lr, lr_start, best_loss, best_score] = header.numbers.map(f64::from_bits);
        let mut learning = Learning::new(network, header.optimizer, lr).map_err(|error| exception(&error))?;
        learning.run.best = Best { epoch: 0, flat: best.to_vec() };
        learning.run.moments = moments.to_vec();
        learning.run.step = header.step;
        (learning.lr_start, learning.seen, learning.stale) = (lr_start, header.seen, header.stale);
        (learning.best_loss, learning.best_score) = (best_loss, best_score);
        learning.order = order.as_chunks().0.iter().map(|row| u32::from_le_bytes(*row)).collect();
        Ok(learning)
    }
}

fn split(bytes: &[u8]) -> PyResult<(Header, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| damaged())?;
    let (header, numbers) = rest.split_at_checked(length).ok_or_else(damaged)?;
    Ok((serde_json::from_slice(header).map_err(|_| damaged())?, numbers))
}

fn damaged() -> PyErr {
    PyValueError::new_err("these are not the bytes of a network that was trained")
}
