//! Numbers as people read them.

use std::time::Duration;

use wxb::metrics::Metric;

/// 7043 as `7,043`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `7,043 rows`.
pub fn counted(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

/// A loss or metric with four significant digits and at least four places below 10.
pub fn measure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() { "-".into() } else { "inf".into() };
    }
    match size {
        _ if size == 0.0 => "0".into(),
        _ if !(1e-4..1e6).contains(&size) => format!("{value:.3e}"),
        _ if size < 10.0 => format!("{value:.4}"),
        _ if size < 100.0 => format!("{value:.3}"),
        _ if size < 1000.0 => format!("{value:.2}"),
        _ if size < 10_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A learning rate or another setting: as short as it can be with three significant digits.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if (1e-4..1e6).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// A metric's name in a table for people: `log-loss`.
pub fn metric_label(metric: Metric) -> String {
    metric.name().replace('_', "-")
}

/// 0.265 as `26.5 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `0.1s`, `14s`, `2m03s`, `1h02m`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `24 kB`, `1.3 MB`.
pub fn bytes(n: u64) -> String {
    let size = n as f64;
    match n {
        0..1_000 => format!("{n} B"),
        1_000..10_000 => format!("{:.1} kB", size / 1e3),
        10_000..1_000_000 => format!("{:.0} kB", size / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.1} GB", size / 1e9),
    }
}

/// 41020 rows a second as `41k`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 1e7 => format!("{:.0}M", r / 1e6),
        r if r >= 1e6 => format!("{:.1}M", r / 1e6),
        r if r >= 1e4 => format!("{:.0}k", r / 1e3),
        r if r >= 1e3 => format!("{:.1}k", r / 1e3),
        r => format!("{r:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (is, expected) in [
            (grouped(7), "7"),
            (grouped(1234), "1,234"),
            (grouped(1_234_567), "1,234,567"),
            (counted(1, "row"), "1 row"),
            (counted(2000, "row"), "2,000 rows"),
            (measure(0.41), "0.4100"),
            (measure(51234.4), "51234"),
            (measure(1.5e-7), "1.500e-7"),
            (measure(f64::NAN), "-"),
            (short(0.001), "0.001"),
            (short(0.0034), "0.0034"),
            (short(1e-5), "1e-5"),
            (short(30.0), "30"),
            (percent(0.265), "26.5 %"),
            (duration(Duration::from_millis(140)), "0.1s"),
            (duration(Duration::from_secs(123)), "2m03s"),
            (duration(Duration::from_secs(3725)), "1h02m"),
            (bytes(24_310), "24 kB"),
            (bytes(999), "999 B"),
            (rate(41_020.0), "41k"),
        ] {
            assert_eq!(is, expected);
        }
    }
}
