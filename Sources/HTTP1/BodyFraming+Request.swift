// SPDX-License-Identifier: Apache-2.0
import Bytes

extension BodyFraming {
    /// How a request's content ends: a request that says nothing has none (RFC 9112 §6.3).
    static func ofRequest(
        _ fields: borrowing FieldSection, in bytes: Span<UInt8>, minorVersion: UInt8
    ) throws(HeadFault) -> BodyFraming {
        try declared(by: fields, in: bytes, minorVersion: minorVersion) ?? BodyFraming.none
    }
}
