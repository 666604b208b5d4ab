// SPDX-License-Identifier: Apache-2.0

/// A client's Certificate message (RFC 8446 §4.4.2): where its certificates lie.
struct CertificateList {
    static let countMax = 10

    /// DER in the message, the leaf first; empty where the client has no certificate.
    private(set) var entries: [Range<Int>] = []

    /// - Parameter message: whole, with its header.
    init(_ message: Span<UInt8>) throws(Alert) {
        var reader = MessageReader(HandshakeMessage.headerCount..<message.count)
        // What the request had, which is nothing in a handshake (§4.3.2).
        guard try reader.vector(message, size: 1, 0...255).isAtEnd else {
            throw .illegalParameter
        }
        var list = try reader.vector(message, size: 3, 0...0xFF_FFFF)
        try reader.expectEnd()
        while !list.isAtEnd {
            let certificate = try list.vector(message, size: 3, 1...0xFF_FFFF).rest
            // §4.2: none was asked for.
            guard try list.vector(message, size: 2, 0...0xFFFF).isAtEnd else {
                throw .unsupportedExtension
            }
            guard entries.count < Self.countMax else { throw .badCertificate }
            entries.append(certificate)
        }
    }
}
