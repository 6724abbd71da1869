//! Columns in memory whose texts are read as the cells of a text file are.

use wxb::Result;
use wxb::data::{Column, MISSING, TextColumn};

use crate::ReadOptions;
use crate::csv::cell::CellRules;
use crate::levels::Levels;

/// The column that a text file with the same cells gives: texts without surrounding blanks, [`DEFAULT_NA`](crate::DEFAULT_NA) and
/// `na` missing. Numbers stay numbers, but for those that `na` names.
///
/// # Errors
/// None for marks that a file could be read with.
pub fn as_file_cells(column: Column, na: &[String]) -> Result<Column> {
    let rules = CellRules::new(&ReadOptions { na: na.to_vec(), ..ReadOptions::default() })?;
    Ok(match column {
        Column::Number(values) if na.is_empty() => Column::Number(values),
        Column::Number(values) => Column::Number(values.into_iter().map(|x| rules.known(x)).collect()),
        Column::Text(text) => Column::Text(texts(text, &rules)),
    })
}

fn texts(column: TextColumn, rules: &CellRules) -> TextColumn {
    let is_clean =
        |text: &String| text.trim_ascii().len() == text.len() && !rules.is_missing(text.as_bytes());
    if column.levels.iter().all(is_clean) {
        return column;
    }
    let mut levels = Levels::default();
    let mut code = |text: &String| match text.trim_ascii() {
        text if rules.is_missing(text.as_bytes()) => MISSING,
        text => levels.code(text),
    };
    let codes: Vec<u32> = column.levels.iter().map(&mut code).collect();
    let of_cell = |&code: &u32| codes.get(code as usize).copied().unwrap_or(MISSING);
    TextColumn { codes: column.codes.iter().map(of_cell).collect(), levels: levels.texts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cells: &[&str], na: &[&str], expected: &[Option<&str>]) {
        let na: Vec<String> = na.iter().map(|&mark| mark.to_owned()).collect();
        let column = Column::Text(crate::levels::text_column(cells.iter().map(|&cell| cell.to_owned())));
        match as_file_cells(column, &na) {
            Ok(Column::Text(text)) => {
                let found: Vec<Option<&str>> = (0..cells.len()).map(|row| text.get(row)).collect();
                assert_eq!(found, expected, "{cells:?}");
            }
            other => panic!("{cells:?} became {other:?}"),
        }
    }

    #[test]
    fn blanks_and_marks() {
        check(&["a", "b"], &[], &[Some("a"), Some("b")]);
        check(&[" a", "a ", "b", ""], &[], &[Some("a"), Some("a"), Some("b"), None]);
        check(&["?", "x", " NA ", "-", "None"], &[], &[None, Some("x"), None, None, None]);
        check(&["x", "none of it"], &["none of it"], &[Some("x"), None]);
    }

    #[test]
    fn marks_that_are_numbers() {
        let column = as_file_cells(Column::Number(vec![1.0, -999.0]), &["-999".to_owned()]);
        assert!(matches!(column, Ok(Column::Number(x)) if x[0] == 1.0 && x[1].is_nan()));
    }
}
