// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Reads a handshake message through the records that carry it, byte by byte.
struct HelloReader {
    static let handshakeRecord: UInt8 = 22
    /// No honest ClientHello comes near: the largest, with post-quantum keys and a long
    /// pre-shared key list, stay under 8 KiB.
    static let messageMax = 16 * 1024

    enum Stop: Error {
        case needMore
        case malformed
    }

    /// Bytes of the message that are still to be read; the reader refuses to go beyond.
    var remaining = 4
    private var offset = 0
    private var recordRest = 0

    mutating func byte(_ bytes: Span<UInt8>) throws(Stop) -> UInt8 {
        guard remaining > 0 else { throw .malformed }
        if recordRest == 0 { try openRecord(bytes) }
        guard offset < bytes.count else { throw .needMore }
        defer {
            offset += 1
            recordRest -= 1
            remaining -= 1
        }
        return bytes[offset]
    }

    /// A big-endian number of `size` bytes, 8 at most.
    mutating func number(_ bytes: Span<UInt8>, size: Int) throws(Stop) -> Int {
        var value: UInt64 = 0
        for _ in 0..<size { value = value << 8 | UInt64(try byte(bytes)) }
        return Int(truncatingIfNeeded: value)
    }

    mutating func skip(_ bytes: Span<UInt8>, _ count: Int) throws(Stop) {
        guard count <= remaining else { throw .malformed }
        var left = count
        while left > 0 {
            if recordRest == 0 { try openRecord(bytes) }
            let step = min(left, recordRest, bytes.count - offset)
            guard step > 0 else { throw .needMore }
            offset += step
            recordRest -= step
            remaining -= step
            left -= step
        }
    }

    /// RFC 8446 §5.1: type, legacy version, length; a handshake record is never empty.
    private mutating func openRecord(_ bytes: Span<UInt8>) throws(Stop) {
        guard offset < bytes.count else { throw .needMore }
        guard bytes[offset] == Self.handshakeRecord else { throw .malformed }
        guard offset + 1 < bytes.count else { throw .needMore }
        guard bytes[offset + 1] == 3 else { throw .malformed }
        guard offset + 5 <= bytes.count else { throw .needMore }
        let length = Int(bytes[offset + 3]) << 8 | Int(bytes[offset + 4])
        guard length > 0, length <= 16 * 1024 else { throw .malformed }
        offset += 5
        recordRest = length
    }
}
