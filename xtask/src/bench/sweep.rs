//! `cargo xtask bench --sweep`: wxb alone over widths and batch sizes. A figure that falls at one width only is a
//! kernel's edge.

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
const BATCHES: [usize; 4] = [1, 7, 32, 256];
const PICTURE: &str = "docs/performance-sweep.svg";
/// Ends with the picture, once there is one.
const PAGE: &str = "docs/performance.md";
const LINK: &str =
    "![The share of the FMA loop over the width, a line for each batch size](performance-sweep.svg)";

/// A network of each width, and what the panel is called.
type Shape = (&'static str, fn(usize) -> String);
const SHAPES: [Shape; 2] = [("n-n-10", |n| format!("{n},{n},10")), ("n-1", |n| format!("{n},1"))];

/// (n, share of the FMA loop) for one batch size.
type Line = Vec<(f64, f64)>;

/// Measures and draws.
pub(crate) fn run_task() -> Result<()> {
    run(&mut cargo("build --release --package wxb-cli"))?;
    let mut panels = vec![];
    for (title, sizes) in SHAPES {
        let mut lines = vec![];
        for batch in BATCHES {
            let measured = WIDTHS.iter().map(|&n| Ok((n as f64, share(&sizes(n), batch)?)));
            lines.push(measured.collect::<Result<Line>>()?);
            println!("{title}, {batch} rows: {} widths", WIDTHS.len());
        }
        panels.push((title, lines));
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

/// What one thread reaches of the FMA loop in a step of gradient descent.
fn share(sizes: &str, batch: usize) -> Result<f64> {
    let mut command = pinned(1, Command::new(wxb()));
    command.args(["bench", "--json", "--quiet", "--threads", "1", "--seconds", "0.05", "--optimizer", "sgd"]);
    command.args(["--lr", "0.001", "--sizes", sizes, "--batch-size", &batch.to_string()]);
    let output = command.output().context("cannot start the release build of wxb")?;
    ensure!(output.status.success(), "{sizes}: {}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout)?;
    object["fraction_of_fma_peak"].as_f64().context("wxb bench tells no share of the FMA loop")
}

/// A panel beside the other, a line per batch size.
fn draw(path: &Path, panels: &[(&str, Vec<Line>)]) -> Result<()> {
    let area = SVGBackend::new(path, (1000, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let (first, last) = (WIDTHS[0] as f64, WIDTHS[WIDTHS.len() - 1] as f64);
    for (panel, (title, lines)) in area.split_evenly((1, panels.len())).iter().zip(panels) {
        let highest = lines.iter().flatten().map(|(_, share)| 100.0 * share).fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("layers {title}"), ("sans-serif", 16))
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
        for ((batch, line), color) in BATCHES.iter().zip(lines).zip([BLACK, RED, BLUE, GREEN]) {
            let points = || line.iter().map(|(n, share)| (*n, 100.0 * share));
            chart
                .draw_series(LineSeries::new(points(), color))?
                .label(if *batch == 1 { "1 row".into() } else { format!("{batch} rows") })
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
            chart.draw_series(points().map(|point| Circle::new(point, 2, color.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(BLACK)
            .draw()?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture() {
        let path = std::env::temp_dir().join(format!("wxb-sweep-{}.svg", std::process::id()));
        let line: Line = WIDTHS.iter().map(|&n| (n as f64, n as f64 / 8000.0)).collect();
        draw(&path, &[("n-1", vec![line; BATCHES.len()])]).expect("the folder for temporary files");
        let svg = std::fs::read_to_string(&path).expect("it was written just now");
        std::fs::remove_file(&path).expect("it was written just now");
        for text in ["layers n-1", "width n", "1 row\n", "7 rows", "256 rows"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }
}
