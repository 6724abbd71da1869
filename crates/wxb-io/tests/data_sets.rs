//! Real data sets, where they are: each has the rows and columns that its description says.

use std::path::Path;

use wxb_io::{ReadOptions, Source, read};

#[test]
fn every_data_set_has_its_rows_and_columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(descriptions) = std::fs::read_to_string(folder.join("README.md")) else {
        println!("note: there is no {}, nothing was read", folder.display());
        return;
    };
    let mut files = 0;
    for line in descriptions.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [name, rows, columns] = [cells[1], cells[2], cells[3]];
        if name.ends_with(".h5") {
            continue;
        }
        let loaded = read(&Source::Path(folder.join(name)), &ReadOptions::default()).unwrap();
        let shape = (loaded.features.rows().to_string(), loaded.features.columns().to_string());
        assert_eq!(shape, (rows.to_owned(), columns.to_owned()), "{name}");
        assert_eq!(loaded.warnings, Vec::<String>::new(), "{name}");
        files += 1;
    }
    assert_eq!(files, 31);
}
