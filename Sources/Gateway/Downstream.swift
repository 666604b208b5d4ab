// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Reactor
import TLS
import Telemetry

/// One client connection, from accept to close.
///
/// Its life, in the order of the methods: bytes are received; the first ones are sniffed (TLS, or
/// the one request that is answered in plaintext); the handshake is done; ciphertext is opened;
/// a request's head is judged; what passes goes to an upstream, and what does not is answered;
/// the upstream's answer is sealed and sent; the next request begins.
struct Downstream: ~Copyable {
    enum Phase: Equatable {
        case sniffing
        case handshaking
        case open
        /// Without TLS: one request for the key set, at most.
        case plaintext
        /// All is said and FIN is sent; what still comes is dropped for a while, so that no reset
        /// overtakes the answer.
        case lingering
    }

    /// What the worker has to do with the connection after an event.
    enum Fate: Equatable {
        case keep
        case close
        /// Close with a reset: the peer must not take what it has for whole.
        case reset
    }

    /// A refusal that leaves input unread drops this much of it, for this long.
    static let lingerBytesMax = 64 * 1024
    static let lingerMilliseconds: UInt64 = 1000

    static let starvedMilliseconds: UInt64 = 10

    static let kind: UInt8 = 3

    let socket: Socket
    let client: IPAddress
    var token = SlotToken(rawValue: 0)
    var phase = Phase.sniffing
    var state = ConnectionState.handshaking
    var session: TLSSession?
    /// The first bytes, until they show what they are; later what has come of a record: in a small
    /// slab, since whoever sends one byte and waits must not hold a large one.
    var opening = Buffer()
    var cipherIn = Buffer()
    var plainIn = Buffer()
    /// Sealed, and not taken by the kernel yet.
    var cipherOut = Buffer()
    /// The request's head on its way upstream, while it waits for a connection.
    var held = Buffer()
    /// Texts of the exchange that outlive the request's head; before, what has come of the head:
    /// in a small slab, too.
    var memo = Buffer()
    var interest: Interest = .readable
    var exchange = Exchange()
    /// The answer lies whole in the output and leaves at the end of the turn; then its exchange is
    /// finished.
    var isAnswerPutOff = false
    /// What the client has proven to be at the handshake.
    var certificate: ClientCertificate?
    /// A reload has changed what clients are asked to prove since this one did: it is to do so
    /// anew, on another connection.
    var isProofOutdated = false
    /// The client has sent close_notify: no request will follow.
    var hasClosed = false
    /// The client's FIN was read.
    var hasEnded = false
    /// A request has begun here, sooner or later.
    var hasAsked = false
    /// Nothing more is to be read as a request; the connection ends once the output is out.
    var isClosing = false
    /// close_notify is written, and will be followed by FIN alone.
    var hasSaidGoodbye = false
    /// There is more plaintext to be had from what has come than there is room for.
    var isFull = false
    /// Waits for memory; looked at again after ``starvedMilliseconds``.
    var isStarved = false
    /// Since when it has waited again and again without getting any; monotonic milliseconds.
    var starvedSince: UInt64 = 0
    /// Beyond the limit of connections: its requests are refused.
    var isSurplus = false
    /// Milliseconds, monotonic.
    var acceptedAt: UInt64
    var lastReadAt: UInt64
    var lastWriteAt: UInt64
    /// Since when an idle connection has sent a part of a record; 0 where there is none.
    var recordSince: UInt64 = 0
    var lingerUntil: UInt64 = 0
    var lingerBytes = 0

    init(_ socket: consuming Socket, client: IPAddress, now: UInt64) {
        self.socket = socket
        self.client = client
        acceptedAt = now
        lastReadAt = now
        lastWriteAt = now
    }

    // MARK: Events

    mutating func onReadable(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        if phase == .lingering { return dropInput(&context) }
        let transfer: Transfer
        switch phase {
        case .sniffing:
            guard opening.attach(from: &context.memoPool) else { return .reset }
            transfer = socket.receive(into: &opening)
        case .plaintext:
            guard plainIn.attach(from: &context.pool) else { return starve(&context) }
            transfer = socket.receive(into: &plainIn)
        default:
            guard cipherIn.attach(from: &context.pool) else { return starve(&context) }
            cipherIn.compact()
            takeBackRecord(&context)
            transfer = socket.receive(into: &cipherIn)
        }
        switch transfer {
        case .bytes: lastReadAt = context.now.milliseconds
        case .end: hasEnded = true
        case .wouldBlock: break
        case .failed: return abort(&context, &pool)
        }
        return advance(&context, &pool)
    }

    /// There is no slab to be had: go on a little later, when others have given some back.
    private mutating func starve(_ context: inout WorkerContext) -> Fate {
        isStarved = true
        noteStarving(context.now.milliseconds)
        watch(&context)
        arm(&context)
        return .keep
    }

    mutating func onWritable(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        guard flush(&context) else { return abort(&context, &pool) }
        guard cipherOut.isEmpty, phase != .lingering else { return settle(&context, &pool) }
        // The reader has caught up: what the upstream has sent meanwhile can follow.
        let fate = exchange.connection >= 0 ? relayResponse(&context, &pool) : .keep
        return fate == .keep ? advance(&context, &pool) : fate
    }

    /// Does all that can be done with what has been received.
    mutating func advance(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        switch phase {
        case .sniffing: sniff(&context)
        case .handshaking: shakeHands(&context)
        default: break
        }
        if phase == .plaintext { servePlaintext(&context) }
        while phase == .open {
            let hasOpened = unseal(&context)
            guard phase == .open else { break }
            switch serve(&context, &pool) {
            case .progress: continue
            case .idle: if !hasOpened { return settle(&context, &pool) }
            case .end(let fate): return fate
            }
        }
        return settle(&context, &pool)
    }

    // MARK: The end of an event

    /// Sees to what is watched for, to deadlines and to memory, once nothing more can be done.
    mutating func settle(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        if hasClosed, phase == .open, !isClosing, cipherOut.isEmpty {
            // What was asked whole is answered; a request that was cut short is none.
            switch exchange.request {
            case .awaitingHead: isClosing = true
            case .judging where exchange.pause.awaited == .body:
                giveUp(.httpMalformed, &context, &pool)
            case .receivingBody where !exchange.hasResponseBegun && plainIn.isEmpty:
                // Whoever has sent close_notify listens for no answer.
                giveUp(.httpMalformed, &context, &pool)
            case .judging, .receivingBody, .complete: break
            }
        }
        if context.closingSince > 0, isIdleAtTheEnd(context) { isClosing = true }
        if hasEnded, phase != .lingering {
            switch judgeEnd() {
            case .keep: break
            case .close: isClosing = true
            case .reset: return abort(&context, &pool)
            }
        }
        if isClosing, cipherOut.isEmpty, phase != .lingering {
            guard closeGracefully(&context) else { return .close }
        }
        if phase == .lingering, hasEnded { return .close }
        noteHalfRecord(context.now.milliseconds)
        noteStarving(context.now.milliseconds)
        watch(&context)
        arm(&context)
        cipherIn.releaseIfEmpty(to: &context.pool)
        if phase == .open { putAside(&context) }
        plainIn.releaseIfEmpty(to: &context.pool)
        cipherOut.releaseIfEmpty(to: &context.pool)
        return .keep
    }

    private mutating func noteHalfRecord(_ now: UInt64) {
        let isIdle = exchange.request == .awaitingHead && exchange.startedAt == 0
        if !isIdle || cipherIn.isEmpty && !opening.isAttached {
            recordSince = 0
        } else if recordSince == 0 {
            recordSince = now
        }
    }

    /// What the client's FIN means here.
    private func judgeEnd() -> Fate {
        switch phase {
        case .sniffing, .handshaking, .plaintext: return .close
        case .lingering: return .close
        case .open: break
        }
        // close_notify alone closes one direction, and an answer may still be awaited (RFC 8446
        // §6.1). With FIN behind it the client has gone, as most go that lose patience: what it
        // asked for should not run on, nor stand in line.
        if hasClosed { return exchange.isUnderway ? .reset : .close }
        // FIN alone is a truncation (RFC 8446 §6.1): the client is gone, or cut off.
        return exchange.request == .awaitingHead && exchange.startedAt == 0 ? .close : .reset
    }

    /// Sends close_notify and FIN.
    ///
    /// - Returns: false where nothing is left to wait for.
    private mutating func closeGracefully(_ context: inout WorkerContext) -> Bool {
        if phase == .open, !hasSaidGoodbye, cipherOut.attach(from: &context.pool) {
            hasSaidGoodbye = true
            session?.close(into: &cipherOut)
            guard flush(&context) else { return false }
            // FIN must not overtake it: an answer that ends with the connection would look cut.
            guard cipherOut.isEmpty else { return true }
        }
        socket.finishWriting()
        phase = .lingering
        // Whatever it wanted memory for is not wanted any more.
        isStarved = false
        lingerUntil = context.now.milliseconds + Self.lingerMilliseconds
        return !hasEnded
    }

    private mutating func dropInput(_ context: inout WorkerContext) -> Fate {
        cipherIn.release(to: &context.pool)
        guard cipherIn.attach(from: &context.pool) else { return .close }
        defer { cipherIn.release(to: &context.pool) }
        switch socket.receive(into: &cipherIn) {
        case .bytes(let count):
            lingerBytes += count
            return lingerBytes > Self.lingerBytesMax ? .close : .keep
        case .wouldBlock: return .keep
        case .end, .failed: return .close
        }
    }

    private mutating func watch(_ context: inout WorkerContext) {
        let hasNoRoom = isFull || (plainIn.isAttached && plainIn.roomAfterCompaction == 0)
        let isShakingHands = phase == .sniffing || phase == .handshaking
        // A client has nothing to say before it has our flight.
        let wantsInput =
            phase == .lingering || (isShakingHands ? cipherOut.isEmpty : !hasNoRoom)
        let wanted = Interest(
            readable: !hasEnded && wantsInput && !isStarved,
            writable: !cipherOut.isEmpty && !isAnswerPutOff)
        guard wanted != interest else { return }
        interest = wanted
        // See UpstreamPool.watch: a failure is ended by the timer.
        try? context.loop.modify(socket.descriptor, wanted, token: token)
    }

    // MARK: Giving up

    /// Ends the exchange that is underway, if any, and the connection without a farewell.
    mutating func abort(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        if exchange.waitingSince > 0 {
            leaveLine(&pool, isServed: false)
            exchange.record.status = 0
            finish(&context)
        } else if exchange.connection >= 0 {
            pool.close(exchange.connection, &context)
            exchange.connection = -1
            if exchange.response != .complete {
                if !exchange.hasResponseBegun { exchange.record.status = 0 }
                context.metrics.upstream(exchange.record.upstream, result: .abandoned)
                finish(&context)
            }
        } else if exchange.request == .judging {
            exchange.record.status = 0
            finish(&context)
        }
        return .reset
    }

    /// Gives back whatever the connection holds; it is closed right after.
    mutating func dismantle(_ context: inout WorkerContext) {
        opening.release(to: &context.memoPool)
        cipherIn.release(to: &context.pool)
        plainIn.release(to: &context.pool)
        cipherOut.release(to: &context.pool)
        held.release(to: &context.pool)
        memo.release(to: &context.memoPool)
    }
}
