// SPDX-License-Identifier: Apache-2.0

import Bytes

/// One request, and how much of an answer is waited for.
package struct FetchRequest {
    package static let timeoutMillisecondsUsual = 5000
    package static let bodyBytesUsual = 256 * 1024

    package let method: String
    /// With the query, if there is one.
    package let path: String
    /// What the Host field says.
    package let host: String
    package let userAgent: String
    package let fields: [(name: String, value: String)]
    /// JSON, or nothing.
    package let body: [UInt8]
    /// For all of it, from the first packet to the answer's last byte.
    package let timeoutMilliseconds: Int
    /// A longer answer is ``FetchFault/tooLarge(limit:)``.
    package let bodyBytesMax: Int

    package init(
        method: String = "GET", path: String, host: String, userAgent: String = "agentport",
        fields: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeoutMilliseconds: Int = timeoutMillisecondsUsual, bodyBytesMax: Int = bodyBytesUsual
    ) {
        self.method = method
        self.path = path
        self.host = host
        self.userAgent = userAgent
        self.fields = fields
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.bodyBytesMax = bodyBytesMax
    }

    /// The request as it is sent; `nil` where path, host or a field would end their line.
    var bytes: [UInt8]? {
        guard path.utf8.first == UInt8(ascii: "/"), Self.isVisible(path), Self.isVisible(host),
            Self.isVisible(userAgent),
            fields.allSatisfy({ Self.isVisible($0.name) && Self.isText($0.value) })
        else { return nil }
        var text =
            "\(method) \(path) HTTP/1.1\r\nhost: \(host)\r\nuser-agent: \(userAgent)\r\n"
            + "accept: */*\r\nconnection: close\r\n"
        for field in fields { text += "\(field.name): \(field.value)\r\n" }
        if !body.isEmpty || method == "POST" {
            text += "content-type: application/json\r\ncontent-length: \(body.count)\r\n"
        }
        return Array((text + "\r\n").utf8) + body
    }

    private static func isText(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    private static func isVisible(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

/// An answer, whole.
package struct FetchResponse: Equatable {
    /// 200 to 599.
    package let status: Int
    /// What the server's clock said, in seconds since the epoch; `nil` where it did not.
    package let date: UInt64?
    package let body: [UInt8]

    package init(status: Int, date: UInt64? = nil, body: [UInt8]) {
        self.status = status
        self.date = date
        self.body = body
    }
}

/// Why there is no whole answer. The description is one line fit for a log: fixed texts and
/// numbers, nothing of the peer's own words.
package enum FetchFault: Error, Equatable, CustomStringConvertible {
    /// The system's words, or that there is no address.
    case connect(String)
    case timedOut(milliseconds: Int)
    case tls(String)
    /// The connection ended before the answer did.
    case cut
    /// The answer is not what RFC 9112 allows.
    case malformed(String)
    case tooLarge(limit: Int)
    /// The request cannot be written.
    case request
    /// As many fetches run as there may.
    case busy

    package var description: String {
        switch self {
        case .connect(let reason): "connect: \(reason)"
        case .timedOut(let time) where time % 1000 == 0: "timed out after \(time / 1000)s"
        case .timedOut(let time): "timed out after \(time)ms"
        case .tls(let reason): "tls: \(reason)"
        case .cut: "connection ended before the answer did"
        case .malformed(let reason): "malformed answer: \(reason)"
        case .tooLarge(let limit): "answer is larger than \(limit) bytes"
        case .request: "path or host cannot be sent"
        case .busy: "too many fetches at once"
        }
    }
}
