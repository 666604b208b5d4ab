// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Identity

/// What a browser can send with a WebSocket's handshake, which lets it set no header of its own:
/// `Sec-WebSocket-Protocol: agentport.bearer.<base64url key>, agentport.totp.123456, …`.
extension IdentityFilter {
    mutating func identifyByProtocols(
        _ facts: inout RequestFacts, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ pinned: Int?
    ) -> Finding {
        var found = SubprotocolCredentials()
        for index in 0..<head.fieldCount where head[index].name == .secWebSocketProtocol {
            guard found.read(head[index].value(in: bytes), at: head[index].valueRange.lowerBound)
            else { return .unknown }
        }
        if let code = found.code {
            guard !facts.code.isSent, !head.contains(.agentPortSession) else { return .unknown }
            facts.code = SentCode(bytes.extracting(code))
        }
        guard let key = found.key else { return identify(&facts, certificateOf: pinned) }
        guard let decoded = Base64URL.decode(bytes.extracting(key)), !decoded.isEmpty else {
            return .unknown
        }
        return identify(&facts, bearer: decoded.span)
    }
}

/// The credentials among the subprotocols of a handshake; ranges are offsets into the request.
package struct SubprotocolCredentials {
    package static let keyPrefix: StaticString = "agentport.bearer."
    package static let codePrefix: StaticString = "agentport.totp."

    package private(set) var key: Range<Int>?
    package private(set) var code: Range<Int>?

    package init() {}

    /// Whether one element of the list is ours.
    package static func isOurs(_ element: Span<UInt8>) -> Bool {
        element.hasPrefix(keyPrefix) || element.hasPrefix(codePrefix)
    }

    /// - Parameter offset: of the value in the request.
    /// - Returns: false where one comes twice.
    mutating func read(_ value: Span<UInt8>, at offset: Int) -> Bool {
        var start = 0
        while start <= value.count {
            let end = value.firstOffset(of: .comma, from: start) ?? value.count
            let range = value.trimmed(start..<end)
            let element = value.extracting(range)
            let place = offset + range.lowerBound
            if element.hasPrefix(Self.keyPrefix) {
                guard key == nil else { return false }
                key = place + Self.keyPrefix.utf8CodeUnitCount..<place + range.count
            } else if element.hasPrefix(Self.codePrefix) {
                guard code == nil else { return false }
                code = place + Self.codePrefix.utf8CodeUnitCount..<place + range.count
            }
            start = end + 1
        }
        return true
    }
}

extension RequestHead {
    /// Whether the subprotocols of a handshake carry credentials.
    func offersCredentials(_ bytes: Span<UInt8>) -> Bool {
        guard contains(.secWebSocketProtocol), wantsUpgrade else { return false }
        for index in 0..<fieldCount where self[index].name == .secWebSocketProtocol {
            let value = self[index].value(in: bytes)
            var start = 0
            while start <= value.count {
                let end = value.firstOffset(of: .comma, from: start) ?? value.count
                let range = value.trimmed(start..<end)
                if SubprotocolCredentials.isOurs(value.extracting(range)) { return true }
                start = end + 1
            }
        }
        return false
    }
}

extension Span where Element == UInt8 {
    /// Without the white space at either end (RFC 9110 §5.6.3).
    fileprivate func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start] == .space || self[start] == .tab { start += 1 }
        while end > start, self[end - 1] == .space || self[end - 1] == .tab { end -= 1 }
        return start..<end
    }
}
