// SPDX-License-Identifier: Apache-2.0

/// What ends a connection (RFC 8446 §6).
enum Alert: UInt8, Error {
    case closeNotify = 0
    case unexpectedMessage = 10
    case badRecordMAC = 20
    case recordOverflow = 22
    case handshakeFailure = 40
    case illegalParameter = 47
    case decodeError = 50
    case decryptError = 51
    case protocolVersion = 70
    case internalError = 80
    case missingExtension = 109
    case unrecognizedName = 112
    case noApplicationProtocol = 120

    /// Followed by close_notify (§6.1), and no end by itself.
    static let userCanceled: UInt8 = 90

    var reason: String {
        switch self {
        case .closeNotify: "closed"
        case .unexpectedMessage: "unexpected message"
        case .badRecordMAC: "bad record mac"
        case .recordOverflow: "record overflow"
        case .handshakeFailure: "no cipher suite, group or signature in common"
        case .illegalParameter: "illegal parameter"
        case .decodeError: "decode error"
        case .decryptError: "finished or binder is wrong"
        case .protocolVersion: "no protocol version in common"
        case .internalError: "internal error"
        case .missingExtension: "missing extension"
        case .unrecognizedName: "unrecognized name"
        case .noApplicationProtocol: "no application protocol in common"
        }
    }
}
