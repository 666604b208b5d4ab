// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor
import TLS

/// One request and its answer, on a connection of its own: connect, shake hands where TLS is
/// asked for, send, gather.
struct Fetch: ~Copyable {
    private enum Stage {
        case connecting, shakingHands, exchanging
    }

    let id: Fetcher.ID
    let completion: Fetcher.Completion
    let host: String
    /// Monotonic milliseconds.
    let deadline: UInt64
    let timeoutMilliseconds: Int
    let socket: Socket
    /// What the descriptor has to be watched for now.
    private(set) var interest = Interest.writable
    private var stage = Stage.connecting
    private var secure: SecureEnd?
    private let request: [UInt8]
    /// What waits to be sent, as it goes over the wire.
    private var output: [UInt8] = []
    private var answer: FetchAnswer

    /// - Parameter now: monotonic milliseconds.
    static func begin(
        _ request: FetchRequest, to address: SocketAddress, tls: TLSClientContext?,
        id: Fetcher.ID, now: UInt64, completion: @escaping Fetcher.Completion
    ) throws(FetchFault) -> Fetch {
        guard let head = request.bytes else { throw .request }
        var secure: SecureEnd?
        do throws(TLSFault) {
            if let tls { secure = try SecureEnd(tls) }
        } catch {
            throw .tls(error.reason)
        }
        do throws(SystemError) {
            return Fetch(
                request, head, try Socket.connect(to: address), secure, id, now, completion)
        } catch {
            throw .connect(error.reason)
        }
    }

    private init(
        _ request: FetchRequest, _ head: [UInt8], _ socket: consuming Socket,
        _ secure: consuming SecureEnd?, _ id: Fetcher.ID, _ now: UInt64,
        _ completion: @escaping Fetcher.Completion
    ) {
        self.request = head
        host = request.host
        self.socket = socket
        self.secure = secure
        self.id = id
        self.completion = completion
        answer = FetchAnswer(bodyBytesMax: request.bodyBytesMax)
        timeoutMilliseconds = request.timeoutMilliseconds
        deadline = now + UInt64(max(0, request.timeoutMilliseconds))
    }

    var response: FetchResponse { answer.response }

    /// Goes on as far as it can.
    ///
    /// - Parameter pool: lends three slabs, all given back before the call returns.
    /// - Returns: whether the answer is whole.
    mutating func advance(
        _ event: Event, _ pool: inout SlabPool
    ) throws(FetchFault) -> Bool {
        if stage == .connecting { try speak(&pool) }
        let isWhole = event.isReadable ? try receive(&pool) : false
        flush()
        interest = Interest(readable: true, writable: !output.isEmpty)
        return isWhole
    }

    /// What is said first, once there is a connection.
    private mutating func speak(_ pool: inout SlabPool) throws(FetchFault) {
        let error = socket.connectionError
        guard error == 0 else { throw .connect(SystemError.text(error)) }
        guard secure != nil else {
            stage = .exchanging
            output = request
            return flush()
        }
        stage = .shakingHands
        var nothing = Buffer()
        var sealed = Buffer()
        guard sealed.attach(from: &pool) else { throw .busy }
        defer { sealed.release(to: &pool) }
        _ = try shakeHands(&nothing, &sealed)
        flush()
    }

    private mutating func receive(_ pool: inout SlabPool) throws(FetchFault) -> Bool {
        var chunk = Buffer()
        guard chunk.attach(from: &pool) else { throw .busy }
        defer { chunk.release(to: &pool) }
        switch socket.receive(into: &chunk) {
        case .wouldBlock:
            return false
        case .bytes:
            if secure != nil { return try open(&chunk, &pool) }
            return try answer.take(chunk.readable.array)
        case .end:
            try end()
            return true
        case .failed:
            throw stage == .shakingHands ? Self.cutHandshake : .cut
        }
    }

    /// The peer's FIN. Without a close_notify before it, an answer that only the connection's end
    /// would end may have been cut by anyone (RFC 8446 §6.1).
    private mutating func end() throws(FetchFault) {
        guard stage != .shakingHands else { throw Self.cutHandshake }
        guard secure == nil else { throw .cut }
        try answer.finish()
    }

    private static let cutHandshake = FetchFault.tls("connection ended within the handshake")

    private mutating func flush() {
        var sent = 0
        while sent < output.count {
            guard case .bytes(let count) = socket.send(output.span.extracting(sent..<output.count))
            else { break }
            sent += count
        }
        output.removeFirst(sent)
    }

    // MARK: TLS

    /// Takes records apart, and their content.
    private mutating func open(
        _ chunk: inout Buffer, _ pool: inout SlabPool
    ) throws(FetchFault) -> Bool {
        var sealed = Buffer()
        var plain = Buffer()
        guard sealed.attach(from: &pool) else { throw .busy }
        defer { sealed.release(to: &pool) }
        guard plain.attach(from: &pool) else { throw .busy }
        defer { plain.release(to: &pool) }
        if stage == .shakingHands {
            guard try shakeHands(&chunk, &sealed) else { return false }
        }
        while true {
            let reading = secure?.read(&chunk, into: &plain, &sealed) ?? .closed
            let isWhole = try answer.take(plain.readable.array)
            plain.clear()
            if isWhole || reading == .closed {
                secure?.close(into: &sealed)
                queue(&sealed)
                if !isWhole { try answer.finish() }
                return true
            }
            queue(&sealed)
            switch reading {
            case .full, .closed: continue
            case .needMore: return false
            case .failed(let fault): throw fail(fault)
            }
        }
    }

    /// - Returns: whether it is done; then the request is queued.
    private mutating func shakeHands(
        _ chunk: inout Buffer, _ sealed: inout Buffer
    ) throws(FetchFault) -> Bool {
        let outcome = secure?.handshake(&chunk, &sealed) ?? .needMore
        queue(&sealed)
        switch outcome {
        case .needMore: return false
        case .failed(let fault): throw fail(fault)
        case .complete: break
        }
        stage = .exchanging
        var rest = request[...]
        while !rest.isEmpty {
            guard let count = secure?.write(rest.span, into: &sealed), count > 0 else {
                throw .tls("request cannot be sealed")
            }
            rest = rest.dropFirst(count)
            queue(&sealed)
        }
        return true
    }

    /// The alert that says so to the peer leaves first.
    private mutating func fail(_ fault: TLSFault) -> FetchFault {
        flush()
        return .tls(fault.reason)
    }

    private mutating func queue(_ sealed: inout Buffer) {
        output += sealed.readable.array
        sealed.clear()
    }
}
