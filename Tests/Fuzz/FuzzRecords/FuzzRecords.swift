// SPDX-License-Identifier: Apache-2.0
import Bytes

@testable import TLS

/// A peer that holds the keys and seals what it likes. The first byte chooses the suite, the second
/// the room for what is sent; then each byte is an operation, with what it needs behind it.
///
/// A trap is a finding, and so is data that was not sealed, or comes in another order; a verdict on
/// authentic records other than that of a plain reading of RFC 8446; and anything sent that the
/// peer cannot open, or should not be told.
@c(LLVMFuzzerTestOneInput)
public func fuzzRecords(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes for the length of the call.
    var script = Script(bytes: unsafe Array(UnsafeBufferPointer(start: data, count: count)))
    let suites = [CipherSuite.aes128GCM, .aes256GCM, .chaCha20Poly1305]
    let rooms = [Slab.capacity, 23, 24, 60, 1000]
    let suite = suites[script.next() % suites.count]
    let stage = Stage(suite, room: rooms[script.next() % rooms.count])
    while !script.isAtEnd { perform(&script, stage) }
    stage.finish()
    return 0
}

private struct Script {
    var bytes: [UInt8]
    var offset = 0

    var isAtEnd: Bool { offset >= bytes.count }

    /// 0 where there is nothing left.
    mutating func next() -> Int {
        guard !isAtEnd else { return 0 }
        offset += 1
        return Int(bytes[offset - 1])
    }

    /// Mostly small, and up to 65,532.
    mutating func nextSize() -> Int {
        let high = next()
        return high < 192 ? high : (high - 192) << 10 | next() << 2
    }

    mutating func take(_ count: Int) -> [UInt8] {
        let end = min(offset + count, bytes.count)
        defer { offset = end }
        return Array(bytes[offset..<end])
    }
}

private func perform(_ script: inout Script, _ stage: Stage) {
    switch script.next() % 8 {
    case 0:
        let count = script.nextSize()
        stage.sealData(min(count, 16_400), padding: script.next())
    case 1:
        let type = UInt8(script.next())
        let padding = script.next()
        stage.seal(script.take(script.next() % 24), type: type, padding: padding)
    case 2:
        stage.seal([24, 0, 0, 1, UInt8(script.next() & 1)], type: 22, padding: 0)
    case 3:
        stage.append(garbage: script.take(1 + script.next() % 24))
    case 4:
        let count = script.nextSize()
        stage.deliver(count, room: 1 + script.nextSize())
    case 5:
        stage.write(script.nextSize())
    case 6:
        if script.next() & 7 == 0 { stage.close() }
    default:
        stage.changeBit(script.next() << 8 | script.next())
    }
}

/// So much data that each place in it differs from those before it.
private let pattern = (0..<66_000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }

/// A copy at once: byte by byte, each would be traced.
private func copy(_ bytes: Span<UInt8>) -> [UInt8] {
    // SAFETY: the array is made before the span ends.
    unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
}

/// The layer, its peer, and what the peer may expect of it.
private final class Stage {
    private var layer: RecordLayer
    private var sealing: RecordProtection
    private var opening: RecordProtection
    private var pool = SlabPool(bound: 1)
    private var outputPool: SlabPool
    private var input = Buffer()
    private var output = Buffer()

    /// Sealed, and not delivered.
    private var stream: [UInt8] = []
    private var verdict = Verdict()
    /// What was sealed is not all that comes, or not as it was sealed.
    private var isSpoilt = false
    private var counter: UInt8 = 0

    /// Bytes of the verdict's data.
    private var read = 0
    private var outcome: TLSSession.Reading?
    private var written: [UInt8] = []
    /// Bytes of `written` that the peer has opened.
    private var sent = 0
    private var updatesSent = 0
    private var alertsSent = 0

    init(_ suite: CipherSuite, room: Int) {
        var reading = RecordProtection(suite, secret(suite, "1"), isSealing: false)
        var writing = RecordProtection(suite, secret(suite, "2"), isSealing: true)
        sealing = RecordProtection(suite, secret(suite, "1"), isSealing: true)
        opening = RecordProtection(suite, secret(suite, "2"), isSealing: false)
        let isKeyed = [reading.setKey(), writing.setKey()]
        layer = RecordLayer(reading: reading, writing: writing)
        outputPool = SlabPool(bound: 1, slabCapacity: room)
        precondition(isKeyed == [true, true] && sealing.setKey() && opening.setKey())
        precondition(input.attach(from: &pool) && output.attach(from: &outputPool))
    }

    deinit {
        input.release(to: &pool)
        output.release(to: &outputPool)
    }

    // MARK: The peer

    func sealData(_ count: Int, padding: Int) {
        let start = Int(counter)
        let content = Array(pattern[start..<(start + count)])
        counter &+= UInt8(truncatingIfNeeded: count)
        seal(content, type: 23, padding: padding)
    }

    func seal(_ content: [UInt8], type: UInt8, padding: Int) {
        guard stream.count < 100_000 else { return }
        var inner = content + [type] + [UInt8](repeating: 0, count: padding)
        let hasChangedKey = verdict.take(inner)
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
        if hasChangedKey { precondition(sealing.update()) }
        stream += record
    }

    func append(garbage: [UInt8]) {
        isSpoilt = isSpoilt || !garbage.isEmpty
        stream += garbage
    }

    func changeBit(_ place: Int) {
        guard !stream.isEmpty else { return }
        isSpoilt = true
        stream[place / 8 % stream.count] ^= 1 << UInt8(place % 8)
    }

    // MARK: The layer

    func deliver(_ count: Int, room: Int) {
        input.compact()
        let part = stream.prefix(min(count, input.room))
        stream.removeFirst(part.count)
        input.append(array: Array(part))
        var plainPool = SlabPool(bound: 1, slabCapacity: room)
        var plain = Buffer()
        guard plain.attach(from: &plainPool) else { return }
        let result = layer.read(&input, into: &plain, &output)
        precondition(plain.count <= room && (plain.isEmpty || outcome.map(isLast) != true))
        let bytes = copy(plain.readable)
        plain.release(to: &plainPool)
        precondition(verdict.data.dropFirst(read).starts(with: bytes))
        read += bytes.count
        precondition(outcome.map(isLast) != true || result == outcome)
        outcome = result
        drain()
    }

    private func isLast(_ result: TLSSession.Reading) -> Bool {
        result != .needMore && result != .full
    }

    func write(_ count: Int) {
        let plain = Array(pattern[..<count])
        let taken = layer.write(plain.span, into: &output)
        if let taken { written += plain[..<taken] }
        if case .failed = outcome { precondition(taken == nil) }
        if alertsSent > 0 { precondition(taken == nil) }
        drain()
    }

    func close() {
        layer.close(into: &output)
        drain()
    }

    /// Opens what was sent.
    private func drain() {
        let all = copy(output.readable)
        output.consume(all.count)
        var offset = 0
        while offset < all.count {
            let length = Int(all[offset + 3]) << 8 | Int(all[offset + 4])
            precondition(alertsSent == 0, "nothing follows an alert")
            take(open(Array(all[offset..<(offset + 5 + length)])))
            offset += 5 + length
        }
        precondition(sent == written.count)
    }

    private func open(_ record: [UInt8]) -> [UInt8] {
        var inner = [UInt8](repeating: 0, count: record.count - 21)
        // SAFETY: the record is whole, and the room that of its plaintext.
        let isOpened = unsafe inner.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            return unsafe record.withUnsafeBufferPointer {
                guard let source = $0.baseAddress else { return false }
                return unsafe opening.open(source, length: $0.count - 5, into: base)
            }
        }
        precondition(isOpened)
        return inner
    }

    private func take(_ inner: [UInt8]) {
        switch inner.last {
        case 23:
            precondition(written.dropFirst(sent).starts(with: inner.dropLast()))
            sent += inner.count - 1
        case 22:
            precondition(inner == [24, 0, 0, 1, 0, 22])
            updatesSent += 1
            precondition(updatesSent <= verdict.updatesAsked)
            precondition(opening.update())
        case 21:
            alertsSent += 1
            // A failure, or our own close.
            if inner[0] == 1 { precondition(inner == [1, 0, 21]) }
        default:
            preconditionFailure("a record of another type")
        }
    }

    func finish() {
        while true {
            let before = (stream.count, input.count, read)
            deliver(stream.count, room: 9000)
            if outcome.map(isLast) == true { break }
            if outcome == .needMore, stream.isEmpty { break }
            precondition(before != (stream.count, input.count, read), "no progress")
        }
        guard !isSpoilt else { return }
        precondition(read == verdict.data.count)
        switch (verdict.end, outcome) {
        case (nil, .needMore), (.closed, .closed), (.failed, .failed): break
        default: preconditionFailure("another end than the contents have")
        }
    }
}

private func secret(_ suite: CipherSuite, _ digit: String) -> Secret {
    let byte = (UInt8(digit) ?? 0) * 0x11
    let bytes = [UInt8](repeating: byte, count: suite.secretCount)
    return Secret(bytes.span)
}
