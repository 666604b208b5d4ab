// SPDX-License-Identifier: Apache-2.0

/// Byte constants by their names in RFC 5234 and RFC 9112.
extension UInt8 {
    @inlinable package static var tab: UInt8 { 0x09 }
    @inlinable package static var lineFeed: UInt8 { 0x0A }
    @inlinable package static var carriageReturn: UInt8 { 0x0D }
    @inlinable package static var space: UInt8 { 0x20 }
    @inlinable package static var quote: UInt8 { 0x22 }
    @inlinable package static var comma: UInt8 { 0x2C }
    @inlinable package static var colon: UInt8 { 0x3A }
    @inlinable package static var semicolon: UInt8 { 0x3B }
    @inlinable package static var equals: UInt8 { 0x3D }
    @inlinable package static var backslash: UInt8 { 0x5C }

    @inlinable
    package var isDigit: Bool { self &- 0x30 < 10 }

    @inlinable
    package var isUpper: Bool { self &- 0x41 < 26 }

    @inlinable
    package var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// ASCII letters in lower case; every other byte as it is.
    @inlinable
    package var lowercased: UInt8 { isUpper ? self | 0x20 : self }

    /// `tchar` of RFC 9110 §5.6.2: what method and field names are made of.
    @inlinable
    package var isTokenCharacter: Bool {
        if self < 64 { return 0x03FF_6CFA_0000_0000 >> UInt64(self) & 1 == 1 }
        if self < 128 { return 0x57FF_FFFF_C7FF_FFFE >> UInt64(self &- 64) & 1 == 1 }
        return false
    }
}

extension Span where Element == UInt8 {
    @inlinable
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in indices where unsafe self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// Equal but for ASCII case; `text` in lower case.
    @inlinable
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in indices
        where unsafe self[index].lowercased != text.utf8Start[index] { return false }
        return true
    }

    @inlinable
    package func equals(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    @inlinable
    package func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount
        where unsafe self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// The span without spaces and tabs at either end (OWS of RFC 9110 §5.6.3).
    @inlinable
    package var trimmed: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var low = 0
            var high = count
            while low < high, self[low] == .space || self[low] == .tab { low += 1 }
            while high > low, self[high - 1] == .space || self[high - 1] == .tab { high -= 1 }
            return extracting(low..<high)
        }
    }

    /// Decimal digits alone, without sign or space; `nil` for anything else or beyond `UInt64.max`.
    @inlinable
    package var decimal: UInt64? {
        guard count > 0, count <= 20 else { return nil }
        var value: UInt64 = 0
        for index in indices {
            guard self[index].isDigit else { return nil }
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(self[index] &- 0x30))
            guard !over, !carry else { return nil }
            value = sum
        }
        return value
    }

    package var string: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }

    package var array: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return bytes
    }
}
