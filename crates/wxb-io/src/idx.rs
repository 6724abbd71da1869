//! IDX, the format of MNIST: two zero bytes, the type, the rank, the sizes, the values; all big-endian.

use std::io::Read;

use wxb::{Code, Error, Result};

use crate::array::{Array, Element, count, read_elements};
use crate::input::Input;

/// Reads the array of an IDX file.
pub(crate) fn read(input: &Input) -> Result<Array> {
    let mut source = input.content()?;
    let failed = |e| input.read_failed(&e);
    let mut magic = [0; 4];
    source.read_exact(&mut magic).map_err(failed)?;
    let element = match magic[2] {
        0x08 => Element::U8,
        0x09 => Element::I8,
        0x0b => Element::I16,
        0x0c => Element::I32,
        0x0d => Element::F32,
        0x0e => Element::F64,
        other => {
            let what = format!("{}: 0x{other:02x} is no element type of IDX", input.name());
            return Err(Error::new(Code::DamagedFile, what));
        }
    };
    let mut shape = Vec::new();
    for _ in 0..magic[3] {
        let mut size = [0; 4];
        source.read_exact(&mut size).map_err(failed)?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    let count = count(&shape, element, input.stored_bytes()?, input.name())?;
    let elements = read_elements(&mut source, element, true, count).map_err(failed)?;
    if source.read(&mut [0]).map_err(failed)? > 0 {
        let what = format!("{} is longer than its header says", input.name());
        return Err(Error::new(Code::DamagedFile, what));
    }
    Ok(Array { shape, elements })
}
