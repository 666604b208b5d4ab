// SPDX-License-Identifier: Apache-2.0
import Bytes

extension RequestHead {
    /// Judges what the lines say together, once all of them are there.
    mutating func interpret(_ bytes: Span<UInt8>) throws(HeadFault) {
        guard method != .connect else { throw .malformed(.connect) }
        try checkHost(bytes)
        try splitTarget(bytes)
        framing = try .ofRequest(fields, in: bytes, minorVersion: minorVersion)
        connection = try ConnectionOptions(fields, in: bytes)
        keepsAlive = connection.keepsAlive(minorVersion: minorVersion)
        // RFC 9110 §7.8 and §10.1.1: both are to be ignored in HTTP/1.0.
        wantsUpgrade = minorVersion >= 1 && connection.upgrade && fields.contains(.upgrade)
        expectsContinue = false
        expectationUnknown = false
        if fields.contains(.expect) { readExpectations(bytes) }
    }

    /// RFC 9112 §3.2: exactly one Host; HTTP/1.0 may go without.
    private func checkHost(_ bytes: Span<UInt8>) throws(HeadFault) {
        guard let host = fields.first(.host) else {
            guard minorVersion == 0 else { throw .malformed(.hostMissing) }
            return
        }
        guard !fields.isRepeated(.host) else { throw .malformed(.hostRepeated) }
        guard Authority.isValid(fields[host].value(in: bytes)) else {
            throw .malformed(.hostInvalid)
        }
    }

    private mutating func splitTarget(_ bytes: Span<UInt8>) throws(HeadFault) {
        pathOffset = targetOffset
        pathCount = targetCount
        if bytes[targetOffset] == UInt8(ascii: "/") {
            targetForm = .origin
        } else if targetCount == 1, bytes[targetOffset] == UInt8(ascii: "*") {
            // RFC 9112 §3.2.4: only OPTIONS is asked of the server as a whole.
            guard method == .options else { throw .malformed(.target) }
            targetForm = .asterisk
        } else {
            targetForm = .absolute
            try splitAbsolute(bytes)
        }
    }

    /// RFC 9112 §3.2.2. The authority must be the Host's: the RFC lets the target win, but an
    /// upstream that reads Host would route by another name than we did.
    private mutating func splitAbsolute(_ bytes: Span<UInt8>) throws(HeadFault) {
        let target = bytes.extracting(targetRange)
        let scheme: Int
        if target.hasPrefixIgnoringCase("http://") {
            scheme = 7
        } else if target.hasPrefixIgnoringCase("https://") {
            scheme = 8
        } else {
            throw .malformed(.target)
        }
        var end = scheme
        while end < target.count, target[end] != UInt8(ascii: "/"), target[end] != UInt8(ascii: "?")
        {
            end &+= 1
        }
        let authority = target.extracting(scheme..<end)
        guard Authority.isValid(authority) else { throw .malformed(.target) }
        if let host = fields.first(.host) {
            guard fields[host].value(in: bytes).equalsIgnoringCase(authority) else {
                throw .malformed(.hostDiffers)
            }
        }
        pathOffset = targetOffset &+ end
        pathCount = targetCount &- end
    }

    private mutating func readExpectations(_ bytes: Span<UInt8>) {
        for index in 0..<fields.count where fields[index].name == .expect {
            if fields[index].value(in: bytes).equalsIgnoringCase("100-continue") {
                expectsContinue = minorVersion >= 1
            } else {
                expectationUnknown = true
            }
        }
        // Said twice it is a list, which no upstream is known to read.
        if fields.isRepeated(.expect) { expectationUnknown = true }
    }
}
