//! Reading order files: sniffing, decoding, decompression, mapping, validation and chunk planning. No database.
