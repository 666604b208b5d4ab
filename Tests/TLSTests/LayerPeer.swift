// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

@testable import TLS

/// A record layer between its buffers, and the other end of it: who holds the same two keys and
/// seals whatever it likes.
final class LayerPeer {
    struct Record: Equatable {
        var type: UInt8
        var content: [UInt8]

        static func data(_ content: [UInt8]) -> Record { Record(type: 23, content: content) }
        static func alert(_ number: UInt8) -> Record { Record(type: 21, content: [2, number]) }
        static let keyUpdate = Record(type: 22, content: [24, 0, 0, 1, 0])
    }

    private var layer: RecordLayer
    private var sealing: RecordProtection
    private var opening: RecordProtection
    private var pool = SlabPool(bound: 1)
    private var outputPool: SlabPool
    private var input = Buffer()
    private var output = Buffer()
    /// Whether each key was made.
    private(set) var isReady: Bool

    init(
        _ suite: CipherSuite = .aes128GCM, room: Int = Slab.capacity,
        recordsPerKeyMax: UInt64 = RecordLayer.recordsPerKeyMax,
        plaintextMax: Int = TLSSession.recordPlaintextMax
    ) {
        var reading = RecordProtection(suite, .counting(from: 1, suite), isSealing: false)
        var writing = RecordProtection(suite, .counting(from: 101, suite), isSealing: true)
        sealing = RecordProtection(suite, .counting(from: 1, suite), isSealing: true)
        opening = RecordProtection(suite, .counting(from: 101, suite), isSealing: false)
        isReady = reading.setKey() && writing.setKey()
        layer = RecordLayer(
            reading: reading, writing: writing, recordsPerKeyMax: recordsPerKeyMax,
            plaintextMax: plaintextMax)
        outputPool = SlabPool(bound: 1, slabCapacity: room)
        isReady = sealing.setKey() && opening.setKey() && isReady
        _ = input.attach(from: &pool)
        _ = output.attach(from: &outputPool)
    }

    deinit {
        input.release(to: &pool)
        output.release(to: &outputPool)
    }

    // MARK: The layer

    /// Reads with `room` bytes for plaintext at a time, until the layer asks for more.
    func read(
        _ records: [UInt8] = [], room: Int = Slab.capacity
    ) -> (bytes: [UInt8], last: TLSSession.Reading) {
        input.compact()
        input.append(array: records)
        precondition(!input.overflowed)
        var plainPool = SlabPool(bound: 1, slabCapacity: room)
        var plain = Buffer()
        _ = plain.attach(from: &plainPool)
        defer { plain.release(to: &plainPool) }
        var bytes: [UInt8] = []
        while true {
            let result = layer.read(&input, into: &plain, &output)
            bytes += plain.readable.array
            plain.clear()
            guard result == .full else { return (bytes, result) }
        }
    }

    /// Ciphertext that was fed and not taken yet.
    var unread: Int { input.count }

    func write(_ plain: [UInt8]) -> Int? { layer.write(plain.span, into: &output) }

    func close() { layer.close(into: &output) }

    // MARK: The other end

    /// Seals a record; of its plaintext only the last byte, or the padding, is the type's place.
    func seal(_ type: UInt8, _ content: [UInt8], padding: Int = 0) -> [UInt8] {
        var inner = content + [type] + [UInt8](repeating: 0, count: padding)
        let last = inner.removeLast()
        var record = [UInt8](repeating: 0, count: inner.count + TLSSession.recordOverhead)
        // SAFETY: the record has 22 bytes more than the content.
        let isSealed = unsafe record.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            return unsafe inner.withUnsafeBufferPointer {
                unsafe sealing.seal($0.baseAddress, $0.count, type: last, into: base)
            }
        }
        precondition(isSealed)
        return record
    }

    /// A KeyUpdate, and what follows it under the next key.
    func sealKeyUpdate(isAnswered: Bool = false) -> [UInt8] {
        let record = seal(22, [24, 0, 0, 1, isAnswered ? 1 : 0])
        changeKey()
        return record
    }

    func changeKey() {
        let isDone = sealing.update()
        precondition(isDone)
    }

    /// Ciphertext that waits to be sent.
    var sentCount: Int { output.count }

    /// What the layer has sent; `nil` where it is not all whole and authentic.
    ///
    /// - Parameter following: changes the key after a KeyUpdate.
    func answers(following: Bool = true) -> [Record]? {
        let sent = output.readable.array
        output.consume(sent.count)
        var rest = sent[...]
        var records: [Record] = []
        while rest.count >= 5 {
            let length = Int(rest[rest.startIndex + 3]) << 8 | Int(rest[rest.startIndex + 4])
            guard rest.count >= 5 + length, length > 16 else { return nil }
            guard let record = open(Array(rest.prefix(5 + length))) else { return nil }
            rest = rest.dropFirst(5 + length)
            records.append(record)
            if following, record == .keyUpdate, !opening.update() { return nil }
        }
        return rest.isEmpty ? records : nil
    }

    private func open(_ record: [UInt8]) -> Record? {
        var inner = [UInt8](repeating: 0, count: record.count - 21)
        // SAFETY: the record is whole, and the room that of its plaintext.
        let isOpened = unsafe inner.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            return unsafe record.withUnsafeBufferPointer {
                guard let source = $0.baseAddress else { return false }
                return unsafe opening.open(source, length: $0.count - 5, into: base)
            }
        }
        ERR_clear_error()
        guard isOpened, let type = inner.popLast() else { return nil }
        return Record(type: type, content: inner)
    }
}

extension Secret {
    /// Bytes that count up, as many as the suite's secrets have.
    static func counting(from first: UInt8, _ suite: CipherSuite) -> Secret {
        of((0..<suite.secretCount).map { first &+ UInt8($0) })
    }

    static func of(_ bytes: [UInt8]) -> Secret { Secret(bytes.span) }
}
