//! Whatever the bytes are: a table, a matrix or an error, never a panic; and the same for any number of threads.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use wxb::Code;
use wxb::data::{Column, Features, Table};
use wxb_io::{ColumnKind, ReadOptions, read_bytes};

/// Texts and files to be changed: every format has one.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let names = [
        "digits.npz",
        "compressed.npz",
        "other.npz",
        "weights.npz",
        "cube_fortran.npy",
        "text.npy",
        "objects.npy",
        "type_14.idx",
        "images.idx.gz",
        "plain.parquet",
        "zstd.parquet",
        "gzip.parquet",
        "nested.parquet",
    ];
    let file =
        |name: &str| (name.to_owned(), std::fs::read(folder.join(name)).expect("a committed test file"));
    let texts: [&[u8]; 4] = [
        b"a,b,c\n1,x,2024-01-02\n2.5,\"y, z\",NA\n-3e4,\"say \"\"no\"\"\",\n",
        b"\xef\xbb\xbfa;b\r\n1,5;x\r\n2,5;\"line\r\nbreak\"\r\n",
        b"\n,a\tb\n0\t1\n",
        b"id|v\n1|inf\n2|1e999\n3|nan\n",
    ];
    let texts = texts.iter().map(|text| ("t.csv".to_owned(), text.to_vec()));
    let packed = texts.clone().take(1).flat_map(|(_, text)| {
        let zst = zstd::encode_all(text.as_slice(), 1).expect("memory can be written");
        [("t.csv.gz".to_owned(), gzip(&text)), ("t.csv.zst".to_owned(), zst)]
    });
    names.into_iter().map(file).chain(texts.clone()).chain(packed).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// What a program does that reads Parquet: a panic that becomes an error is not reported twice.
fn quiet_where_panics_are_caught() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !is_caught() {
                usual(panic);
            }
        }));
    });
}

fn is_caught() -> bool {
    #[cfg(feature = "parquet")]
    return wxb_io::is_panic_caught();
    #[cfg(not(feature = "parquet"))]
    false
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Truncate(prop::sample::Index),
    Repeat(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let byte =
        prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(0), Just(0xff)];
    prop_oneof![
        4 => (at(), byte.clone()).prop_map(|(i, b)| Change::Set(i, b)),
        4 => (at(), 0..8u8).prop_map(|(i, bit)| Change::Flip(i, bit)),
        2 => (at(), prop::collection::vec(byte, 1..5)).prop_map(|(i, b)| Change::Insert(i, b)),
        2 => (at(), 1..9usize).prop_map(|(i, n)| Change::Remove(i, n)),
        1 => at().prop_map(Change::Truncate),
        1 => (at(), 1..40usize).prop_map(|(i, n)| Change::Repeat(i, n)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let n = bytes.len();
        match change {
            Change::Set(i, byte) => bytes[i.index(n)] = *byte,
            Change::Flip(i, bit) => bytes[i.index(n)] ^= 1 << bit,
            Change::Insert(i, more) => drop(bytes.splice(i.index(n)..i.index(n), more.iter().copied())),
            Change::Remove(i, count) => drop(bytes.drain(i.index(n)..(i.index(n) + count).min(n))),
            Change::Truncate(i) => bytes.truncate(i.index(n)),
            Change::Repeat(i, count) => {
                let piece = bytes[i.index(n)..(i.index(n) + count).min(n)].to_vec();
                drop(bytes.splice(i.index(n)..i.index(n), piece));
            }
        }
    }
    bytes
}

fn options() -> Vec<ReadOptions> {
    let forced = ReadOptions {
        kinds: [("a".to_owned(), ColumnKind::Text), ("b".to_owned(), ColumnKind::Number)].into(),
        thousands: Some('.'),
        x: Some("x".into()),
        na_only: true,
        ..Default::default()
    };
    vec![ReadOptions::default(), forced]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn changed_files_do_not_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        quiet_where_panics_are_caught();
        let seeds = seeds();
        let (name, bytes) = &seeds[which.index(seeds.len())];
        let bytes = changed(bytes.clone(), &changes);
        for options in options() {
            let _ = read_bytes(&bytes, name, &options);
        }
    }

    #[test]
    fn random_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), head in 0..8usize) {
        let heads: [&[u8]; 8] =
            [b"", b"a,b\n", b"\x93NUMPY\x01\0", b"PK\x03\x04", b"PAR1", b"\0\0\x08\x02", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"];
        let bytes = [heads[head], &bytes].concat();
        for options in options() {
            let _ = read_bytes(&bytes, "random", &options);
        }
    }
}

/// A cell as it may stand in a file, quoted where it has to be.
fn cell() -> impl Strategy<Value = String> {
    let quoted = "[ab,;\r\n é]{0,8}".prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
    let doubled = "[ab\"]{0,4}".prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
    prop_oneof![4 => "[a-z0-9.]{0,6}", 2 => quoted, 1 => doubled, 1 => "[a-z]{1,2}\"[a-z]{0,2}"]
}

fn table(text: &str, options: &ReadOptions) -> Table {
    match read_bytes(text.as_bytes(), "t.csv", options).map(|loaded| loaded.features) {
        Ok(Features::Table(table)) => table,
        other => panic!("{other:?}"),
    }
}

/// Every cell as text, through the csv crate, from the whole text at once.
fn reference(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::None).from_reader(text.as_bytes());
    let trimmed = |cell: &str| cell.trim_matches(|c: char| c.is_ascii_whitespace()).to_owned();
    reader.records().map(|record| record.expect("a good CSV").iter().map(trimmed).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..Default::default() })]

    /// Some random rows, repeated until they fill several batches of blocks.
    #[test]
    fn blocks_and_threads_do_not_show(
        rows in prop::collection::vec([cell(), cell(), cell()], 1..40),
        line_break in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        quotes in any::<bool>(),
    ) {
        let cell = |cell: &String| if quotes { cell.clone() } else { cell.replace(['"', ',', '\r', '\n'], "") };
        let piece: String = rows.iter().map(|row| format!("x,{}{line_break}", row.each_ref().map(cell).join(","))).collect();
        let text = format!("o,p,q,r{line_break}") + &piece.repeat(5_000_000 / piece.len() / 2);
        let kinds = ["o", "p", "q", "r"].map(|name| (name.to_owned(), ColumnKind::Text)).into();
        let options = ReadOptions { kinds, na_only: true, delimiter: Some(b','), ..Default::default() };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        let one = pool(1).install(|| table(&text, &options));
        let four = pool(4).install(|| table(&text, &options));
        prop_assert!(one == four);
        let expected = reference(&text);
        prop_assert_eq!(one.rows(), expected.len());
        for (i, (_, column)) in one.iter().enumerate() {
            let Column::Text(column) = column else { panic!("forced to be text") };
            prop_assert!(expected.iter().enumerate().all(|(row, cells)| column.get(row) == Some(cells[i].as_str())));
        }
    }
}

#[test]
fn packed_files_read_the_same_and_truncated_ones_are_damaged() {
    let text: String = (0..50_000).map(|i| format!("{i},level {}\n", i % 9)).collect();
    let text = format!("n,t\n{text}");
    let plain = table(&text, &ReadOptions::default());
    let zst = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let half = text.find("25000,").unwrap();
    let two_members = [gzip(&text.as_bytes()[..half]), gzip(&text.as_bytes()[half..])].concat();
    for packed in [gzip(text.as_bytes()), zst, two_members] {
        let back = read_bytes(&packed, "t.csv", &ReadOptions::default()).unwrap();
        assert_eq!(back.features, Features::Table(plain.clone()));
        for end in [packed.len() / 2, packed.len() - 1, 40] {
            let error = read_bytes(&packed[..end], "t.csv", &ReadOptions::default()).unwrap_err();
            assert_eq!(error.code(), Code::DamagedFile, "{end} of {}: {error}", packed.len());
        }
    }
    let mut flipped = gzip(text.as_bytes());
    let middle = flipped.len() / 2;
    flipped[middle] ^= 4;
    let error = read_bytes(&flipped, "t.csv", &ReadOptions::default()).unwrap_err();
    assert_eq!(error.code(), Code::DamagedFile, "a flipped bit: {error}");
}
