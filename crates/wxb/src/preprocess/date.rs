//! A text column whose levels are all dates of one format.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use serde::{Deserialize, Serialize};

use super::number::NumberInput;

/// How dates are written. A time may follow after a blank or a `T`: `14:05`, `14:05:30.25`, with an offset (`Z`,
/// `+02:00`) that is left out: the hour is the one that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// `2011-01-31`
    Iso,
    /// `2011/01/31`
    YearSlash,
    /// `31.01.2011`
    DayDot,
    /// `31-01-2011`
    DayDash,
    /// `01/31/2011`. Where every date could also be day/month, this one is taken, with a warning.
    MonthSlash,
    /// `31/01/2011`
    DaySlash,
    /// `31 Jan 2011`
    DayName,
    /// `Jan 31, 2011`
    NameDay,
}

impl DateFormat {
    /// Every format, in the order they are tried.
    pub const ALL: [DateFormat; 8] = [
        DateFormat::Iso,
        DateFormat::YearSlash,
        DateFormat::DayDot,
        DateFormat::DayDash,
        DateFormat::MonthSlash,
        DateFormat::DaySlash,
        DateFormat::DayName,
        DateFormat::NameDay,
    ];

    fn pattern(self) -> &'static str {
        match self {
            DateFormat::Iso => "%Y-%m-%d",
            DateFormat::YearSlash => "%Y/%m/%d",
            DateFormat::DayDot => "%d.%m.%Y",
            DateFormat::DayDash => "%d-%m-%Y",
            DateFormat::MonthSlash => "%m/%d/%Y",
            DateFormat::DaySlash => "%d/%m/%Y",
            DateFormat::DayName => "%d %b %Y",
            DateFormat::NameDay => "%b %d, %Y",
        }
    }

    /// An example: `"2011-01-31"`.
    pub fn example(self) -> &'static str {
        match self {
            DateFormat::Iso => "2011-01-31",
            DateFormat::YearSlash => "2011/01/31",
            DateFormat::DayDot => "31.01.2011",
            DateFormat::DayDash => "31-01-2011",
            DateFormat::MonthSlash => "01/31/2011",
            DateFormat::DaySlash => "31/01/2011",
            DateFormat::DayName => "31 Jan 2011",
            DateFormat::NameDay => "Jan 31, 2011",
        }
    }

    /// The date, and the time that follows it, if one does.
    pub(super) fn parse(self, text: &str) -> Option<(Date, Option<Time>)> {
        // Not even a date's first character: most text columns are told apart here.
        if text.len() < 6 || !text.is_ascii() || !text.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let (parts, length) = BrokenDownTime::parse_prefix(self.pattern(), text).ok()?;
        let date = parts.to_date().ok()?;
        // `01/31/20` would be the year 20.
        if date.year() < 1000 {
            return None;
        }
        match &text[length..] {
            "" => Some((date, None)),
            rest => Some((date, Some(parse_time(rest.strip_prefix(['T', ' '])?)?))),
        }
    }
}

fn parse_time(text: &str) -> Option<Time> {
    let pattern = if text.bytes().filter(|&b| b == b':').count() >= 2 && text.as_bytes().get(5) == Some(&b':')
    {
        "%H:%M:%S%.f"
    } else {
        "%H:%M"
    };
    let (parts, length) = BrokenDownTime::parse_prefix(pattern, text).ok()?;
    is_offset(text[length..].trim_start()).then(|| parts.to_time().ok())?
}

/// Nothing, `Z`, `+02`, `+0200` or `+02:00`.
fn is_offset(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(['+', '-']) else { return matches!(text, "" | "Z" | "z" | "UTC") };
    let digits = digits.replacen(':', "", 1);
    matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// One number of a date. What comes round again is a point on a circle, so that December lies next to January.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// The year.
    Year,
    /// sin 2π (month − 1)/12.
    MonthSin,
    /// cos 2π (month − 1)/12.
    MonthCos,
    /// The day of the month.
    Day,
    /// sin 2π weekday/7, Monday 0.
    WeekdaySin,
    /// cos 2π weekday/7.
    WeekdayCos,
    /// sin 2π hour/24, minutes and seconds as fractions of the hour.
    HourSin,
    /// cos 2π hour/24.
    HourCos,
    /// The minute of the hour.
    Minute,
    /// Days since 1970-01-01, with the time as their fraction: the trend.
    Days,
}

impl DatePart {
    /// Every part, in the order of the inputs.
    pub const ALL: [DatePart; 10] = [
        DatePart::Year,
        DatePart::MonthSin,
        DatePart::MonthCos,
        DatePart::Day,
        DatePart::WeekdaySin,
        DatePart::WeekdayCos,
        DatePart::HourSin,
        DatePart::HourCos,
        DatePart::Minute,
        DatePart::Days,
    ];

    /// The name it has in the names of inputs: `"month_sin"`.
    pub fn name(self) -> &'static str {
        match self {
            DatePart::Year => "year",
            DatePart::MonthSin => "month_sin",
            DatePart::MonthCos => "month_cos",
            DatePart::Day => "day",
            DatePart::WeekdaySin => "weekday_sin",
            DatePart::WeekdayCos => "weekday_cos",
            DatePart::HourSin => "hour_sin",
            DatePart::HourCos => "hour_cos",
            DatePart::Minute => "minute",
            DatePart::Days => "days",
        }
    }

    /// The number of a date; no time is midnight.
    pub(super) fn of(self, (date, time): (Date, Option<Time>)) -> f64 {
        let time = time.unwrap_or(Time::midnight());
        let hour = seconds(time) / 3600.0;
        let month = f64::from(date.month() - 1) / 12.0;
        let weekday = f64::from(date.weekday().to_monday_zero_offset()) / 7.0;
        let turn = std::f64::consts::TAU;
        match self {
            DatePart::Year => f64::from(date.year()),
            DatePart::MonthSin => libm::sin(turn * month),
            DatePart::MonthCos => libm::cos(turn * month),
            DatePart::Day => f64::from(date.day()),
            DatePart::WeekdaySin => libm::sin(turn * weekday),
            DatePart::WeekdayCos => libm::cos(turn * weekday),
            DatePart::HourSin => libm::sin(turn * hour / 24.0),
            DatePart::HourCos => libm::cos(turn * hour / 24.0),
            DatePart::Minute => f64::from(time.minute()),
            DatePart::Days => days(date) + hour / 24.0,
        }
    }
}

fn seconds(time: Time) -> f64 {
    let whole = 3600 * i32::from(time.hour()) + 60 * i32::from(time.minute()) + i32::from(time.second());
    f64::from(whole) + f64::from(time.subsec_nanosecond()) * 1e-9
}

fn days(date: Date) -> f64 {
    const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    (date.to_datetime(Time::midnight()).duration_since(EPOCH).as_hours() / 24) as f64
}

/// The parts of a date that vary in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DateInput {
    /// How the dates are written.
    pub format: DateFormat,
    /// The parts and how they are scaled; a part's `missing` is 0.
    pub parts: Vec<(DatePart, NumberInput)>,
    /// Training rows in which the date is missing. If there is one, a last input says where.
    pub missing: u32,
}

impl DateInput {
    /// The number of inputs.
    pub fn width(&self) -> usize {
        self.parts.len() + usize::from(self.missing > 0)
    }

    /// All inputs of one date, or of a missing one, appended to `out`.
    pub(super) fn inputs(&self, date: Option<(Date, Option<Time>)>, out: &mut Vec<f64>) {
        let number = |(part, input): &(DatePart, NumberInput)| {
            input.scaling.apply(date.map_or(input.fill, |date| part.of(date)))
        };
        out.extend(self.parts.iter().map(number));
        if self.missing > 0 {
            out.push(f64::from(u8::from(date.is_none())));
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        !self.parts.is_empty()
            && self.parts.len() <= DatePart::ALL.len()
            && self.parts.iter().all(|(_, input)| input.is_sound() && input.missing == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text and what it is: "" no date, else the date, and the time if one is written.
    fn check(format: DateFormat, text: &str, expected: &str) {
        let shown = match format.parse(text) {
            None => String::new(),
            Some((date, None)) => date.to_string(),
            Some((date, Some(time))) => format!("{date} {time}"),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn formats() {
        for format in DateFormat::ALL {
            check(format, format.example(), "2011-01-31");
            check(format, &format!("{} 14:05", format.example()), "2011-01-31 14:05:00");
            check(format, &format!("{}T14:05:30.5+02:00", format.example()), "2011-01-31 14:05:30.5");
            check(format, &format!("{} apples", format.example()), "");
            check(format, "", "");
            check(format, "male", "");
        }
        check(DateFormat::Iso, "2011-1-3", "2011-01-03");
        check(DateFormat::Iso, "2011-02-30", "");
        check(DateFormat::Iso, "2011-01-31T00:00:00Z", "2011-01-31 00:00:00");
        check(DateFormat::Iso, "2011-01-31 25:00", "");
        check(DateFormat::Iso, "2011-01-31 12:00 +0x", "");
        check(DateFormat::Iso, "2011-01-31\u{e9}", "");
        check(DateFormat::MonthSlash, "31/01/2011", "");
        check(DateFormat::MonthSlash, "01/31/11", "");
    }

    /// date -d 2024-02-29: a Thursday; 19782 days since 1970-01-01.
    #[test]
    fn parts() {
        let date = DateFormat::Iso.parse("2024-02-29 06:30").unwrap();
        let expect = [2024.0, 0.5, 0.75f64.sqrt(), 29.0];
        for (part, value) in DatePart::ALL.iter().zip(expect) {
            assert!((part.of(date) - value).abs() < 1e-12, "{part:?}");
        }
        assert!((DatePart::WeekdaySin.of(date) - (6.0 * std::f64::consts::PI / 7.0).sin()).abs() < 1e-12);
        assert_eq!(DatePart::Minute.of(date), 30.0);
        assert!((DatePart::Days.of(date) - (19782.0 + 6.5 / 24.0)).abs() < 1e-9);
        assert_eq!(DatePart::Days.of(DateFormat::Iso.parse("1969-12-31").unwrap()), -1.0);
    }
}
