// SPDX-License-Identifier: Apache-2.0

/// Why a head is refused.
package enum HeadFault: Error, Equatable {
    /// Not what RFC 9112 allows, or readable in more than one way: 400.
    case malformed(MalformedReason)
    /// The request line is longer than its limit: 414.
    case uriTooLong
    /// The head, a field name or the number of fields is beyond its limit: 431.
    case headersTooLarge
    /// A well-formed HTTP version other than 1.0 and 1.1: 505.
    case versionUnsupported
}

/// What exactly was malformed; for the log, never for the peer.
package enum MalformedReason: UInt8, Sendable {
    case method, connect, target, version, statusLine, status
    case bareCarriageReturn, bareLineFeed, control
    case foldedLine, fieldName
    case hostMissing, hostRepeated, hostInvalid, hostDiffers
    case contentLength, contentLengthRepeated, lengthWithCoding, lengthWithoutBody
    case transferCoding, transferCodingRepeated, transferCodingVersion, transferCodingWithoutBody
    case connectionOption

    package var description: StaticString {
        switch self {
        case .method: "method is not a token of at most 32 bytes"
        case .connect: "CONNECT is not served"
        case .target: "request target"
        case .version: "HTTP version"
        case .statusLine: "status line"
        case .status: "status code outside 100 to 599"
        case .bareCarriageReturn: "CR without LF"
        case .bareLineFeed: "LF without CR"
        case .control: "control character"
        case .foldedLine: "line begins with white space"
        case .fieldName: "field name"
        case .hostMissing: "no Host"
        case .hostRepeated: "more than one Host"
        case .hostInvalid: "Host is not a host and port"
        case .hostDiffers: "Host is not the target's authority"
        case .contentLength: "Content-Length is not one decimal number"
        case .contentLengthRepeated: "more than one Content-Length"
        case .lengthWithCoding: "Content-Length with Transfer-Encoding"
        case .lengthWithoutBody: "Content-Length on a status without content"
        case .transferCoding: "Transfer-Encoding is not chunked"
        case .transferCodingRepeated: "more than one Transfer-Encoding"
        case .transferCodingVersion: "Transfer-Encoding in HTTP/1.0"
        case .transferCodingWithoutBody: "Transfer-Encoding on a status without content"
        case .connectionOption: "Connection option"
        }
    }
}
