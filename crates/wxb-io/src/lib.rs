//! Readers and writers: CSV, Parquet, NPY/NPZ, IDX into `wxb::data`.
