//! `cargo xtask bench --sweep`: wxb alone over widths, batch sizes, precisions, optimizers and activations. A figure that
//! falls at one width only is a kernel's edge.

use super::peers::pinned;
use crate::stages::{cargo, root, run, wxb};
use anyhow::{Context, Result, ensure};
use plotters::prelude::*;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Round ones, those beside them, odd ones; from less than a vector to more than any cache.
const WIDTHS: [usize; 41] = [
    3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 100, 127, 128, 129, 192, 200, 255,
    256, 257, 333, 384, 500, 511, 512, 513, 777, 1000, 1023, 1024, 1500, 2000, 4000,
];
/// Where a panel has many lines.
const FEW_WIDTHS: [usize; 16] = [3, 5, 8, 13, 16, 23, 32, 45, 64, 91, 128, 181, 256, 333, 512, 1000];
const PICTURE: &str = "docs/performance-sweep.svg";
/// Ends with the picture, once there is one.
const PAGE: &str = "docs/performance.md";
const LINK: &str = "![The share of the FMA loop over the width, for batch sizes, precisions, optimizers and activations]\
(performance-sweep.svg)";
const COLORS: [RGBColor; 11] = [
    BLACK,
    RED,
    BLUE,
    GREEN,
    RGBColor(230, 140, 0),
    MAGENTA,
    RGBColor(0, 160, 170),
    RGBColor(130, 90, 40),
    RGBColor(120, 120, 120),
    RGBColor(110, 60, 180),
    RGBColor(150, 160, 0),
];

/// Lines of networks that have one thing in common.
struct Panel {
    title: &'static str,
    widths: &'static [usize],
    sizes: fn(usize) -> String,
    /// What every line has.
    flags: &'static [&'static str],
    /// In what the lines differ: a flag and its values.
    varied: (&'static str, &'static [&'static str]),
}

const BATCHES: (&str, &[&str]) = ("--batch-size", &["1", "7", "32", "256"]);
const PANELS: [Panel; 6] = [
    Panel {
        title: "n-n-10, ReLU, gradient descent",
        widths: &WIDTHS,
        sizes: hidden,
        flags: &["--lr", "0.001", "--optimizer", "sgd"],
        varied: BATCHES,
    },
    Panel {
        title: "n-1, gradient descent",
        widths: &WIDTHS,
        sizes: |n| format!("{n},1"),
        flags: &["--lr", "0.001", "--optimizer", "sgd"],
        varied: BATCHES,
    },
    Panel {
        title: "n-n-10, double precision",
        widths: &WIDTHS,
        sizes: hidden,
        flags: &["--lr", "0.001", "--optimizer", "sgd", "--precision", "f64"],
        varied: BATCHES,
    },
    Panel {
        title: "n-n-10, prediction of one row",
        widths: &WIDTHS,
        sizes: hidden,
        flags: &["--predict"],
        varied: ("--precision", &["f32", "f64"]),
    },
    Panel {
        title: "n-n-10, 32 rows, optimizers",
        widths: &FEW_WIDTHS,
        sizes: hidden,
        flags: &["--lr", "0.001", "--batch-size", "32"],
        varied: ("--optimizer", &["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]),
    },
    Panel {
        title: "n-n-10, 32 rows, activations",
        widths: &FEW_WIDTHS,
        sizes: hidden,
        flags: &["--lr", "0.001", "--batch-size", "32", "--optimizer", "sgd"],
        varied: (
            "--activation",
            &[
                "identity",
                "sigmoid",
                "tanh",
                "relu",
                "leaky-relu",
                "elu",
                "selu",
                "gelu",
                "silu",
                "mish",
                "softplus",
            ],
        ),
    },
];

/// One hidden layer as wide as the input.
fn hidden(n: usize) -> String {
    format!("{n},{n},10")
}

/// (n, share of the FMA loop) for each width.
type Line = Vec<(f64, f64)>;

/// Measures and draws.
pub(crate) fn run_task() -> Result<()> {
    run(&mut cargo("build --release --package wxb-cli"))?;
    let mut panels = vec![];
    for panel in &PANELS {
        let (flag, values) = panel.varied;
        let mut lines = vec![];
        for value in values {
            let flags = [panel.flags, &[flag, value]].concat();
            let measured = panel.widths.iter();
            let measured = measured.map(|&n| Ok((n as f64, share(&(panel.sizes)(n), &flags)?)));
            lines.push(measured.collect::<Result<Line>>()?);
            println!("{}, {flag} {value}: {} widths", panel.title, panel.widths.len());
        }
        panels.push(lines);
    }
    draw(&root().join(PICTURE), &panels)?;
    let page = root().join(PAGE);
    let text = std::fs::read_to_string(&page).context(PAGE)?;
    if !text.contains(LINK) {
        std::fs::write(&page, format!("{}\n\n{LINK}\n", text.trim_end()))?;
    }
    println!("{PICTURE}");
    Ok(())
}

/// What one thread reaches of the FMA loop: the best of some runs by the best loop, since other programs only take away.
fn share(sizes: &str, flags: &[&str]) -> Result<f64> {
    const RUNS: usize = 3;
    let (mut best, mut loop_best) = (0.0, 0.0);
    for _ in 0..RUNS {
        let mut command = pinned(1, Command::new(wxb()));
        command.args(["bench", "--json", "--quiet", "--threads", "1", "--seconds", "0.05", "--sizes", sizes]);
        command.args(flags);
        let output = command.output().context("cannot start the release build of wxb")?;
        ensure!(output.status.success(), "{sizes} {flags:?}: {}", String::from_utf8_lossy(&output.stderr));
        let object: Value = serde_json::from_slice(&output.stdout)?;
        let of = |key: &str| object[key].as_f64().with_context(|| format!("wxb bench tells no {key}"));
        best = f64::max(best, of("gflops")?);
        loop_best = f64::max(loop_best, of("fma_gflops")?);
    }
    Ok(best / loop_best)
}

/// Panels in two columns, a line per value.
fn draw(path: &Path, panels: &[Vec<Line>]) -> Result<()> {
    let area = SVGBackend::new(path, (1000, 1140)).into_drawing_area();
    area.fill(&WHITE)?;
    for ((area, panel), lines) in area.split_evenly((3, 2)).iter().zip(&PANELS).zip(panels) {
        let (first, last) = (panel.widths[0] as f64, panel.widths[panel.widths.len() - 1] as f64);
        let highest = lines.iter().flatten().map(|(_, share)| 100.0 * share).fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption(panel.title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(44)
            .build_cartesian_2d((first..last).log_scale(), 0.0..1.1 * highest)?;
        chart
            .configure_mesh()
            .x_desc("width n")
            .y_desc("% of the FMA loop, one thread")
            .x_label_formatter(&|n| format!("{n}"))
            .y_label_formatter(&|share| format!("{share:.0}"))
            .light_line_style(WHITE)
            .draw()?;
        for ((value, line), color) in panel.varied.1.iter().zip(lines).zip(COLORS) {
            let points = || line.iter().map(|(n, share)| (*n, 100.0 * share));
            chart
                .draw_series(LineSeries::new(points(), color))?
                .label(label(panel.varied.0, value))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
            chart.draw_series(points().map(|point| Circle::new(point, 2, color.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
    }
    area.present()?;
    Ok(())
}

/// What the legend calls a line.
fn label(flag: &str, value: &str) -> String {
    match (flag, value) {
        ("--batch-size", "1") => "1 row".into(),
        ("--batch-size", rows) => format!("{rows} rows"),
        (_, value) => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture() {
        let path = std::env::temp_dir().join(format!("wxb-sweep-{}.svg", std::process::id()));
        let line =
            |panel: &Panel| -> Line { panel.widths.iter().map(|&n| (n as f64, n as f64 / 8000.0)).collect() };
        let panels: Vec<_> = PANELS.iter().map(|panel| vec![line(panel); panel.varied.1.len()]).collect();
        draw(&path, &panels).expect("the folder for temporary files");
        let svg = std::fs::read_to_string(&path).expect("it was written just now");
        std::fs::remove_file(&path).expect("it was written just now");
        for text in ["n-1, gradient descent", "width n", "1 row\n", "256 rows", "f64", "adamw", "softplus"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn a_colour_for_each_line() {
        assert!(PANELS.iter().all(|panel| panel.varied.1.len() <= COLORS.len()));
    }
}
