// SPDX-License-Identifier: Apache-2.0

/// What ends a connection (RFC 8446 §6).
enum Alert: UInt8, Error {
    case closeNotify = 0
    case unexpectedMessage = 10
    case badRecordMAC = 20
    case recordOverflow = 22
    case handshakeFailure = 40
    case badCertificate = 42
    case unsupportedCertificate = 43
    case certificateExpired = 45
    case illegalParameter = 47
    case unknownAuthority = 48
    case decodeError = 50
    case decryptError = 51
    case protocolVersion = 70
    case internalError = 80
    case missingExtension = 109
    case unsupportedExtension = 110
    case unrecognizedName = 112
    case certificateRequired = 116
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
        case .badCertificate: "bad certificate"
        case .unsupportedCertificate: "unsupported certificate"
        case .certificateExpired: "certificate expired"
        case .illegalParameter: "illegal parameter"
        case .unknownAuthority: "unknown authority"
        case .decodeError: "decode error"
        case .decryptError: "signature, finished or binder is wrong"
        case .protocolVersion: "no protocol version in common"
        case .internalError: "internal error"
        case .missingExtension: "missing extension"
        case .unsupportedExtension: "unsupported extension"
        case .unrecognizedName: "unrecognized name"
        case .certificateRequired: "certificate required"
        case .noApplicationProtocol: "no application protocol in common"
        }
    }
}
