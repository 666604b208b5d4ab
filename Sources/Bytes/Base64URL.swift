// SPDX-License-Identifier: Apache-2.0

/// Base 64 of RFC 4648 §5 without padding, as JOSE writes it (RFC 7515 §2), and the standard
/// alphabet of §4 for reading `Basic` credentials.
@usableFromInline
package enum Base64URL {
    @inlinable
    package static func encodedCount(_ count: Int) -> Int { (count * 4 + 2) / 3 }

    @inlinable
    static var alphabet: StaticString {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    }

    @inlinable @inline(__always)
    static func digit(_ value: UInt8) -> UInt8 {
        // SAFETY: six bits are below the alphabet's 64 digits.
        unsafe alphabet.utf8Start[Int(value & 63)]
    }

    /// Three bytes as four digits, the first in the lowest byte.
    @inlinable @inline(__always)
    static func group(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt32 {
        UInt32(digit(first &>> 2))
            | UInt32(digit(first &<< 4 | second &>> 4)) &<< 8
            | UInt32(digit(second &<< 2 | third &>> 6)) &<< 16
            | UInt32(digit(third)) &<< 24
    }

    @usableFromInline
    static func value(_ digit: UInt8, standard: Bool) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): return standard ? nil : 62
        case UInt8(ascii: "_"): return standard ? nil : 63
        case UInt8(ascii: "+"): return standard ? 62 : nil
        case UInt8(ascii: "/"): return standard ? 63 : nil
        default: return nil
        }
    }

    package static func encode(_ bytes: borrowing Span<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(encodedCount(bytes.count))
        encode(bytes) { text.append($0) }
        return String(decoding: text, as: UTF8.self)
    }

    @inlinable
    package static func encode(_ bytes: borrowing Span<UInt8>, _ emit: (UInt8) -> Void) {
        var index = 0
        while index < bytes.count {
            let left = bytes.count &- index
            var digits = group(
                bytes[index], left > 1 ? bytes[index &+ 1] : 0, left > 2 ? bytes[index &+ 2] : 0)
            for _ in 0..<min(left, 3) &+ 1 {
                emit(UInt8(truncatingIfNeeded: digits))
                digits = digits &>> 8
            }
            index &+= 3
        }
    }

    /// Strict: no padding, no white space, and the unused bits of the last digit are zero, so
    /// that each value has one spelling.
    package static func decode(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        decode(text, count: text.count, standard: false)
    }

    /// RFC 4648 §4, with its padding or without.
    package static func decodeStandard(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        var count = text.count
        if count % 4 == 0 {
            while count > 0, text.count - count < 2, text[count - 1] == .equals { count -= 1 }
        }
        return decode(text, count: count, standard: true)
    }

    private static func decode(
        _ text: borrowing Span<UInt8>, count: Int, standard: Bool
    ) -> [UInt8]? {
        guard count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 3 / 4)
        var bits: UInt32 = 0
        var bitCount = 0
        for index in 0..<count {
            guard let digit = value(text[index], standard: standard) else { return nil }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        guard bits & (1 << UInt32(bitCount) - 1) == 0 else { return nil }
        return bytes
    }
}

extension Buffer {
    @inlinable
    package mutating func append(base64URL bytes: borrowing Span<UInt8>) {
        guard let place = unsafe claim(Base64URL.encodedCount(bytes.count)) else { return }
        let whole = bytes.count / 3 * 3
        var index = 0
        var output = UnsafeMutableRawPointer(place)
        while index < whole {
            let digits = Base64URL.group(
                bytes[index], bytes[index &+ 1], bytes[index &+ 2])
            // SAFETY: the claim is four bytes for each three of the span, and what is left.
            unsafe output.storeBytes(of: digits.littleEndian, as: UInt32.self)
            unsafe output += 4
            index &+= 3
        }
        guard index < bytes.count else { return }
        let isPair = index &+ 1 < bytes.count
        let digits = Base64URL.group(bytes[index], isPair ? bytes[index &+ 1] : 0, 0)
        unsafe output.storeBytes(of: UInt8(truncatingIfNeeded: digits), as: UInt8.self)
        unsafe output.storeBytes(
            of: UInt8(truncatingIfNeeded: digits &>> 8), toByteOffset: 1, as: UInt8.self)
        guard isPair else { return }
        unsafe output.storeBytes(
            of: UInt8(truncatingIfNeeded: digits &>> 16), toByteOffset: 2, as: UInt8.self)
    }
}
