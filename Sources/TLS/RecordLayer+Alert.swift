// SPDX-License-Identifier: Apache-2.0

extension RecordLayer {
    /// What ends a connection (RFC 8446 §6).
    enum Alert: UInt8 {
        case closeNotify = 0
        case unexpectedMessage = 10
        case badRecordMAC = 20
        case recordOverflow = 22
        case illegalParameter = 47
        case decodeError = 50
        case internalError = 80

        var reason: String {
            switch self {
            case .closeNotify: "closed"
            case .unexpectedMessage: "unexpected message"
            case .badRecordMAC: "bad record mac"
            case .recordOverflow: "record overflow"
            case .illegalParameter: "illegal parameter"
            case .decodeError: "decode error"
            case .internalError: "internal error"
            }
        }
    }
}
