// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What a client asks for in its first message (RFC 8446 §4.1.2), read before libssl sees it.
package struct ClientHello {
    package static let serverNameMax = 255

    /// Bytes of ``serverName`` in use; 0 without SNI.
    package private(set) var serverNameCount = 0
    /// RFC 6066 §3, in lower case as far as it goes.
    package private(set) var serverName = InlineArray<255, UInt8>(repeating: 0)
    /// `supported_versions` lists 0x0304.
    package private(set) var offersTLS13 = false
    package private(set) var offersALPN = false
    package private(set) var offersHTTP11 = false

    package init() {}

    /// What the first bytes of a connection are.
    package enum Inspection: Equatable {
        case needMore
        /// Not a TLS handshake record: an HTTP method's letter, or anything else.
        case plaintext
        case hello
        /// TLS by its first byte, but no ClientHello that could be read.
        case malformed
    }

    /// Reads the hello at the start of a connection, whether or not it is all there yet.
    ///
    /// - Parameter bytes: everything received so far; nothing is consumed. A hello split over
    ///   several records (RFC 8446 §5.1) is read through.
    package mutating func inspect(_ bytes: Span<UInt8>) -> Inspection {
        guard bytes.count > 0 else { return .needMore }
        guard bytes[0] == HelloReader.handshakeRecord else { return .plaintext }
        self = ClientHello()
        var reader = HelloReader()
        do throws(HelloReader.Stop) {
            try readMessage(&reader, bytes)
            return .hello
        } catch {
            return error == .needMore ? .needMore : .malformed
        }
    }

    private mutating func readMessage(
        _ reader: inout HelloReader, _ bytes: Span<UInt8>
    ) throws(HelloReader.Stop) {
        guard try reader.byte(bytes) == 1 else { throw .malformed }
        let length = try reader.number(bytes, size: 3)
        guard length <= HelloReader.messageMax else { throw .malformed }
        reader.remaining = length
        _ = try reader.number(bytes, size: 2)
        try reader.skip(bytes, 32)
        try reader.skip(bytes, reader.number(bytes, size: 1))
        try reader.skip(bytes, reader.number(bytes, size: 2))
        try reader.skip(bytes, reader.number(bytes, size: 1))
        guard reader.remaining > 0 else { return }
        guard try reader.number(bytes, size: 2) == reader.remaining else { throw .malformed }
        while reader.remaining > 0 {
            let type = try reader.number(bytes, size: 2)
            let length = try reader.number(bytes, size: 2)
            guard length <= reader.remaining else { throw .malformed }
            let after = reader.remaining - length
            switch type {
            case 0: try readServerName(&reader, bytes, length: length)
            case 16: try readProtocols(&reader, bytes, length: length)
            case 43: try readVersions(&reader, bytes, length: length)
            default: break
            }
            guard reader.remaining >= after else { throw .malformed }
            try reader.skip(bytes, reader.remaining - after)
        }
    }

    private mutating func readServerName(
        _ reader: inout HelloReader, _ bytes: Span<UInt8>, length: Int
    ) throws(HelloReader.Stop) {
        guard length >= 5 else { return }
        _ = try reader.number(bytes, size: 2)
        guard try reader.byte(bytes) == 0 else { return }
        let count = try reader.number(bytes, size: 2)
        guard count <= length - 5, count <= Self.serverNameMax else { throw .malformed }
        for index in 0..<count { serverName[index] = try reader.byte(bytes).lowercased }
        serverNameCount = count
    }

    private mutating func readProtocols(
        _ reader: inout HelloReader, _ bytes: Span<UInt8>, length: Int
    ) throws(HelloReader.Stop) {
        guard length >= 2 else { throw .malformed }
        offersALPN = true
        var rest = try reader.number(bytes, size: 2)
        guard rest == length - 2 else { throw .malformed }
        while rest > 0 {
            let count = try reader.number(bytes, size: 1)
            guard count < rest else { throw .malformed }
            rest -= count + 1
            guard count == 8 else {
                try reader.skip(bytes, count)
                continue
            }
            // "http/1.1" as one big-endian number.
            if try reader.number(bytes, size: 8) == 0x6874_7470_2F31_2E31 { offersHTTP11 = true }
        }
    }

    private mutating func readVersions(
        _ reader: inout HelloReader, _ bytes: Span<UInt8>, length: Int
    ) throws(HelloReader.Stop) {
        guard length >= 1, try reader.number(bytes, size: 1) == length - 1, length & 1 == 1 else {
            throw .malformed
        }
        for _ in 0..<(length / 2) where try reader.number(bytes, size: 2) == 0x0304 {
            offersTLS13 = true
        }
    }
}
