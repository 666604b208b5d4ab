// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// A server's records after the handshake (RFC 8446 §5), sealed and opened between buffers: the
/// ciphertext is opened where it lies, or straight into the plaintext's buffer.
///
/// Two keys and a few counters are all that a connection holds: libssl would hold some 12 KB more,
/// and spend twice the instructions on each record.
@safe
struct RecordLayer: ~Copyable {
    /// What a record held.
    private enum Content {
        /// So many bytes of application data, where the record was opened to.
        case data(Int)
        case nothing
        case closed
        /// The peer has failed and says so.
        case failed
        case refused(Alert)
    }

    /// §5.2: what a record may be longer than its plaintext.
    static let expansionMax = 256
    /// Records without data that may follow each other, key updates among them. Each costs the
    /// gateway some work; libssl draws the line there too.
    private static let emptyRecordsMax = 32
    /// §5.5: a key is good for 2^24.5 records of full size.
    static let recordsPerKeyMax: UInt64 = 1 << 24
    private static let keyUpdateCount = 5

    private let recordsPerKeyMax: UInt64
    /// Of a record's plaintext, in either direction.
    private let plaintextMax: Int
    private var reading: RecordProtection
    private var writing: RecordProtection
    /// Plaintext at the front of the input, opened in place for want of room.
    private var opened = 0
    /// What lies behind it, of the same record: padding and tag.
    private var behind = 0
    private var emptyRecords = 0
    private var owesKeyUpdate = false
    private var hasSentClose = false
    private var hasClosed = false
    private var fault: String?
    /// Bytes of a KeyUpdate that have come so far.
    private var keyUpdateTaken = 0

    init(
        reading: consuming RecordProtection, writing: consuming RecordProtection,
        recordsPerKeyMax: UInt64 = Self.recordsPerKeyMax,
        plaintextMax: Int = TLSSession.recordPlaintextMax
    ) {
        self.reading = reading
        self.writing = writing
        self.recordsPerKeyMax = recordsPerKeyMax
        self.plaintextMax = plaintextMax
    }

    // MARK: Reading

    mutating func read(
        _ input: inout Buffer, into plaintext: inout Buffer, _ output: inout Buffer
    ) -> TLSSession.Reading {
        while true {
            if opened + behind > 0 {
                handOver(&input, to: &plaintext)
                if opened > 0 { return .full }
            }
            if hasClosed { return .closed }
            if let fault { return .failed(.protocolViolation(reason: fault)) }
            guard plaintext.room > 0 else { return .full }
            switch Self.nextRecord(input.readable) {
            case .needMore:
                return .needMore
            case .refused(let alert):
                fail(alert, &output)
            case .whole(let length):
                switch take(length, &input, &plaintext) {
                case .data, .nothing: break
                case .closed: hasClosed = true
                case .failed: fault = "the peer has sent an alert"
                case .refused(let alert): fail(alert, &output)
                }
            }
        }
    }

    private enum Next {
        case needMore
        case whole(length: Int)
        case refused(Alert)
    }

    private static func nextRecord(_ bytes: Span<UInt8>) -> Next {
        guard bytes.count >= RecordProtection.headerCount else { return .needMore }
        // Everything is protected now, alerts too, and looks like application data (§5.2).
        guard bytes[0] == ContentType.applicationData else { return .refused(.unexpectedMessage) }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        guard length <= TLSSession.recordPlaintextMax + expansionMax else {
            return .refused(.recordOverflow)
        }
        // A tag and the content's type at least.
        guard length > RecordProtection.tagCount else { return .refused(.badRecordMAC) }
        return bytes.count >= RecordProtection.headerCount + length
            ? .whole(length: length) : .needMore
    }

    /// Opens the record at the front of the input, into the plaintext if it surely fits.
    private mutating func take(
        _ length: Int, _ input: inout Buffer, _ plaintext: inout Buffer
    ) -> Content {
        var content = Content.refused(.internalError)
        let count = length - RecordProtection.tagCount
        let record = RecordProtection.headerCount + length
        if plaintext.room >= count {
            // SAFETY: the record is readable, the room writable, and they are of two slabs.
            unsafe plaintext.fill { room in
                guard let output = room.baseAddress else { return 0 }
                let bytes = unsafe output.assumingMemoryBound(to: UInt8.self)
                unsafe input.readable.withUnsafeBufferPointer { source in
                    guard let record = source.baseAddress else { return }
                    content = unsafe open(record, length, into: bytes)
                }
                if case .data(let count) = content { return count }
                return 0
            }
            input.consume(record)
        } else {
            var bytes = input.writable
            // SAFETY: the record is opened right where its body begins.
            unsafe bytes.withUnsafeMutableBufferPointer { place in
                guard let record = place.baseAddress else { return }
                content = unsafe open(
                    record, length, into: record + RecordProtection.headerCount)
            }
            input.consume(RecordProtection.headerCount)
            if case .data(let count) = content { opened = count }
            behind = length - opened
        }
        return content
    }

    /// Moves what was opened in place as far as there is room.
    private mutating func handOver(_ input: inout Buffer, to plaintext: inout Buffer) {
        let count = min(opened, plaintext.room)
        plaintext.append(input.readable.extracting(0..<count))
        input.consume(count)
        opened -= count
        guard opened == 0 else { return }
        input.consume(behind)
        behind = 0
    }

    private mutating func open(
        _ record: UnsafePointer<UInt8>, _ length: Int, into output: UnsafeMutablePointer<UInt8>
    ) -> Content {
        guard unsafe reading.open(record, length: length, into: output) else {
            ERR_clear_error()
            return .refused(.badRecordMAC)
        }
        // The type is the last byte that is not padding (§5.4).
        var end = length - RecordProtection.tagCount
        while end > 0, unsafe output[end - 1] == 0 { end -= 1 }
        guard end > 0 else { return .refused(.unexpectedMessage) }
        guard end - 1 <= plaintextMax else { return .refused(.recordOverflow) }
        let type = unsafe output[end - 1]
        // Between the pieces of a handshake message comes nothing else (§5.1).
        guard type == ContentType.handshake || keyUpdateTaken == 0 else {
            return .refused(.unexpectedMessage)
        }
        if type == ContentType.applicationData, end > 1 {
            emptyRecords = 0
            return .data(end - 1)
        }
        emptyRecords += 1
        guard emptyRecords <= Self.emptyRecordsMax else { return .refused(.unexpectedMessage) }
        let content = unsafe UnsafeBufferPointer(start: output, count: end - 1)
        switch type {
        case ContentType.applicationData: return .nothing
        case ContentType.alert: return unsafe judge(alert: content)
        case ContentType.handshake: return unsafe judge(handshake: content)
        default: return .refused(.unexpectedMessage)
        }
    }

    private func judge(alert: UnsafeBufferPointer<UInt8>) -> Content {
        // §5.4 for one without content, §5.1 for pieces of one, or several.
        guard alert.count > 0 else { return .refused(.unexpectedMessage) }
        guard alert.count == 2 else { return .refused(.decodeError) }
        switch unsafe alert[1] {
        case Alert.closeNotify.rawValue: return .closed
        case Alert.userCanceled: return .nothing
        default: return .failed
        }
    }

    /// A client may say one thing after the handshake: that it has changed its key (§4.6.3).
    private mutating func judge(handshake: UnsafeBufferPointer<UInt8>) -> Content {
        guard handshake.count > 0 else { return .refused(.unexpectedMessage) }
        let keyUpdate: UInt8 = 24
        for index in handshake.indices {
            let byte = unsafe handshake[index]
            switch keyUpdateTaken {
            case 0 where byte != keyUpdate: return .refused(.unexpectedMessage)
            // Three bytes with its length, which is 1.
            case 1 where byte != 0, 2 where byte != 0, 3 where byte != 1:
                return .refused(.decodeError)
            case 4 where byte > 1: return .refused(.illegalParameter)
            // Nothing may follow it under the old key (§5.1).
            case Self.keyUpdateCount: return .refused(.unexpectedMessage)
            default: keyUpdateTaken += 1
            }
        }
        guard keyUpdateTaken == Self.keyUpdateCount else { return .nothing }
        keyUpdateTaken = 0
        if unsafe handshake[handshake.count - 1] == 1 { owesKeyUpdate = true }
        return reading.update() ? .nothing : .refused(.internalError)
    }

    private mutating func fail(_ alert: Alert, _ output: inout Buffer) {
        fault = alert.reason
        send(alert, level: 2, into: &output)
    }

    // MARK: Writing

    /// See ``TLSSession/write(_:into:)``.
    mutating func write(_ plaintext: borrowing Span<UInt8>, into output: inout Buffer) -> Int? {
        guard fault == nil, !hasSentClose else { return nil }
        var taken = 0
        while taken < plaintext.count {
            if writing.sequence >= recordsPerKeyMax { owesKeyUpdate = true }
            if owesKeyUpdate {
                let least = Self.keyUpdateCount + 2 * TLSSession.recordOverhead
                guard output.room > least else { break }
                guard changeKey(&output) else { return nil }
            }
            let room = output.room - TLSSession.recordOverhead
            guard room > 0 else { break }
            let count = min(plaintext.count - taken, room, plaintextMax)
            // SAFETY: the range lies in the span.
            let isSealed = unsafe plaintext.withUnsafeBufferPointer { bytes in
                unsafe seal(
                    bytes.baseAddress.map { unsafe $0 + taken }, count,
                    ContentType.applicationData, into: &output)
            }
            guard isSealed else { return nil }
            taken += count
        }
        return taken
    }

    private mutating func changeKey(_ output: inout Buffer) -> Bool {
        owesKeyUpdate = false
        // KeyUpdate, one byte long, the same not asked of the peer.
        var update: InlineArray<5, UInt8> = [24, 0, 0, 1, 0]
        let isSealed = unsafe withUnsafePointer(to: &update) { place in
            // SAFETY: five bytes lie side by side.
            unsafe place.withMemoryRebound(to: UInt8.self, capacity: 5) {
                unsafe seal($0, Self.keyUpdateCount, ContentType.handshake, into: &output)
            }
        }
        guard isSealed, writing.update() else {
            fault = Alert.internalError.reason
            return false
        }
        return true
    }

    /// Appends close_notify, once.
    mutating func close(into output: inout Buffer) {
        guard fault == nil, !hasSentClose else { return }
        send(.closeNotify, level: 1, into: &output)
    }

    private mutating func send(_ alert: Alert, level: UInt8, into output: inout Buffer) {
        guard !hasSentClose, output.room >= 2 + TLSSession.recordOverhead else { return }
        hasSentClose = true
        var bytes: InlineArray<2, UInt8> = [level, alert.rawValue]
        _ = unsafe withUnsafePointer(to: &bytes) { place in
            // SAFETY: two bytes lie side by side.
            unsafe place.withMemoryRebound(to: UInt8.self, capacity: 2) {
                unsafe seal($0, 2, ContentType.alert, into: &output)
            }
        }
    }

    /// Where it fails, which is for want of memory alone, nothing more is written: the peer would
    /// miss the number of this record.
    private mutating func seal(
        _ content: UnsafePointer<UInt8>?, _ count: Int, _ type: UInt8, into output: inout Buffer
    ) -> Bool {
        let written = unsafe output.fill { region in
            guard region.count >= count + TLSSession.recordOverhead,
                let base = region.baseAddress
            else { return 0 }
            let bytes = unsafe base.assumingMemoryBound(to: UInt8.self)
            return unsafe writing.seal(content, count, type: type, into: bytes)
                ? count + TLSSession.recordOverhead : 0
        }
        guard written > 0 else {
            ERR_clear_error()
            fault = fault ?? Alert.internalError.reason
            return false
        }
        return true
    }
}
