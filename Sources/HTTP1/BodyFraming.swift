// SPDX-License-Identifier: Apache-2.0
import Bytes

/// How the end of a message's content is known (RFC 9112 §6).
package enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: all bytes until the connection ends.
    case untilClose
}

extension BodyFraming {
    /// What Content-Length and Transfer-Encoding say, the same for requests and responses; `nil`
    /// where neither is there.
    ///
    /// RFC 9112 §6.3 lets a recipient repair some of what is refused here (equal lengths, a length
    /// beside a coding). A gateway that repairs must hope that the other side repairs likewise,
    /// so it does not.
    static func declared(
        by fields: borrowing FieldSection, in bytes: Span<UInt8>, minorVersion: UInt8
    ) throws(HeadFault) -> BodyFraming? {
        if let coding = fields.first(.transferEncoding) {
            guard !fields.isRepeated(.transferEncoding) else {
                throw .malformed(.transferCodingRepeated)
            }
            guard !fields.contains(.contentLength) else { throw .malformed(.lengthWithCoding) }
            guard minorVersion >= 1 else { throw .malformed(.transferCodingVersion) }
            guard fields[coding].value(in: bytes).equalsIgnoringCase("chunked") else {
                throw .malformed(.transferCoding)
            }
            return .chunked
        }
        if let length = fields.first(.contentLength) {
            guard !fields.isRepeated(.contentLength) else {
                throw .malformed(.contentLengthRepeated)
            }
            guard let count = fields[length].value(in: bytes).decimal, count <= lengthMax else {
                throw .malformed(.contentLength)
            }
            return .length(count)
        }
        return nil
    }

    /// Beyond this a peer's signed arithmetic overflows, and it may read another number.
    private static var lengthMax: UInt64 { UInt64(Int64.max) }
}
