// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import TestSupport
import Testing

@testable import TLS

/// What OpenSSL's client answers to the server's flight, taken apart for a test to change: its
/// messages are opened and sealed again with the secret that it tells.
final class ClientFlight {
    let server: Server
    let client: TLSClient
    /// Certificate, CertificateVerify and Finished, as far as the client sends them.
    let messages: [[UInt8]]
    private var sealing: RecordProtection

    init(_ context: TLSServerContext, _ offer: TLSOffer, now: UInt64) throws {
        server = try Server(context, now: now)
        client = try TLSClient(
            protocols: ["http/1.1"], resuming: nil, offersTLS12Alone: false, offer: offer)
        client.handshake()
        try #require(server.handshake(client.takeOutput()) == .needMore)
        client.feed(server.takeOutput())
        client.handshake()
        let suite = try #require(CipherSuite(rawValue: client.suite))
        let secret = client.handshakeSecret
        sealing = RecordProtection(suite, .of(secret), isSealing: true)
        var opening = RecordProtection(suite, .of(secret), isSealing: false)
        try #require(sealing.setKey() && opening.setKey())
        messages = try Self.messages(client.takeOutput(), &opening)
    }

    /// - Parameter flight: change_cipher_spec, and then sealed records.
    private static func messages(
        _ flight: [UInt8], _ opening: inout RecordProtection
    ) throws -> [[UInt8]] {
        var rest = flight[...]
        var stream: [UInt8] = []
        while rest.count > 5 {
            let length = Int(rest[rest.startIndex + 3]) << 8 | Int(rest[rest.startIndex + 4])
            let record = Array(rest.prefix(5 + length))
            rest = rest.dropFirst(5 + length)
            guard record[0] == 23 else { continue }
            var inner = [UInt8](repeating: 0, count: length - 16)
            // SAFETY: the record is whole, and the room that of its plaintext.
            let isOpened = unsafe inner.withUnsafeMutableBufferPointer { place in
                guard let base = place.baseAddress else { return false }
                return unsafe record.withUnsafeBufferPointer {
                    guard let source = $0.baseAddress else { return false }
                    return unsafe opening.open(source, length: length, into: base)
                }
            }
            try #require(isOpened && inner.popLast() == 22)
            stream += inner
        }
        var messages: [[UInt8]] = []
        while stream.count >= 4 {
            let count = 4 + Int(stream[1]) << 16 + Int(stream[2]) << 8 + Int(stream[3])
            messages.append(Array(stream.prefix(count)))
            stream.removeFirst(count)
        }
        return messages
    }

    var certificates: [UInt8] { messages[0] }
    var proof: [UInt8] { messages[1] }
    var finished: [UInt8] { messages[messages.count - 1] }

    // MARK: Sealing

    /// In records of so much plaintext.
    func seal(_ content: [UInt8], capacity: Int = 16_384, type: UInt8 = 22) -> [UInt8] {
        var records: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: capacity) {
            records += record(Array(content[start..<min(start + capacity, content.count)]), type)
        }
        return records
    }

    private func record(_ content: [UInt8], _ type: UInt8) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: content.count + TLSSession.recordOverhead)
        // SAFETY: the record has 22 bytes more than the content.
        let isSealed = unsafe record.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            return unsafe content.withUnsafeBufferPointer {
                unsafe sealing.seal($0.baseAddress, $0.count, type: type, into: base)
            }
        }
        precondition(isSealed)
        return record
    }

    /// The alert that the server answers these records with; `nil` where it does not fail.
    func alert(_ records: [UInt8]) throws -> UInt8? {
        guard case .failed(.handshake(let reason)) = server.handshake(records) else { return nil }
        #expect(!reason.isEmpty && reason != "unknown")
        client.feed(server.takeOutput())
        _ = client.read()
        #expect(server.clientCertificate == nil)
        return client.alert
    }

    // MARK: Messages

    static func message(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        [type] + number(content.count, 3) + content
    }

    /// A Certificate message with these.
    static func certificates(
        _ list: [[UInt8]], context: [UInt8] = [], extensions: [UInt8] = []
    ) -> [UInt8] {
        let entries = list.flatMap {
            number($0.count, 3) + $0 + number(extensions.count, 2) + extensions
        }
        return message(11, number(context.count, 1) + context + number(entries.count, 3) + entries)
    }

    static func proof(_ scheme: Int, _ signature: [UInt8]) -> [UInt8] {
        message(15, number(scheme, 2) + number(signature.count, 2) + signature)
    }

    private static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
    }
}
