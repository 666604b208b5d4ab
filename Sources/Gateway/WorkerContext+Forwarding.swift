// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Policy

/// Who a request comes from, where it came by way of proxies, and what is told of that.
extension WorkerContext {
    func isTrustedProxy(_ client: IPAddress) -> Bool {
        guard hasTrustedProxies else { return false }
        for block in generation.configuration.listen.trustedProxies where block.contains(client) {
            return true
        }
        return false
    }

    /// Whom limits, sessions and the log are to know: the peer, or where that is a trusted proxy
    /// the last address in `X-Forwarded-For` that is none. What stands before it anybody can have
    /// written.
    func originator(behind peer: IPAddress, _ bytes: Span<UInt8>) -> IPAddress {
        guard isTrustedProxy(peer) else { return peer }
        var client = peer
        for index in (0..<head.fieldCount).reversed() where head[index].name == .xForwardedFor {
            var rest = head[index].value(in: bytes)
            while rest.count > 0 {
                var start = rest.count
                while start > 0, rest[start - 1] != .comma { start -= 1 }
                let node = rest.extracting(start..<rest.count)
                // Who cannot be told apart is the last one who can.
                guard let address = IPAddress(forwarded: node) else { return client }
                client = address
                guard isTrustedProxy(address) else { return client }
                rest = rest.extracting(0..<max(0, start - 1))
            }
        }
        return client
    }

    /// Who asked, over what, for which host: appended to what a trusted proxy says, else said
    /// anew.
    func appendForwarding(
        _ bytes: Span<UInt8>, _ client: IPAddress, into output: inout Buffer
    ) {
        let isTrusted = isTrustedProxy(client)
        output.append("x-forwarded-for: ")
        if isTrusted { appendLists(.xForwardedFor, bytes, into: &output) }
        output.append(client)
        output.append("\r\nx-forwarded-proto: https\r\n")
        let host = head.value(.host, in: bytes)
        if isTrusted, let said = head.value(.xForwardedHost, in: bytes) {
            output.appendField("x-forwarded-host", said)
        } else if let host {
            output.appendField("x-forwarded-host", host)
        }
        output.append("forwarded: ")
        if isTrusted { appendLists(.forwarded, bytes, into: &output) }
        output.append("for=")
        appendNode(client, into: &output)
        if let host {
            output.append(";host=\"")
            output.append(host)
            output.append(.quote)
        }
        output.append(";proto=https\r\n")
    }

    /// RFC 7239 §6: an IPv6 address stands in brackets and quotes.
    private func appendNode(_ client: IPAddress, into output: inout Buffer) {
        if client.isIPv4 {
            output.append(client)
        } else {
            output.append("\"[")
            output.append(client)
            output.append("]\"")
        }
    }

    private func appendLists(
        _ name: FieldName, _ bytes: Span<UInt8>, into output: inout Buffer
    ) {
        for index in 0..<head.fieldCount where head[index].name == name {
            let value = head[index].value(in: bytes)
            guard value.count > 0 else { continue }
            output.append(value)
            output.append(", ")
        }
    }
}

extension IPAddress {
    /// An address as proxies write it: white space around it, and some add a port.
    fileprivate init?(forwarded text: Span<UInt8>) {
        var low = 0
        var high = text.count
        while low < high, text[low] == .space || text[low] == .tab { low += 1 }
        while low < high, text[high - 1] == .space || text[high - 1] == .tab { high -= 1 }
        let node = text.extracting(low..<high)
        guard node.count > 0 else { return nil }
        if node[0] == UInt8(ascii: "[") {
            guard let end = node.firstOffset(of: UInt8(ascii: "]")) else { return nil }
            self.init(node.extracting(1..<end))
        } else if let colon = node.firstOffset(of: .colon),
            node.extracting((colon + 1)..<node.count).firstOffset(of: .colon) == nil
        {
            self.init(node.extracting(0..<colon))
        } else {
            self.init(node)
        }
    }
}
