// SPDX-License-Identifier: Apache-2.0
import Bytes

/// One field line, as offsets into the bytes that were parsed.
@usableFromInline
package struct HeaderField: Equatable, Sendable {
    @usableFromInline package var nameOffset: UInt16
    @usableFromInline package var nameCount: UInt16
    @usableFromInline package var valueOffset: UInt16
    /// Without the white space around the value.
    @usableFromInline package var valueCount: UInt16
    @usableFromInline package var name: FieldName

    @inlinable package var nameRange: Range<Int> {
        Int(nameOffset)..<(Int(nameOffset) &+ Int(nameCount))
    }

    @inlinable package var valueRange: Range<Int> {
        Int(valueOffset)..<(Int(valueOffset) &+ Int(valueCount))
    }

    /// The name as it was sent.
    @inlinable
    @_lifetime(copy bytes)
    package func name(in bytes: Span<UInt8>) -> Span<UInt8> { bytes.extracting(nameRange) }

    @inlinable
    @_lifetime(copy bytes)
    package func value(in bytes: Span<UInt8>) -> Span<UInt8> { bytes.extracting(valueRange) }
}

/// A field in one word: kind and name's length, 8 bits each, then three times 16.
extension HeaderField {
    /// Invariant: a line's offsets lie within HeadLimits.headBytesMax, so they fit 16 bits, and its
    /// name within HeadLimits.fieldNameBytesMax, so its length fits 8.
    @inline(__always)
    static func word(_ line: FieldLine) -> UInt64 {
        UInt64(line.kind.rawValue)
            | UInt64(truncatingIfNeeded: line.name.upperBound &- line.name.lowerBound) &<< 8
            | UInt64(truncatingIfNeeded: line.name.lowerBound) &<< 16
            | UInt64(truncatingIfNeeded: line.value.lowerBound) &<< 32
            | UInt64(truncatingIfNeeded: line.value.upperBound &- line.value.lowerBound) &<< 48
    }

    @inlinable @inline(__always)
    static func name(ofWord word: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word) }

    @inlinable
    init(word: UInt64) {
        name = FieldName(rawValue: UInt8(truncatingIfNeeded: word)) ?? .other
        nameCount = UInt16(truncatingIfNeeded: word &>> 8 & 0xFF)
        nameOffset = UInt16(truncatingIfNeeded: word &>> 16)
        valueOffset = UInt16(truncatingIfNeeded: word &>> 32)
        valueCount = UInt16(truncatingIfNeeded: word &>> 48)
    }
}
