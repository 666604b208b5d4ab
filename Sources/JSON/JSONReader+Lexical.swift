// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Space, comments, literals, numbers and strings.
extension JSONReader {
    mutating func skipSpace() throws(JSONFault) {
        while offset < text.count {
            switch text[offset] {
            case .space, .tab, .lineFeed, .carriageReturn: offset += 1
            case UInt8(ascii: "/") where dialect == .policy: try skipComment()
            default: return
            }
        }
    }

    private mutating func skipComment() throws(JSONFault) {
        let start = offset
        let second = start + 1 < text.count ? text[start + 1] : 0
        if second == UInt8(ascii: "/") {
            offset = text.firstOffset(of: .lineFeed, from: start) ?? text.count
            return
        }
        guard second == UInt8(ascii: "*") else { throw fault(.expectedValue) }
        offset += 2
        while let star = text.firstOffset(of: UInt8(ascii: "*"), from: offset) {
            offset = star + 1
            if offset < text.count, text[offset] == UInt8(ascii: "/") {
                offset += 1
                return
            }
        }
        throw fault(.unclosedComment, at: start)
    }

    mutating func skip(_ literal: StaticString) -> Bool {
        guard text.extracting(offset..<text.count).hasPrefix(literal) else { return false }
        offset += literal.utf8CodeUnitCount
        return true
    }

    // MARK: Numbers (RFC 8259 §6)

    mutating func readNumber() throws(JSONFault) -> JSONNumber {
        let start = offset
        if text[offset] == UInt8(ascii: "-") { offset += 1 }
        let integerStart = offset
        try skipDigits()
        if text[integerStart] == UInt8(ascii: "0"), offset > integerStart + 1 {
            throw fault(.malformedNumber, at: integerStart)
        }
        if next(is: UInt8(ascii: ".")) {
            offset += 1
            try skipDigits()
        }
        if next(is: UInt8(ascii: "e")) || next(is: UInt8(ascii: "E")) {
            offset += 1
            if next(is: UInt8(ascii: "+")) || next(is: UInt8(ascii: "-")) { offset += 1 }
            try skipDigits()
        }
        return JSONNumber(text: text.extracting(start..<offset).string)
    }

    /// At least one.
    private mutating func skipDigits() throws(JSONFault) {
        let start = offset
        while offset < text.count, text[offset].isDigit { offset += 1 }
        guard offset > start else {
            throw fault(offset < text.count ? .malformedNumber : .unexpectedEnd)
        }
    }

    private func next(is byte: UInt8) -> Bool {
        offset < text.count && text[offset] == byte
    }

    // MARK: Strings (RFC 8259 §7)

    mutating func readString() throws(JSONFault) -> String {
        let start = offset
        offset += 1
        var bytes: [UInt8] = []
        while offset < text.count {
            let byte = text[offset]
            switch byte {
            case .quote:
                offset += 1
                return String(decoding: bytes, as: UTF8.self)
            case .backslash:
                bytes.append(
                    contentsOf: UTF8.encode(try readEscape()) ?? UTF8.encodedReplacementCharacter)
            case 0..<0x20:
                throw fault(.controlInString)
            default:
                bytes.append(byte)
                offset += 1
            }
        }
        throw fault(.unclosedString, at: start)
    }

    private mutating func readEscape() throws(JSONFault) -> Unicode.Scalar {
        let start = offset
        guard offset + 1 < text.count else { throw fault(.malformedEscape) }
        let kind = text[offset + 1]
        offset += 2
        switch kind {
        case .quote, .backslash, UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw fault(.malformedEscape, at: start)
        }
        let unit = try readHex(from: start)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // Only surrogates are no scalars here. A high one must be followed by a low one.
        guard unit < 0xDC00, next(is: .backslash), offset + 1 < text.count,
            text[offset + 1] == UInt8(ascii: "u")
        else { throw fault(.loneSurrogate, at: start) }
        let second = offset
        offset += 2
        let low = try readHex(from: second)
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(
                0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw fault(.loneSurrogate, at: start) }
        return scalar
    }

    /// The four digits of `\uXXXX`, whose backslash is at `start`.
    private mutating func readHex(from start: Int) throws(JSONFault) -> UInt16 {
        guard offset + 4 <= text.count else { throw fault(.malformedEscape, at: start) }
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(text[offset]) else {
                throw fault(.malformedEscape, at: start)
            }
            unit = unit << 4 | UInt16(digit)
            offset += 1
        }
        return unit
    }
}

/// Offset of the first byte that is part of no well-formed sequence (Unicode, table 3-7: neither
/// overlong forms nor surrogates nor anything beyond U+10FFFF).
func firstInvalidUTF8(in text: Span<UInt8>) -> Int? {
    do {
        _ = try UTF8Span(validating: text)
        return nil
    } catch {
        return error.byteOffsets.lowerBound
    }
}
