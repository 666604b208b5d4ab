// SPDX-License-Identifier: Apache-2.0

/// RFC 8446 §B.3.
enum HandshakeType: UInt8 {
    case clientHello = 1
    case serverHello = 2
    case newSessionTicket = 4
    case encryptedExtensions = 8
    case certificate = 11
    case certificateRequest = 13
    case certificateVerify = 15
    case finished = 20
    case keyUpdate = 24
    case messageHash = 254
}

/// A handshake message that is being written: type, length, content (RFC 8446 §4).
struct HandshakeMessage {
    static let headerCount = 4

    private var bytes: [UInt8] = []

    init(_ type: HandshakeType, capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
        bytes += [type.rawValue, 0, 0, 0]
    }

    /// Big-endian, in `size` bytes.
    mutating func append(number: Int, size: Int) {
        for place in stride(from: 8 * (size - 1), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> place))
        }
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append(_ content: Span<UInt8>) {
        for index in content.indices { bytes.append(content[index]) }
    }

    /// A vector: its length in `size` bytes, then what `body` writes.
    mutating func vector(size: Int, _ body: (inout HandshakeMessage) -> Void) {
        let start = bytes.count
        append(number: 0, size: size)
        body(&self)
        let count = bytes.count - start - size
        for index in 0..<size {
            bytes[start + index] = UInt8(truncatingIfNeeded: count >> (8 * (size - 1 - index)))
        }
    }

    /// An extension (§4.2).
    mutating func addExtension(_ type: Int, _ body: (inout HandshakeMessage) -> Void) {
        append(number: type, size: 2)
        vector(size: 2, body)
    }

    /// The whole message, with its length.
    consuming func finish() -> [UInt8] {
        let count = bytes.count - Self.headerCount
        for index in 0..<3 {
            bytes[1 + index] = UInt8(truncatingIfNeeded: count >> (8 * (2 - index)))
        }
        return bytes
    }
}
