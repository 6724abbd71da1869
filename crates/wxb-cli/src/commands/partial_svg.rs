//! The picture of `wxb partial`: a panel a column, all with one scale of predictions.

use std::fmt::Write;

use wxb_train::partial::Distribution;

use super::partial::{Curve, Places, Report, labels};
use crate::terminal::number::{counted, grouped};

/// Width and height of a panel, and what is kept free round its plot: left, right, above, below.
const PANEL: [f64; 2] = [360.0, 280.0];
const FREE: [f64; 4] = [62.0, 16.0, 12.0, 76.0];
/// Panels side by side.
const ACROSS: usize = 3;
/// Above all panels.
const HEAD: f64 = 62.0;
/// The height of the strip that shows where the rows are.
const STRIP: f64 = 22.0;
/// Blue and orange of Okabe and Ito 2008, which people who confuse red and green tell apart; lighter on dark.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#374151}.title{font-size:16px;font-weight:600;fill:#111827}\
.name{font-size:13px;font-weight:600;fill:#111827}.back{fill:#ffffff}.grid{stroke:#e5e7eb}.axis{stroke:#9ca3af}\
.rows{fill:#9ca3af;fill-opacity:.55}.one{fill:none;stroke:#0072b2;stroke-opacity:.25}\
.mean{fill:none;stroke:#d55e00;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}\
@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.title,.name{fill:#f3f4f6}.back{fill:#11151c}.grid{stroke:#2a313c}\
.axis{stroke:#6b7280}.rows{fill:#6b7280}.one{stroke:#56b4e9;stroke-opacity:.3}.mean{stroke:#f0923b}}";

/// An SVG picture of all columns.
pub fn draw(report: &Report<'_>) -> String {
    let n = report.columns.len();
    let across = n.clamp(1, ACROSS);
    let [panel_width, panel_height] = PANEL;
    let (width, height) = (across as f64 * panel_width, HEAD + n.div_ceil(across) as f64 * panel_height);
    let what = escaped(&report.what);
    let shown = report.columns.first().map_or(0, |curve| curve.curves.len());
    let title = format!("How the {} depends on {}", what, if n == 1 { "a column" } else { "each column" });
    let below = format!(
        "{} on {}: thick the mean over {}, thin {shown} of them, grey where the rows of the data are",
        escaped(report.model),
        escaped(report.data),
        counted(report.rows, "row")
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n"
    );
    add(&mut svg, format_args!("<text class=\"title\" x=\"16\" y=\"28\">{title}</text>"));
    add(&mut svg, format_args!("<text x=\"16\" y=\"48\">{below}</text>"));
    let scale = predictions(report);
    for (i, curve) in report.columns.iter().enumerate() {
        let (x, y) = ((i % across) as f64 * panel_width, HEAD + (i / across) as f64 * panel_height);
        add(&mut svg, format_args!("<g transform=\"translate({x},{y})\">"));
        panel(&mut svg, curve, &what, &scale);
        add(&mut svg, format_args!("</g>"));
    }
    svg + "</svg>\n"
}

fn add(svg: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = svg.write_fmt(format_args!("{line}\n"));
}

/// A stretch of numbers on a stretch of the picture.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn at(&self, v: f64) -> f64 {
        let share = if self.high > self.low { (v - self.low) / (self.high - self.low) } else { 0.5 };
        self.from + share * (self.to - self.from)
    }

    /// Five round numbers or so, 1, 2 or 5 times a power of ten apart and not less than `least`. With each its text.
    fn ticks(&self, least: f64) -> Vec<(f64, String)> {
        let raw = ((self.high - self.low) / 5.0).max(least).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|s| *s >= raw).unwrap_or(raw);
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        let text = |v: f64| {
            let places = (-step.log10()).ceil().clamp(0.0, 9.0) as usize;
            let rounded = v.round();
            match places {
                0 if rounded.abs() < 1e15 => {
                    let digits = grouped(rounded.abs() as usize);
                    if rounded < 0.0 { format!("-{digits}") } else { digits }
                }
                _ => format!("{v:.places$}"),
            }
        };
        // More than these would be a mistake of the division above.
        (first..=last).take(50).map(|i| (i as f64 * step, text(i as f64 * step))).collect()
    }
}

/// From the smallest prediction to the largest one, of all columns.
fn predictions(report: &Report<'_>) -> Scale {
    let [_, _, above, below] = FREE;
    let all = report.columns.iter().flat_map(|c| c.mean.iter().chain(c.curves.iter().flatten()));
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), &f| (low.min(f), high.max(f)));
    let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
    Scale { low, high, from: PANEL[1] - below - STRIP, to: above }
}

fn panel(svg: &mut String, curve: &Curve, what: &str, f: &Scale) {
    let [left, right, above, below] = FREE;
    let (right, bottom) = (PANEL[0] - right, PANEL[1] - below);
    for (v, text) in f.ticks(0.0) {
        let (x, y) = (left - 6.0, f.at(v));
        add(svg, format_args!("<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>"));
        add(svg, format_args!("<text x=\"{x}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>", y + 4.0));
    }
    let places = places(curve);
    distribution(svg, curve, &places, bottom);
    add(svg, format_args!("<path class=\"axis\" d=\"M{left} {bottom}H{right}\"/>"));
    names_of_values(svg, &places, bottom);
    // A path each, so that the picture is darker where there are many.
    for values in &curve.curves {
        let of_row = line(values, curve, &places, (f, 0.5));
        add(svg, format_args!("<path class=\"one\" d=\"{of_row}\"/>"));
    }
    add(svg, format_args!("<path class=\"mean\" d=\"{}\"/>", line(&curve.mean, curve, &places, (f, 1.0))));
    let (x, y, name) = ((left + right) / 2.0, PANEL[1] - 18.0, escaped(&curve.column));
    add(svg, format_args!("<text class=\"name\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{name}</text>"));
    let turned = format!("translate(14,{}) rotate(-90)", (above + bottom) / 2.0);
    add(svg, format_args!("<text transform=\"{turned}\" text-anchor=\"middle\">{what}</text>"));
}

/// A line through the predictions at numbers; a dash at each text, of a share of its width.
fn line(values: &[f64], curve: &Curve, places: &Standing, (f, share): (&Scale, f64)) -> String {
    let points = places.at.iter().zip(values).map(|(x, &v)| (x, f.at(v)));
    match curve.values {
        Places::Numbers(_) => {
            // Without the step to nowhere one value alone would not be drawn.
            format!("M{}h0", points.map(|(x, y)| format!("{x:.1} {y:.1}")).collect::<Vec<_>>().join("L"))
        }
        Places::Texts(_) => {
            let half = share * places.half;
            points.map(|(x, y)| format!("M{:.1} {y:.1}h{:.1}", x - half, 2.0 * half)).collect()
        }
    }
}

fn names_of_values(svg: &mut String, places: &Standing, bottom: f64) {
    let (anchor, y) = if places.is_slanted { ("end", bottom + 14.0) } else { ("middle", bottom + 18.0) };
    for (x, text) in &places.ticks {
        let turned = match places.is_slanted {
            true => format!(" transform=\"rotate(-28 {x:.1} {y})\""),
            false => String::new(),
        };
        let text = escaped(text);
        add(svg, format_args!("<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\"{turned}>{text}</text>"));
    }
}

/// Where the values of a column stand.
struct Standing {
    at: Vec<f64>,
    /// Half the width that a text has.
    half: f64,
    ticks: Vec<(f64, String)>,
    is_slanted: bool,
}

fn places(curve: &Curve) -> Standing {
    let [left, right, ..] = FREE;
    let (from, to) = (left + 6.0, PANEL[0] - right - 6.0);
    match &curve.values {
        Places::Numbers(values) => {
            let scale = Scale { low: values[0], high: values[values.len() - 1], from, to };
            let is_whole = values.iter().all(|v| v.fract() == 0.0);
            let ticks = match scale.ticks(if is_whole { 1.0 } else { 0.0 }) {
                ticks if scale.high > scale.low => ticks.into_iter().map(|(v, t)| (scale.at(v), t)).collect(),
                _ => vec![(scale.at(scale.low), labels(&curve.values)[0].clone())],
            };
            Standing {
                at: values.iter().map(|&v| scale.at(v)).collect(),
                half: 0.0,
                ticks,
                is_slanted: false,
            }
        }
        Places::Texts(_) => {
            /// More letters are cut, more levels or letters stand at a slant.
            const LETTERS: usize = 14;
            let texts = labels(&curve.values);
            let each = (to - from) / texts.len() as f64;
            let at: Vec<f64> = (0..texts.len()).map(|i| from + (i as f64 + 0.5) * each).collect();
            let cut = |text: String| match text.chars().count() {
                n if n > LETTERS => text.chars().take(LETTERS - 1).chain(['…']).collect(),
                _ => text,
            };
            let texts: Vec<String> = texts.into_iter().map(cut).collect();
            let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
            let is_slanted = 7.0 * longest as f64 > each;
            Standing {
                ticks: at.iter().copied().zip(texts).collect(),
                at,
                half: (0.4 * each).min(28.0),
                is_slanted,
            }
        }
    }
}

/// Bars on the axis, the largest as high as the strip.
fn distribution(svg: &mut String, curve: &Curve, places: &Standing, bottom: f64) {
    let [left, right, ..] = FREE;
    let bars: Vec<(f64, f64, f64)> = match &curve.data {
        Distribution::Bins(bins) => {
            let (from, each) = (left + 6.0, (PANEL[0] - right - left - 12.0) / (bins.len() - 1) as f64);
            let x = |i: usize| from + (i as f64 - 0.5) * each;
            bins.iter().enumerate().map(|(i, &share)| (x(i), each - 1.0, share)).collect()
        }
        Distribution::Shares(shares) => {
            let half = places.half;
            places.at.iter().zip(shares).map(|(x, &share)| (x - half, 2.0 * half, share)).collect()
        }
    };
    let largest = bars.iter().map(|bar| bar.2).fold(f64::MIN_POSITIVE, f64::max);
    for (x, width, share) in bars.into_iter().filter(|bar| bar.2 > 0.0) {
        let height = (STRIP - 4.0) * share / largest;
        let y = bottom - height;
        add(
            svg,
            format_args!(
                "<rect class=\"rows\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            ),
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_ticks() {
        for (low, high, least, expected) in [
            (0.0, 1.0, 0.0, "0.0 0.2 0.4 0.6 0.8 1.0"),
            (3.0, 97.0, 0.0, "20 40 60 80"),
            (-1500.0, 2600.0, 1.0, "-1,000 0 1,000 2,000"),
            (0.111, 0.119, 0.0, "0.112 0.114 0.116 0.118"),
            (1.0, 3.0, 1.0, "1 2 3"),
        ] {
            let ticks = Scale { low, high, from: 0.0, to: 1.0 }.ticks(least);
            let texts: Vec<String> = ticks.into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts.join(" "), expected);
        }
    }

    #[test]
    fn names_cannot_break_the_picture() {
        let curve = Curve {
            column: "a<b & \"c\"".into(),
            values: Places::Texts(vec!["<x>".into()]),
            mean: vec![0.5],
            curves: vec![vec![0.5]],
            data: Distribution::Shares(vec![1.0]),
        };
        let report = Report {
            schema: "wxb.partial/1",
            model: "m&m.wxb",
            data: "d.csv",
            rows: 1,
            what: "probability of <x>".into(),
            columns: vec![curve],
        };
        let svg = draw(&report);
        assert!(svg.contains("a&lt;b &amp; &quot;c&quot;") && svg.contains("m&amp;m.wxb"), "{svg}");
        assert!(!svg.contains("<x>") && !svg.contains("NaN"), "{svg}");
    }
}
