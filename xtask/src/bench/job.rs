//! A whole job: one process that reads 60,000 images, trains W4's network on them for 5 epochs, and ends.

use super::WXB;
use super::peers::{Kind, Peers, pinned};
use super::record::Measurement;
use crate::stages::wxb;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use wait4::Wait4;

const IMAGES: usize = 60_000;
const PIXELS: usize = 28 * 28;
const CLASSES: usize = 10;
const THREADS: usize = 2;

/// wxb writes the model, too, and judges it on all rows; the peers end after the last step.
const OURS: &str = "--hidden 512,512 --optimizer momentum --lr 0.01 --batch-size 128 --epochs 5 --valid none \
    --threads 2 --quiet --json --force";

/// Wall time, time of all processors, peak memory and last loss.
pub(super) fn measure(peers: &Peers, peer: &str) -> Result<Measurement> {
    let data = peers.folder.join("images.u8");
    if fs::metadata(&data).is_ok_and(|there| there.len() != (IMAGES * (PIXELS + 1)) as u64) || !data.exists()
    {
        fs::write(&data, images())?;
    }
    let command = if peer == WXB { ours(&data)? } else { peers.job(peer, &data) };
    let mut command = pinned(THREADS, command);
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let printed = std::io::read_to_string(child.stdout.take().context("standard output is piped")?)?;
    let used = child.wait4()?;
    let seconds = started.elapsed().as_secs_f64();
    let mut found = Measurement::new(peer, Kind::Job, "W4", THREADS, seconds);
    found.cpu_seconds = Some((used.rusage.utime + used.rusage.stime).as_secs_f64());
    found.peak_mb = Some(used.rusage.maxrss as f64 / 1e6);
    found.loss_last = last_loss(&printed);
    if !used.status.success() || found.loss_last.is_none() {
        found.seconds = None;
        found.problem = Some(format!("{}, last loss {:?}", used.status, found.loss_last));
    }
    Ok(found)
}

/// The command as a person types it, on the same bytes as two IDX files.
fn ours(data: &Path) -> Result<Command> {
    let folder = data.parent().context("the images lie in a folder")?;
    let [images, labels, model] =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "images.wxb"].map(|name| folder.join(name));
    if !labels.exists() {
        let bytes = fs::read(data)?;
        ensure!(bytes.len() == IMAGES * (PIXELS + 1), "{} has another length", data.display());
        let (pixels, classes) = bytes.split_at(IMAGES * PIXELS);
        fs::write(&images, idx(&[IMAGES as u32, 28, 28], pixels))?;
        fs::write(&labels, idx(&[IMAGES as u32], classes))?;
    }
    let mut command = Command::new(wxb());
    command.arg("train").arg(images).arg("--labels").arg(labels);
    command.args(OURS.split_whitespace()).arg("--output").arg(model);
    Ok(command)
}

/// Bytes in the format of MNIST: magic number, sizes, values.
fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    const BYTES: u8 = 8;
    let mut file = vec![0, 0, BYTES, sizes.len() as u8];
    sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(values);
    file
}

/// Pixels, then labels: a picture is its class's, of which 30 % of the pixels are set, with noise, half of it erased.
fn images() -> Vec<u8> {
    let mut state = 0;
    let mut unit = move || {
        state += 1;
        (mix(state) >> 11) as f64 / (1u64 << 53) as f64
    };
    let classes: Vec<u8> = (0..IMAGES).map(|_| (unit() * CLASSES as f64) as u8).collect();
    let drawn: Vec<f64> =
        (0..CLASSES * PIXELS).map(|_| if unit() < 0.3 { 256.0 * unit() } else { 0.0 }).collect();
    let mut file = Vec::with_capacity(IMAGES * (PIXELS + 1));
    for &class in &classes {
        for &ink in &drawn[usize::from(class) * PIXELS..][..PIXELS] {
            // A sum of uniform numbers is near enough to normal; its standard deviation is 60.
            let noise = 60.0 * 3.0_f64.sqrt() * (unit() + unit() + unit() + unit() - 2.0);
            file.push(if unit() < 0.5 { 0 } else { (ink + noise).clamp(0.0, 255.0) as u8 });
        }
    }
    file.extend(classes);
    file
}

/// The finaliser of SplitMix64.
fn mix(n: u64) -> u64 {
    let z = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// "loss": the last number under that name that was printed; our epochs say "train":{"loss": …}.
fn last_loss(printed: &str) -> Option<f64> {
    let number = |rest: &str| rest.split([',', '}']).next()?.trim().parse::<f64>().ok();
    printed.split("\"loss\":").skip(1).filter_map(number).last().filter(|loss| loss.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses() {
        for (printed, expected) in [
            ("{\"loss\": 0.5}\n", Some(0.5)),
            ("{\"loss\":0.25,\"accuracy\":1}", Some(0.25)),
            (
                "{\"loss\":{\"cross_entropy\":1}}\n{\"train\":{\"loss\":2.0},\"lr\":1}\n{\"train\":{\"loss\":1.5},\"lr\":1}",
                Some(1.5),
            ),
            ("{\"loss\": NaN}", None),
            ("", None),
        ] {
            assert_eq!(last_loss(printed), expected, "{printed}");
        }
    }

    #[test]
    fn idx_files() {
        assert_eq!(idx(&[2, 1], &[7, 9]), [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 7, 9]);
    }
}
