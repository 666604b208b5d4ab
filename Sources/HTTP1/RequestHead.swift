// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The form of a request target (RFC 9112 §3.2). Authority-form belongs to CONNECT, which is
/// refused.
package enum TargetForm: UInt8, Sendable {
    case origin, absolute, asterisk
}

/// A request's head, as offsets into the bytes it was parsed from.
///
/// One serves a worker for all its connections: a parse overwrites it. It means something only
/// from a `.complete` until the next parse.
@usableFromInline
package struct RequestHead: ~Copyable {
    package internal(set) var method = Method.other
    package internal(set) var methodOffset = 0
    package internal(set) var methodCount = 0
    package internal(set) var targetOffset = 0
    package internal(set) var targetCount = 0
    package internal(set) var targetForm = TargetForm.origin
    /// Path and query within the target: all of it but in absolute-form, where it may be empty or
    /// begin with `?`.
    package internal(set) var pathOffset = 0
    package internal(set) var pathCount = 0
    /// 0 or 1.
    package internal(set) var minorVersion: UInt8 = 1
    /// Bytes of the whole head, an empty line before it and the one after it included.
    package internal(set) var count = 0
    @usableFromInline
    package internal(set) var fields = FieldSection()
    package internal(set) var framing = BodyFraming.none
    package internal(set) var connection = ConnectionOptions()
    /// The client lets the connection go on after this request.
    package internal(set) var keepsAlive = false
    /// `Expect: 100-continue` in HTTP/1.1 (RFC 9110 §10.1.1).
    package internal(set) var expectsContinue = false
    /// An expectation that is no other's business to meet: 417.
    package internal(set) var expectationUnknown = false
    /// An Upgrade field that Connection names, in HTTP/1.1 (RFC 9110 §7.8).
    package internal(set) var wantsUpgrade = false

    package init() {}

    @inlinable
    package var fieldCount: Int { fields.count }

    @inlinable
    package subscript(index: Int) -> HeaderField { fields[index] }

    @inlinable
    package func first(_ name: FieldName) -> Int? { fields.first(name) }

    package func count(of name: FieldName) -> Int { fields.count(of: name) }

    @inlinable
    package func contains(_ name: FieldName) -> Bool { fields.contains(name) }

    package var methodRange: Range<Int> { methodOffset..<(methodOffset &+ methodCount) }

    package var targetRange: Range<Int> { targetOffset..<(targetOffset &+ targetCount) }

    package var pathRange: Range<Int> { pathOffset..<(pathOffset &+ pathCount) }

    /// Bytes of the request line without its CRLF.
    package var requestLineCount: Int { methodCount &+ targetCount &+ 2 &+ Version.count }

    /// The value of the first field of that name.
    @inlinable
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
