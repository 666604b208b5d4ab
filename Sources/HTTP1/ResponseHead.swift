// SPDX-License-Identifier: Apache-2.0
import Bytes

/// A response's head, as offsets into the bytes it was parsed from.
///
/// One serves a worker for all its connections: a parse overwrites it.
package struct ResponseHead: ~Copyable {
    /// 100 to 599.
    package internal(set) var status = 0
    package internal(set) var reasonOffset = 0
    package internal(set) var reasonCount = 0
    /// 0 or 1.
    package internal(set) var minorVersion: UInt8 = 1
    /// Bytes of the whole head, the empty line included.
    package internal(set) var count = 0
    package internal(set) var fields = FieldSection()
    package internal(set) var framing = BodyFraming.none
    package internal(set) var connection = ConnectionOptions()
    /// The upstream lets the connection go on after this response.
    package internal(set) var keepsAlive = false

    package init() {}

    /// A 1xx answer, after which another head follows; 101 is final in that nothing of HTTP does.
    package var isInterim: Bool { status < 200 && status != 101 }

    package var fieldCount: Int { fields.count }

    package subscript(index: Int) -> HeaderField { fields[index] }

    package func first(_ name: FieldName) -> Int? { fields.first(name) }

    package func count(of name: FieldName) -> Int { fields.count(of: name) }

    package func contains(_ name: FieldName) -> Bool { fields.contains(name) }

    package var reasonRange: Range<Int> { reasonOffset..<(reasonOffset &+ reasonCount) }

    /// The value of the first field of that name.
    @_lifetime(copy bytes)
    package func value(_ name: FieldName, in bytes: Span<UInt8>) -> Span<UInt8>? {
        guard let index = fields.first(name) else { return nil }
        return fields[index].value(in: bytes)
    }

    /// Whether field `index` is for this hop alone because a Connection field lists it.
    package func isNamedByConnection(_ index: Int, in bytes: Span<UInt8>) -> Bool {
        connection.namesFields && fields.isNamedByConnection(index, in: bytes)
    }
}
