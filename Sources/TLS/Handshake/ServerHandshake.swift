// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Crypto

/// A server's handshake (RFC 8446 §2, §A.2): records in, records out, without a socket or a clock.
///
/// A hello is answered at once with all that the server has to say; then one message of the client
/// is awaited whose every bit is known beforehand. So a handshake that has stopped halfway holds
/// two keys and little more. The ticket is made with the rest, and leaves once the client has
/// finished: RFC 8446 §4.6.1 would let it leave at once, but not every client expects that.
///
/// A client that is asked for its certificate has two messages more to send, and what the rest of
/// the key schedule needs is kept meanwhile: see ``ClientAuthentication``.
final class ServerHandshake {
    enum State: Equatable {
        case awaitingHello
        /// The client was asked for another key share.
        case awaitingSecondHello
        /// The client was asked for its certificate, and then for the proof that it is its own.
        case awaitingCertificate
        case awaitingProof
        case awaitingFinished
        case done
        case failed(reason: String)
    }

    /// No honest message comes near: the largest hello, with post-quantum keys and a long list of
    /// tickets, stays under 8 KiB.
    static let messageMax = 16 * 1024
    /// Of change_cipher_spec, which a client may send for the sake of middleboxes (§5), and of
    /// user_canceled (§6.1). Nobody says how many there may be.
    private static let meaninglessRecordsMax = 32
    /// Records of 0-RTT data that was not asked for are dropped up to here (§4.2.10).
    private static let earlyDataMax = 16 * 1024 + 512

    let context: TLSServerContext
    let tools: TLSTools
    let recordsPerKeyMax: UInt64
    /// Seconds since 1970, when the connection began.
    let now: UInt64
    var state = State.awaitingHello
    /// What has come of a record that is not all there: as much memory as the client has sent,
    /// where the input would hold a whole slab until the rest came.
    private var partial: [UInt8] = []
    /// What has come of a message.
    private var message: [UInt8] = []
    /// Records that wait for room in the output.
    var outbox: [UInt8] = []
    var outboxStart = 0
    private var meaninglessRecords = 0
    private var earlyDataLeft = 0
    var hasSentChangeCipherSpec = false
    /// What the client was asked for.
    var retry: Retry?
    var reading: RecordProtection?
    var writing: RecordProtection?
    /// What the client's records are opened with after its Finished.
    var clientSecret: Secret?
    var expectedFinished: Digest?
    /// From the flight to the client's Finished, where it is asked for its certificate.
    var authentication: ClientAuthentication?
    /// What was proven, now or when the ticket was given.
    var clientCertificate: ClientCertificate?
    /// A message for after the client's Finished; empty without one.
    var ticket: [UInt8] = []
    /// Of a record's plaintext, in either direction (RFC 6066 §4).
    var plaintextMax = TLSSession.recordPlaintextMax
    var isResumed = false
    /// As the ticket tells that resumes a session; `nil` without one.
    var provenAt: UInt32?
    var serverName: [UInt8] = []

    struct Retry {
        let suite: CipherSuite
        let group: NamedGroup
        /// What the transcript begins with (§4.4.1).
        let transcript: [UInt8]
    }

    init(
        _ context: TLSServerContext, _ tools: TLSTools, now: UInt64, recordsPerKeyMax: UInt64
    ) {
        self.context = context
        self.tools = tools
        self.now = now
        self.recordsPerKeyMax = recordsPerKeyMax
    }

    /// Takes what has come and appends what is to be sent, as far as there is room.
    func advance(_ input: inout Buffer, _ output: inout Buffer) -> TLSSession.Handshake {
        while true {
            flush(&output)
            guard outbox.isEmpty else { return .needMore }
            switch state {
            case .done: return .complete(resumed: isResumed)
            case .failed(let reason): return .failed(.handshake(reason: reason))
            case .awaitingHello, .awaitingSecondHello, .awaitingCertificate, .awaitingProof,
                .awaitingFinished:
                break
            }
            do throws(Alert) {
                guard try takeRecord(&input) else { return .needMore }
            } catch {
                fail(error)
            }
        }
    }

    /// What goes on where the handshake has ended.
    func makeRecords() -> RecordLayer? {
        guard state == .done, let reading = reading.take(), let writing = writing.take() else {
            return nil
        }
        return RecordLayer(
            reading: reading, writing: writing, recordsPerKeyMax: recordsPerKeyMax,
            plaintextMax: plaintextMax)
    }

    // MARK: Records

    /// - Returns: false where it is not all there.
    private func takeRecord(_ input: inout Buffer) throws(Alert) -> Bool {
        if partial.isEmpty {
            let count = try count(ofRecord: input.readable)
            guard input.count >= count else {
                setAside(input.count, of: &input)
                return false
            }
            try take(input.writable, count)
            input.consume(count)
        } else {
            guard try complete(from: &input) else { return false }
            var record = partial
            partial = []
            let count = record.count
            try take(record.mutableSpan, count)
        }
        try receive()
        return true
    }

    /// Adds to what has come of a record.
    ///
    /// - Returns: whether it is all there.
    private func complete(from input: inout Buffer) throws(Alert) -> Bool {
        while true {
            let header = Array(partial.prefix(RecordProtection.headerCount))
            let missing = try count(ofRecord: header.span) - partial.count
            guard missing > 0 else { return true }
            guard !input.isEmpty else { return false }
            setAside(min(missing, input.count), of: &input)
        }
    }

    private func setAside(_ count: Int, of input: inout Buffer) {
        for index in 0..<count { partial.append(input.readable[index]) }
        input.consume(count)
    }

    /// Of the record that begins so (§5.1), as far as it is known: of its header at least.
    private func count(ofRecord bytes: Span<UInt8>) throws(Alert) -> Int {
        guard bytes.count > 0 else { return RecordProtection.headerCount }
        try judge(type: bytes[0])
        guard bytes.count >= RecordProtection.headerCount else {
            return RecordProtection.headerCount
        }
        guard bytes[1] == 3 else { throw .protocolVersion }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        let expansion = bytes[0] == ContentType.applicationData ? RecordLayer.expansionMax : 0
        guard length <= TLSSession.recordPlaintextMax + expansion else { throw .recordOverflow }
        return RecordProtection.headerCount + length
    }

    /// Takes the record of `count` bytes that `bytes` begin with.
    private func take(_ bytes: consuming MutableSpan<UInt8>, _ count: Int) throws(Alert) {
        let type = bytes[0]
        guard type != ContentType.applicationData else {
            return try takeProtected(bytes, count - RecordProtection.headerCount)
        }
        let content = bytes.span.extracting(RecordProtection.headerCount..<count)
        switch type {
        case ContentType.handshake: try collect(content)
        case ContentType.alert: try judge(alert: content)
        default: try judge(changeCipherSpec: content)
        }
    }

    /// What may come now (§5).
    private func judge(type: UInt8) throws(Alert) {
        let isExpected: Bool
        switch type {
        case ContentType.alert: isExpected = message.isEmpty
        case ContentType.handshake: isExpected = !state.isProtected
        case ContentType.changeCipherSpec: isExpected = state != .awaitingHello && message.isEmpty
        case ContentType.applicationData:
            isExpected =
                state.isProtected
                || state == .awaitingSecondHello && earlyDataLeft > 0 && message.isEmpty
        default: isExpected = false
        }
        guard isExpected else { throw .unexpectedMessage }
    }

    /// §5: the one byte, and no meaning.
    private func judge(changeCipherSpec content: Span<UInt8>) throws(Alert) {
        guard content.count == 1, content[0] == 1 else { throw .unexpectedMessage }
        try countMeaningless()
    }

    private func countMeaningless() throws(Alert) {
        meaninglessRecords += 1
        guard meaninglessRecords <= Self.meaninglessRecordsMax else { throw .unexpectedMessage }
    }

    private func takeProtected(
        _ record: consuming MutableSpan<UInt8>, _ length: Int
    ) throws(Alert) {
        // Less is no record, dropped or not: so each that is dropped counts.
        guard length > RecordProtection.tagCount else { throw .badRecordMAC }
        guard state.isProtected else { return try skipEarlyData(length) }
        var isOpen = false
        // SAFETY: the record is there whole, and opened right where its body begins.
        unsafe record.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return }
            isOpen =
                unsafe reading?.open(
                    base, length: length, into: base + RecordProtection.headerCount) ?? false
        }
        guard isOpen else {
            ERR_clear_error()
            guard earlyDataLeft > 0 else { throw .badRecordMAC }
            reading?.takeBackNumber()
            return try skipEarlyData(length)
        }
        earlyDataLeft = 0
        let count = length - RecordProtection.tagCount
        try takeInner(
            record.span.extracting(
                RecordProtection.headerCount..<RecordProtection.headerCount + count))
    }

    private func skipEarlyData(_ length: Int) throws(Alert) {
        guard length <= earlyDataLeft else { throw .badRecordMAC }
        earlyDataLeft -= length
    }

    /// The content, its type, and padding (§5.2).
    private func takeInner(_ plaintext: Span<UInt8>) throws(Alert) {
        var end = plaintext.count
        while end > 0, plaintext[end - 1] == 0 { end -= 1 }
        guard end > 0 else { throw .unexpectedMessage }
        guard end - 1 <= plaintextMax else { throw .recordOverflow }
        switch plaintext[end - 1] {
        case ContentType.handshake: try collect(plaintext.extracting(0..<end - 1))
        case ContentType.alert where message.isEmpty:
            try judge(alert: plaintext.extracting(0..<end - 1))
        default: throw .unexpectedMessage
        }
    }

    /// §6: all but one end the handshake, whatever level they say they have.
    private func judge(alert content: Span<UInt8>) throws(Alert) {
        guard content.count == 2 else { throw .unexpectedMessage }
        guard content[1] == Alert.userCanceled else {
            state = .failed(reason: "the peer has sent an alert")
            return
        }
        try countMeaningless()
    }

    // MARK: Messages

    /// Adds a piece of a message, or of several (§5.1).
    private func collect(_ piece: Span<UInt8>) throws(Alert) {
        guard piece.count > 0 else { throw .unexpectedMessage }
        if message.isEmpty { message.reserveCapacity(piece.count) }
        for index in piece.indices { message.append(piece[index]) }
        try judgeMessage()
    }

    /// That what has come begins with the message that is awaited.
    private func judgeMessage() throws(Alert) {
        guard message[0] == state.awaited?.rawValue else { throw .unexpectedMessage }
        guard message.count >= HandshakeMessage.headerCount else { return }
        let most = state == .awaitingProof ? ClientAuthentication.proofMax : Self.messageMax
        guard Self.count(of: message) <= most else { throw .illegalParameter }
        // The next message is not to come before this one is answered, and under other keys.
        guard state.mayBeFollowed || message.count <= Self.count(of: message) else {
            throw .unexpectedMessage
        }
    }

    /// Of the whole message, with its header.
    private static func count(of message: [UInt8]) -> Int {
        HandshakeMessage.headerCount
            + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]))
    }

    private func receive() throws(Alert) {
        while message.count >= HandshakeMessage.headerCount {
            let count = Self.count(of: message)
            guard message.count >= count else { return }
            let whole = message.count == count ? message : Array(message[..<count])
            message = message.count == count ? [] : Array(message[count...])
            try receive(whole)
            if !message.isEmpty { try judgeMessage() }
        }
    }

    private func receive(_ whole: [UInt8]) throws(Alert) {
        switch state {
        case .awaitingHello, .awaitingSecondHello:
            guard try answer(whole) else {
                state = .awaitingSecondHello
                return
            }
            state = authentication == nil ? .awaitingFinished : .awaitingCertificate
        case .awaitingCertificate:
            state = try take(certificates: whole) ? .awaitingProof : .awaitingFinished
        case .awaitingProof:
            try take(proof: whole)
            state = .awaitingFinished
        case .awaitingFinished:
            try finish(whole)
            state = .done
        case .done, .failed: break
        }
    }

    /// 0-RTT data is not taken. What a hello does not offer does not come after it either: none
    /// follows a second one (§4.1.2).
    func expectEarlyData(ifOffered isOffered: Bool) {
        earlyDataLeft = isOffered ? Self.earlyDataMax : 0
    }

    /// §4.4.4.
    private func finish(_ finished: [UInt8]) throws(Alert) {
        if let authentication = authentication.take() { try expectFinished(authentication) }
        guard let expected = expectedFinished, let secret = clientSecret.take() else {
            throw .internalError
        }
        guard finished.count == HandshakeMessage.headerCount + expected.count else {
            throw .decodeError
        }
        let mac = finished.span.extracting(HandshakeMessage.headerCount...)
        guard constantTimeEquals(mac, expected.span) else { throw .decryptError }
        guard reading?.rekey(secret, tools.engine) ?? false else { throw .internalError }
        let ticket = ticket
        if !ticket.isEmpty { try seal(ContentType.handshake, ticket.span) }
    }
}

extension ServerHandshake.State {
    /// The client's records are sealed by now.
    var isProtected: Bool {
        self == .awaitingFinished || self == .awaitingCertificate || self == .awaitingProof
    }

    /// `nil` where nothing more is to come.
    var awaited: HandshakeType? {
        switch self {
        case .awaitingHello, .awaitingSecondHello: .clientHello
        case .awaitingCertificate: .certificate
        case .awaitingProof: .certificateVerify
        case .awaitingFinished: .finished
        case .done, .failed: nil
        }
    }

    /// Whether the next message comes under the same keys.
    var mayBeFollowed: Bool { self == .awaitingCertificate || self == .awaitingProof }
}
