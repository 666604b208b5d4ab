// SPDX-License-Identifier: Apache-2.0
import Bytes

/// One field line, as offsets into the bytes that were parsed.
package struct HeaderField: Equatable, Sendable {
    package var nameOffset: UInt16
    package var nameCount: UInt16
    package var valueOffset: UInt16
    /// Without the white space around the value.
    package var valueCount: UInt16
    package var name: FieldName

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

    static let none = HeaderField(
        nameOffset: 0, nameCount: 0, valueOffset: 0, valueCount: 0, name: .other)
}
