//! The table of error codes: a stable number, a name, a long text. `E01` settings and command line, `E02`
//! tables and other data, `E03` training, `E04` model files and checkpoints, `E05` the machine.

macro_rules! codes {
    ($($code:literal $name:ident $text:literal)*) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $text] $name),* }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The code as it is printed: `E0201`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => $code),* }
            }

            /// What it means, how it comes about, what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }
        }
    };
}

codes! {
    // ---- E01: settings and the command line
    "E0101" InvalidSetting "A setting is outside of its range, or two settings exclude each other. The message names the \
        setting and the values that are allowed."
    "E0102" Usage "The command line could not be read: an unknown flag, a missing value, a value of another kind. \
        `wxb COMMAND --help` lists what a command takes."
    "E0103" NoTarget "Training needs to know which column to predict. Name it with `--target COLUMN`; for arrays, \
        `--x NAME --y NAME` pick the members of an NPZ file and `--labels FILE` gives the labels of an IDX or NPY file."
    "E0104" WrongTask "What was asked for does not fit the model or the target: probabilities of a quantity, classes of a \
        column with another value in every row, a metric of the other kind of task."
    "E0105" UnknownTopic "`wxb help` knows error codes, commands and a few topics; `wxb help codes` lists the codes."

    // ---- E02: tables and other data
    "E0201" UnknownColumn "A column was named that the table does not have. Names are compared exactly, case included. The \
        message lists the columns that are there."
    "E0202" UnreadableFile "The file could not be opened or read: it does not exist, is a directory, or may not be read."
    "E0203" DamagedFile "The file ends too early or its bytes contradict themselves: a truncated download, a wrong ending, \
        or a damaged disk. Compare its size with the source's."
    "E0204" UnknownFormat "The format could not be told from the file's name and first bytes. Known are CSV and TSV (also \
        .gz and .zst), Parquet, NPY, NPZ and IDX."
    "E0205" RaggedRow "A row has another number of fields than the header. Often an unquoted delimiter or a line break \
        inside a field: quote the field."
    "E0206" BadHeader "The header is unusable: a name twice, or no columns at all."
    "E0207" EmptyData "There is no row to work with: the file is empty, has a header only, or every row was left out."
    "E0208" ShapeMismatch "Two arrays that belong together have different lengths, or the data has another number of columns \
        than the model was trained on."
    "E0209" BadEncoding "The text is not UTF-8. Convert it first: `iconv -f latin1 -t utf8 FILE`."
    "E0210" UnsupportedType "The file holds values of a kind that wxb does not train on: nested or binary columns of a Parquet \
        file, complex numbers or Python objects in a NumPy file. Convert or drop them."
    "E0211" UnknownMember "An NPZ file has no array of that name, or it was not said which of its arrays are the inputs and \
        the labels. The message lists the arrays: choose with `--x NAME --y NAME`."
    "E0214" NotANumber "A column is numeric in nearly all rows, and a few values are not numbers. wxb does not guess whether \
        those are missing values or typing errors: declare them missing with `--na`, correct them, or make the column \
        categorical with `--categorical`."
    "E0216" OpenQuote "A quoted field is never closed, so that the rest of the file would be one field. Close the quote, or \
        double it if it belongs to the text."
    "E0220" BadTarget "The target column cannot be learnt as asked: it has one value only, no value at all, or it is text \
        and a regression was asked for. Check the column's name and `--task`."
    "E0221" UnknownLabel "A label occurs that the model was not trained on, so it has no class. Leave those rows out, correct \
        the label, or train again with rows of that class."
    "E0222" NoInputs "No column is left to learn from: all of them are constant, empty or identifiers. `--keep` uses \
        identifier-like columns all the same."
    "E0223" NumberTooLarge "A number is infinite or larger than 1e100 in size. Nothing measured is that large; it is mostly a \
        mark for a missing value: declare it with `--na`."
    "E0224" WrongKind "A column holds text where the model was trained on numbers, or numbers where it was trained on text. \
        A column of codes is read as text with `--categorical`."
    "E0225" NotADate "A column held dates in training and has a text now that is no date in the same format. Correct it, or \
        declare it missing with `--na`."

    // ---- E03: training
    "E0301" Diverged "The loss or a weight became infinite or NaN. The last finite weights are kept. Nearly always the \
        learning rate is too large for the scale of the data: lower `--lr`, or let the columns be scaled."

    // ---- E04: model files and checkpoints
    "E0401" NotAModel "The file is not a wxb model: it is another kind of file, or it was cut off in its header."
    "E0402" DamagedModel "The model file's checksum does not agree with its content: it was truncated or changed. Copy it \
        again from its source."
    "E0403" ModelVersion "The model file was written by a wxb whose file format this one does not read. Use a newer wxb."

    // ---- E05: the machine
    "E0501" WriteFailed "A file could not be written: the directory is missing, may not be written, or the disk is full."
    "E0502" FileExists "The file is there already, and nothing is overwritten without `--force`."
    "E0503" DiskFull "The disk is full. Nothing was overwritten: a file is written under another name first and renamed at \
        the end. Make room, or write elsewhere with `-o`."
    "E0504" OutOfMemory "The network and what training keeps for it need more memory than the machine has. Fewer or smaller \
        hidden layers (`--hidden`), a smaller `--batch-size`, or `--max-levels` for columns with many categories."
}
