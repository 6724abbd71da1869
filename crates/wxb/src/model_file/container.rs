//! The container: named tensors, a JSON record, a checksum over all bytes.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, View, serialize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};
use crate::real::Real;

/// The version of the record's layout.
const FORMAT: u32 = 2;
/// The metadata entry.
const ENTRY: &str = "wxb";
/// How the checksum stands in the file: first in the record, whose quotes the header escapes.
const MARK: &[u8] = br#"{\"checksum\":\""#;
/// SHA-256 in hexadecimal.
const DIGITS: usize = 64;
/// Where the mark must begin at the latest; before it stand only the header's length and the entry's name.
const MARK_WITHIN: usize = 4096;

/// The record with what identifies it.
#[derive(Serialize, Deserialize)]
struct Envelope<R> {
    checksum: String,
    format: u32,
    kind: String,
    writer: String,
    #[serde(flatten)]
    record: R,
}

/// What every record of any format begins with.
#[derive(Deserialize)]
struct Identity {
    format: u32,
    kind: String,
    writer: String,
}

/// A tensor to be written.
pub struct Tensor {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl Tensor {
    /// Of its numbers, row-major.
    pub fn new<T: Real>(name: String, shape: Vec<usize>, values: &[T]) -> Self {
        let mut bytes = Vec::with_capacity(size_of_val(values));
        values.iter().for_each(|v| v.write_le(&mut bytes));
        Self { name, shape, dtype: dtype::<T>(), bytes }
    }
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

/// The bytes of a file of some kind.
pub fn write(kind: &str, record: impl Serialize, tensors: &[Tensor]) -> Vec<u8> {
    let envelope = Envelope {
        checksum: "0".repeat(DIGITS),
        format: FORMAT,
        kind: kind.into(),
        writer: concat!("wxb ", env!("CARGO_PKG_VERSION")).into(),
        record,
    };
    let json = serde_json::to_string(&envelope).expect("the record has text keys only");
    let info = HashMap::from([(ENTRY.to_string(), json)]);
    let tensors = tensors.iter().map(|t| (t.name.clone(), t));
    let mut bytes =
        serialize(tensors, Some(info)).expect("shapes are those of the values, names are distinct");
    let digits = find_checksum(&bytes).expect("it was written just now");
    let checksum = sha256_hex(&[&bytes]);
    bytes[digits..digits + DIGITS].copy_from_slice(checksum.as_bytes());
    bytes
}

/// A file whose checksum is right and whose kind is the wanted one.
pub struct Contents<'a> {
    tensors: SafeTensors<'a>,
    json: String,
}

impl<'a> Contents<'a> {
    /// Opens the bytes of a file.
    ///
    /// # Errors
    /// [`Code::NotAModel`], [`Code::DamagedModel`], [`Code::ModelVersion`].
    pub fn open(bytes: &'a [u8], kind: &str) -> Result<Self> {
        verify_checksum(bytes)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(format!("its header: {e}")))?;
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|e| damaged(format!("its header: {e}")))?;
        let entry = metadata.metadata().as_ref().and_then(|info| info.get(ENTRY).cloned());
        let json = entry.ok_or_else(|| damaged("its record is missing"))?;
        let identity: Identity =
            serde_json::from_str(&json).map_err(|e| damaged(format!("its record: {e}")))?;
        if identity.format != FORMAT {
            let message = format!("the file has format {}, this wxb reads format {FORMAT}", identity.format);
            return Err(Error::new(Code::ModelVersion, message)
                .note(format!("written by {}", identity.writer))
                .hint("use that version or a newer one"));
        }
        if identity.kind != kind {
            let message = format!("the file is a wxb {}, not a {kind}", identity.kind);
            return Err(Error::new(Code::NotAModel, message));
        }
        Ok(Self { tensors, json })
    }

    /// The record.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] if it has not the expected fields.
    pub fn record<R: DeserializeOwned>(&self) -> Result<R> {
        let envelope: Envelope<R> =
            serde_json::from_str(&self.json).map_err(|e| damaged(format!("its record: {e}")))?;
        Ok(envelope.record)
    }

    /// A tensor's numbers, row-major.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] if it is missing, of another shape or precision, or has a number that is not finite.
    pub fn tensor<T: Real>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>> {
        let tensor =
            self.tensors.tensor(name).map_err(|_| damaged(format!("the tensor {name} is missing")))?;
        if tensor.dtype() != dtype::<T>() || tensor.shape() != shape {
            let found = (tensor.dtype(), tensor.shape());
            return Err(damaged(format!("the tensor {name} is {found:?}, not {} {shape:?}", T::NAME)));
        }
        let values: Vec<T> = tensor.data().chunks_exact(size_of::<T>()).map(T::read_le).collect();
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => Err(damaged(format!("the tensor {name} has a number that is not finite"))),
        }
    }

    /// The length of a vector, before it is known what it should be.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] if it is missing.
    pub fn length(&self, name: &str) -> Result<usize> {
        let tensor =
            self.tensors.tensor(name).map_err(|_| damaged(format!("the tensor {name} is missing")))?;
        Ok(tensor.shape().iter().product())
    }
}

/// A fault of a file whose checksum may well be right.
pub fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(Code::DamagedModel, format!("the model file is damaged: {what}"))
}

fn find_checksum(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(MARK_WITHIN)];
    let at = head.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    (at + DIGITS <= bytes.len()).then_some(at)
}

fn verify_checksum(bytes: &[u8]) -> Result<()> {
    let Some(at) = find_checksum(bytes) else {
        return Err(Error::new(Code::NotAModel, "the file is not a wxb model")
            .hint("`wxb train DATA --target COLUMN` writes one"));
    };
    let checksum = sha256_hex(&[&bytes[..at], &[b'0'; DIGITS], &bytes[at + DIGITS..]]);
    match checksum.as_bytes() == &bytes[at..at + DIGITS] {
        true => Ok(()),
        false => {
            Err(damaged("its checksum does not agree with its content").hint("copy it again from its source"))
        }
    }
}

fn sha256_hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
