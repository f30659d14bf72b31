//! From the bytes of a log to text: byte-order marks first (PowerShell redirects as UTF-16LE), then
//! UTF-8, then windows-1252, which every byte sequence is.

use std::borrow::Cow;

/// Decodes a log. The byte-order mark is not part of the text.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn utf_16_and_latin_1_are_read() {
        let utf16: Vec<u8> = "\u{feff}a °C".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf16), "a °C");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
        assert_eq!(decode(b"40 \xb0C"), "40 °C");
    }
}
