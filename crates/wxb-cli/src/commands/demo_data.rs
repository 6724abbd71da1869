//! The data sets of `wxb demo`: points in the plane, drawn from the seed.

use std::f64::consts::PI;
use std::fmt::Write;

use wxb::rng::{Purpose, stream, unit};

use crate::args::choice::DemoData;

/// The CSV of a data set.
pub fn table(data: DemoData, seed: u64) -> String {
    let mut rng = stream(seed, Purpose::Demo, data as u64);
    let mut draw = Draw(move || unit(&mut rng));
    match data {
        DemoData::Xor => csv(400, &["same", "different"], |_| {
            let x = [draw.between(-1.0, 1.0), draw.between(-1.0, 1.0)];
            (x, usize::from(x[0] * x[1] < 0.0))
        }),
        DemoData::Moons => csv(400, &["upper", "lower"], |i| {
            let (t, class) = (draw.between(0.0, PI), i % 2);
            let x = if class == 0 { [t.cos(), t.sin()] } else { [1.0 - t.cos(), 0.5 - t.sin()] };
            (draw.near(x, 0.15), class)
        }),
        DemoData::Spiral => csv(600, &["first", "second"], |i| {
            let (t, class) = (draw.between(0.05, 1.0), i % 2);
            let angle = 3.0 * PI * t + PI * class as f64;
            (draw.near([t * angle.cos(), t * angle.sin()], 0.015), class)
        }),
        DemoData::Blobs => csv(300, &["left", "right", "top"], |i| {
            let centre = [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.7]][i % 3];
            (draw.near(centre, 0.4), i % 3)
        }),
        DemoData::Linear => linear(&mut draw),
    }
}

fn csv(rows: usize, classes: &[&str], mut example: impl FnMut(usize) -> ([f64; 2], usize)) -> String {
    let mut text = "x1,x2,class\n".to_owned();
    for i in 0..rows {
        let ([x1, x2], class) = example(i);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{x1:.4},{x2:.4},{}", classes[class]);
    }
    text
}

fn linear(draw: &mut Draw<impl FnMut() -> f64>) -> String {
    let mut text = "x1,x2,y\n".to_owned();
    for _ in 0..200 {
        let (x1, x2) = (draw.between(-2.0, 2.0), draw.between(-2.0, 2.0));
        let y = 3.0 * x1 - 2.0 * x2 + 5.0 + 0.1 * draw.normal();
        let _ = writeln!(text, "{x1:.4},{x2:.4},{y:.4}");
    }
    text
}

/// Numbers drawn from a source of numbers uniform in [0, 1).
struct Draw<F>(F);

impl<F: FnMut() -> f64> Draw<F> {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.0)()
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - (self.0)()).ln()).sqrt();
        radius * (2.0 * PI * (self.0)()).cos()
    }

    fn near(&mut self, [x1, x2]: [f64; 2], deviation: f64) -> [f64; 2] {
        [x1 + deviation * self.normal(), x2 + deviation * self.normal()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_every_class_is_there() {
        for (data, rows, classes) in [
            (DemoData::Xor, 400, vec!["same", "different"]),
            (DemoData::Moons, 400, vec!["upper", "lower"]),
            (DemoData::Spiral, 600, vec!["first", "second"]),
            (DemoData::Blobs, 300, vec!["left", "right", "top"]),
            (DemoData::Linear, 200, vec![]),
        ] {
            let text = table(data, 3);
            assert_eq!(text.lines().count(), rows + 1);
            assert_eq!(text, table(data, 3));
            assert_ne!(text, table(data, 4));
            for class in classes {
                assert!(text.lines().filter(|line| line.ends_with(class)).count() >= rows / 4, "{class}");
            }
        }
    }
}
