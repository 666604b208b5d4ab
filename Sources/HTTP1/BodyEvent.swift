// SPDX-License-Identifier: Apache-2.0

/// What a body decoder found next. Offsets and ranges are those of the span it was given; the
/// caller goes on from ``consumed`` and may drop the bytes before it.
package enum BodyEvent: Equatable, Sendable {
    /// All bytes up to here are accounted for, and the rest (if any) is not enough.
    case needMore(consumed: Int)
    /// Content, to be passed on.
    case data(Range<Int>)
    /// A field of the trailer section.
    case trailer(TrailerField)
    /// The message's last byte lies before this offset.
    case end(offset: Int)

    package var consumed: Int {
        switch self {
        case .needMore(let consumed): consumed
        case .data(let range): range.upperBound
        case .trailer(let field): field.end
        case .end(let offset): offset
        }
    }
}

package typealias ChunkedEvent = BodyEvent

/// One field of a trailer section (RFC 9110 §6.5).
package struct TrailerField: Equatable, Sendable {
    package var name: Range<Int>
    /// Without the white space around it.
    package var value: Range<Int>
    /// What the name is, so that fields which a gateway removes are removed here too.
    package var kind: FieldName
    /// After the line's CRLF.
    package var end: Int
}

/// Why a body is refused.
package enum BodyFault: UInt8, Error, Sendable {
    case chunkSize, chunkExtension, chunkExtensionTooLong, chunkDelimiter
    case trailer, trailerTooLarge, trailerForbidden
    /// The connection ended before the message did.
    case truncated

    package var description: StaticString {
        switch self {
        case .chunkSize: "chunk size is not 1 to 16 hexadecimal digits below 2^63"
        case .chunkExtension: "chunk extension is malformed"
        case .chunkExtensionTooLong: "chunk extensions beyond their limit"
        case .chunkDelimiter: "chunk does not end in CRLF"
        case .trailer: "trailer field is malformed"
        case .trailerTooLarge: "trailer section beyond its limit"
        case .trailerForbidden: "field that may not be in a trailer section"
        case .truncated: "connection ended within a message"
        }
    }
}
