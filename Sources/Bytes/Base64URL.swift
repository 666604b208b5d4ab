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

    private static func value(_ digit: UInt8, standard: Bool) -> UInt8? {
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
        let left = count % 4
        guard left != 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count * 3 / 4)
        let values = standard ? standardValues.span : urlValues.span
        let whole = count - left
        // What is no digit has a value above 63, which is looked for once at the end: strangers
        // send this, and a branch a digit costs more than the digit.
        var seen = decodeGroups(text.extracting(0..<whole), values, into: &bytes)
        if left > 0 {
            let first = values[Int(text[whole])]
            let second = values[Int(text[whole + 1])]
            let third = left == 3 ? values[Int(text[whole + 2])] : 0
            seen |= first | second | third
            let place = whole / 4 * 3
            bytes[place] = first << 2 | second >> 4
            if left == 3 { bytes[place + 1] = second << 4 | third >> 2 }
            guard (left == 3 ? third & 3 : second & 15) == 0 else { return nil }
        }
        return seen < 64 ? bytes : nil
    }

    /// - Returns: all values together, by their bits.
    private static func decodeGroups(
        _ text: Span<UInt8>, _ values: Span<UInt8>, into bytes: inout [UInt8]
    ) -> UInt8 {
        let groups = text.count / 4
        precondition(values.count == 256 && bytes.count >= groups * 3)
        var seen: UInt8 = 0
        var output = bytes.mutableSpan
        // SAFETY: four digits are read and three bytes written a group, within the counts above;
        // a byte is no offset beyond 255.
        unsafe text.withUnsafeBufferPointer { text in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe output.withUnsafeMutableBufferPointer { output in
                    guard groups > 0, var source = text.baseAddress,
                        let value = values.baseAddress, var place = output.baseAddress
                    else { return }
                    for _ in 0..<groups {
                        let first = unsafe value[Int(source[0])]
                        let second = unsafe value[Int(source[1])]
                        let third = unsafe value[Int(source[2])]
                        let fourth = unsafe value[Int(source[3])]
                        seen |= first | second | third | fourth
                        unsafe place[0] = first &<< 2 | second &>> 4
                        unsafe place[1] = second &<< 4 | third &>> 2
                        unsafe place[2] = third &<< 6 | fourth
                        unsafe source += 4
                        unsafe place += 3
                    }
                }
            }
        }
        return seen
    }

    /// By byte: the digit's value, or 255.
    private static let urlValues = (0..<256).map { value(UInt8($0), standard: false) ?? 255 }
    private static let standardValues = (0..<256).map { value(UInt8($0), standard: true) ?? 255 }
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
