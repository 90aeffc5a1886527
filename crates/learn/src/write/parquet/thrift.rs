//! The compact form of Thrift, as far as the headers of Parquet need it. Only written, never read.

/// A structure that is being written.
pub(super) struct Struct<'b> {
    bytes: &'b mut Vec<u8>,
    last: i16,
}

/// Types on the wire.
#[derive(Clone, Copy)]
enum Wire {
    True = 1,
    False = 2,
    I32 = 5,
    I64 = 6,
    Binary = 8,
    List = 9,
    Struct = 12,
}

/// Writes a structure.
pub(super) fn write(bytes: &mut Vec<u8>, fields: impl FnOnce(&mut Struct<'_>)) {
    let mut all = Struct { bytes, last: 0 };
    fields(&mut all);
    all.bytes.push(0);
}

impl Struct<'_> {
    /// A truth value, which stands in the head of its field.
    pub(super) fn bool(&mut self, id: i16, yes: bool) {
        self.head(id, if yes { Wire::True } else { Wire::False });
    }

    /// A whole number of 32 bits, or a word of an enumeration.
    pub(super) fn i32(&mut self, id: i16, number: i32) {
        self.head(id, Wire::I32);
        varint(self.bytes, zigzag(i64::from(number)));
    }

    /// A whole number of 64 bits.
    pub(super) fn i64(&mut self, id: i16, number: i64) {
        self.head(id, Wire::I64);
        varint(self.bytes, zigzag(number));
    }

    /// Text.
    pub(super) fn text(&mut self, id: i16, text: &str) {
        self.head(id, Wire::Binary);
        binary(self.bytes, text);
    }

    /// A structure.
    pub(super) fn inner(&mut self, id: i16, fields: impl FnOnce(&mut Struct<'_>)) {
        self.head(id, Wire::Struct);
        write(self.bytes, fields);
    }

    /// A list of structures.
    pub(super) fn structs<T>(&mut self, id: i16, items: &[T], mut fields: impl FnMut(&mut Struct<'_>, &T)) {
        self.list(id, items.len(), Wire::Struct);
        for item in items {
            write(self.bytes, |inner| fields(inner, item));
        }
    }

    /// A list of words of an enumeration.
    pub(super) fn enums(&mut self, id: i16, items: &[i32]) {
        self.list(id, items.len(), Wire::I32);
        for item in items {
            varint(self.bytes, zigzag(i64::from(*item)));
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, id: i16, items: &[&str]) {
        self.list(id, items.len(), Wire::Binary);
        for item in items {
            binary(self.bytes, item);
        }
    }

    fn list(&mut self, id: i16, length: usize, item: Wire) {
        self.head(id, Wire::List);
        match u8::try_from(length) {
            Ok(short @ 0..15) => self.bytes.push(short << 4 | item as u8),
            _ => {
                self.bytes.push(0xf0 | item as u8);
                varint(self.bytes, length as u64);
            }
        }
    }

    fn head(&mut self, id: i16, wire: Wire) {
        match u8::try_from(id - self.last) {
            Ok(step @ 1..=15) => self.bytes.push(step << 4 | wire as u8),
            _ => {
                self.bytes.push(wire as u8);
                varint(self.bytes, zigzag(i64::from(id)));
            }
        }
        self.last = id;
    }
}

fn binary(bytes: &mut Vec<u8>, text: &str) {
    varint(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// Seven bits a byte, the lowest first.
pub(super) fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lists_and_heads_are_as_the_protocol_has_them() {
        let mut bytes = Vec::new();
        write(&mut bytes, |s| {
            s.i32(1, -1);
            s.i64(3, 300);
            s.bool(20, true);
            s.texts(21, &["ab"]);
            s.structs(22, &[0; 15], |_, _| {});
        });
        let mut expected =
            vec![0x15, 1, 0x26, 0xd8, 0x04, 0x01, 40, 0x19, 0x18, 2, b'a', b'b', 0x19, 0xfc, 15];
        expected.extend([0; 15]);
        expected.push(0);
        assert_eq!(bytes, expected);
    }
}
