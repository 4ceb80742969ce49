//! Integers of variable length: seven bits a byte, least first; signed ones zig-zag. And the cursor that reads them.

/// Why bytes could not be read: they end too early, or a number has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn;

/// Appends an unsigned integer.
#[inline]
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer.
#[inline]
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads bytes from the front.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// One byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Torn> {
        let (first, rest) = self.0.split_first().ok_or(Torn)?;
        self.0 = rest;
        Ok(*first)
    }

    /// An unsigned integer.
    #[inline]
    pub fn unsigned(&mut self) -> Result<u64, Torn> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Torn)
    }

    /// A signed integer.
    #[inline]
    pub fn signed(&mut self) -> Result<i64, Torn> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A length or an index.
    #[inline]
    pub fn size(&mut self) -> Result<usize, Torn> {
        usize::try_from(self.unsigned()?).map_err(|_| Torn)
    }

    /// So many bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Torn> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Torn)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_is_read(value: u64, signed: i64) {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            put_signed(&mut bytes, signed);
            let mut cursor = Cursor(&bytes);
            prop_assert_eq!((cursor.unsigned(), cursor.signed(), cursor.byte()), (Ok(value), Ok(signed), Err(Torn)));
        }
    }

    #[test]
    fn small_numbers_of_either_sign_are_short() {
        for value in [0, -1, 63, -64] {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, value);
            assert_eq!(bytes.len(), 1, "{value}");
        }
        assert_eq!(Cursor(&[0xff; 11]).unsigned(), Err(Torn));
    }
}
