//! What a training keeps in memory, estimated before it is asked for.

use wxb::{Code, Error, Layer, Optimizer, Result};

use crate::number;

/// Bytes of parameters, gradients, moments, best weights, and of one batch's activations, those of each member.
pub fn estimate(layers: &[Layer], optimizer: Optimizer, batch: usize, width: usize) -> u64 {
    let (mut parameters, mut activations) = (0_u64, 0_u64);
    let members = layers.iter().find_map(Layer::members).unwrap_or(1) as u64;
    let mut n_in = layers.first().and_then(Layer::n_in).unwrap_or(0);
    for layer in layers {
        let n_out = layer.n_out(n_in);
        parameters = parameters.saturating_add(layer.parameters());
        activations = activations.saturating_add((n_in + n_out) as u64 * members);
        n_in = n_out;
    }
    let copies = 3 + optimizer.moments() as u64;
    let numbers =
        parameters.saturating_mul(copies).saturating_add(activations.saturating_mul(2 * batch as u64));
    numbers.saturating_mul(width as u64)
}

/// Refuses what the machine cannot hold; `hint` says what to make smaller.
///
/// # Errors
/// [`Code::OutOfMemory`].
pub fn check(needed: u64, hint: &str) -> Result<()> {
    match available() {
        Some(there) if needed > there => Err(Error::new(
            Code::OutOfMemory,
            format!(
                "the network needs about {} of memory, and {} are free",
                number::bytes(needed),
                number::bytes(there)
            ),
        )
        .hint(hint)),
        _ => Ok(()),
    }
}

/// Free memory in bytes, where the system tells it.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kilobytes.checked_mul(1024)
}
