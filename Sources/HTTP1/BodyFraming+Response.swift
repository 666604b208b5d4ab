// SPDX-License-Identifier: Apache-2.0
import Bytes

extension BodyFraming {
    /// How a response's content ends (RFC 9112 §6.3).
    static func ofResponse(
        _ fields: borrowing FieldSection, in bytes: Span<UInt8>, minorVersion: UInt8,
        status: Int, to method: Method
    ) throws(HeadFault) -> BodyFraming {
        let declared = try declared(by: fields, in: bytes, minorVersion: minorVersion)
        if status < 200 || status == 204 {
            // RFC 9110 §8.6 and RFC 9112 §6.1 forbid both fields here; a recipient that believed
            // one would wait for content. A length of 0 can be read in one way only, and
            // servers do send it.
            switch declared {
            case nil, .length(0)?: return BodyFraming.none
            case .length?: throw .malformed(.lengthWithoutBody)
            default: throw .malformed(.transferCodingWithoutBody)
            }
        }
        if status == 304 || method == .head { return BodyFraming.none }
        return declared ?? .untilClose
    }
}
