// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import HTTP1
import Reactor
import TLS

/// One connection to a small server: requests are gathered whole, answers sent whole.
struct SmallConnection: ~Copyable {
    static let bodyMax = 1 << 20
    private static let droppedMax = 16 << 20

    enum Fate: Equatable {
        case keep, close
    }

    let socket: Socket
    /// Who is at the other end, without a port.
    private let client: String
    private let input = SmallInput()
    private var secure: SmallSecureEnd?
    /// As it goes over the wire.
    private var output: [UInt8] = []
    private var sent = 0
    private var parser = RequestHeadParser()
    /// Whether what is in the output is the last.
    private var isClosing = false
    private var hasPeerEnded = false
    /// Whether all was said, and what still comes is dropped: closed at once, the connection would
    /// be reset, and the last answer lost on its way (RFC 9112 §9.6).
    private(set) var isLingering = false
    private var dropped = 0
    /// Whether the client was told to go on with its body (RFC 9110 §10.1.1).
    private var hasContinued = false
    var interest: Interest = .readable
    var lastActiveAt: UInt64

    /// - Parameter secure: the server's end of TLS; `nil` for plain HTTP.
    init(
        _ socket: consuming Socket, from peer: SocketAddress, _ secure: consuming SmallSecureEnd?,
        now: UInt64
    ) {
        self.socket = socket
        self.secure = secure
        client =
            switch peer {
            case .ip(let address, _): address.description
            case .unix: "unix"
            }
        lastActiveAt = now
    }

    mutating func onReadable(
        _ pool: inout SlabPool, _ service: SmallService
    ) -> Fate {
        var chunk = Buffer()
        guard chunk.attach(from: &pool) else { return .close }
        defer { chunk.wipeAndRelease(to: &pool) }
        if isLingering { return drop(&chunk) }
        let transfer: Transfer
        if secure == nil {
            transfer = socket.receive(into: &chunk)
            input.append(chunk.readable)
        } else {
            secure?.restore(to: &chunk)
            transfer = socket.receive(into: &chunk)
            guard open(&chunk, &pool) else {
                _ = flush()
                return .close
            }
        }
        switch transfer {
        case .bytes: break
        case .wouldBlock: return flush()
        case .end:
            isClosing = true
            hasPeerEnded = true
        case .failed: return .close
        }
        serve(&pool, service)
        return flush()
    }

    private mutating func drop(_ chunk: inout Buffer) -> Fate {
        guard case .bytes(let count) = socket.receive(into: &chunk) else { return .close }
        dropped += count
        return dropped > Self.droppedMax ? .close : .keep
    }

    /// Takes records apart.
    ///
    /// - Returns: false where the connection is over, its last words being in the output.
    private mutating func open(_ chunk: inout Buffer, _ pool: inout SlabPool) -> Bool {
        var plain = Buffer()
        var sealed = Buffer()
        guard plain.attach(from: &pool) else { return false }
        defer { plain.wipeAndRelease(to: &pool) }
        guard sealed.attach(from: &pool) else { return false }
        defer { sealed.release(to: &pool) }
        while let outcome = secure?.take(&chunk, into: &plain, &sealed) {
            input.append(plain.readable)
            plain.wipe()
            output += sealed.readable.array
            sealed.clear()
            switch outcome {
            case .more: continue
            case .enough: return true
            case .closed:
                isClosing = true
                hasPeerEnded = true
                return true
            case .failed: return false
            }
        }
        return false
    }

    mutating func flush() -> Fate {
        while sent < output.count {
            switch socket.send(output.span.extracting(sent..<output.count)) {
            case .bytes(let count): sent += count
            case .wouldBlock:
                interest = .writable
                return .keep
            case .end, .failed: return .close
            }
        }
        output = []
        sent = 0
        interest = .readable
        guard isClosing else { return .keep }
        guard !hasPeerEnded else { return .close }
        socket.finishWriting()
        isLingering = true
        return .keep
    }

    // MARK: Requests

    private mutating func serve(_ pool: inout SlabPool, _ service: SmallService) {
        while !isClosing, !input.bytes.isEmpty {
            switch next() {
            case .needMore: return
            case .goOn: return goOn(&pool)
            case .refused(let fault):
                isClosing = true
                return answer(service.refuse(fault, client), hasBody: true, &pool)
            case .request(let request, let end, let hasBody):
                parser.reset()
                hasContinued = false
                input.consume(end)
                answer(service.answer(request), hasBody: hasBody, &pool)
            }
        }
    }

    private enum Next {
        case needMore
        /// The client waits to be told so.
        case goOn
        case refused(SmallFault)
        /// - end: where the next request begins; `hasBody`: whether the answer may have one.
        case request(SmallRequest, end: Int, hasBody: Bool)
    }

    private mutating func next() -> Next {
        var head = RequestHead()
        let bytes = input.bytes
        do throws(HeadFault) {
            let progress = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
            guard case .complete(let count) = progress else { return .needMore }
            if case .length(let length) = head.framing, length > Self.bodyMax {
                return .refused(.bodyTooLarge)
            }
            var body: [UInt8] = []
            defer { body.wipe() }
            body.reserveCapacity(bytes.count)
            switch Self.gather(head.framing, bytes.span, from: count, into: &body) {
            case .needMore: return head.expectsContinue && !hasContinued ? .goOn : .needMore
            case .refused(let fault): return .refused(fault)
            case .end(let end):
                if !head.keepsAlive { isClosing = true }
                return .request(
                    request(head, bytes.span, SecretBytes(copying: body.span)), end: end,
                    hasBody: head.method != .head)
            }
        } catch {
            return .refused(SmallFault(error))
        }
    }

    private enum Gathered {
        case needMore
        case refused(SmallFault)
        case end(Int)
    }

    /// - Parameter body: with room for all of it.
    private static func gather(
        _ framing: BodyFraming, _ bytes: Span<UInt8>, from start: Int, into body: inout [UInt8]
    ) -> Gathered {
        var decoder = BodyDecoder(framing)
        var offset = start
        do throws(BodyFault) {
            while true {
                let event = try decoder.next(bytes, from: offset)
                offset = event.consumed
                switch event {
                case .needMore: return .needMore
                case .data(let range):
                    guard body.count + range.count <= bodyMax else {
                        return .refused(.bodyTooLarge)
                    }
                    for index in range { body.append(bytes[index]) }
                case .trailer: break
                case .end: return .end(offset)
                }
            }
        } catch {
            return .refused(.malformed)
        }
    }

    private func request(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ body: SecretBytes
    ) -> SmallRequest {
        var fields: [(name: String, value: String)] = []
        for index in 0..<head.fieldCount {
            fields.append(
                (
                    head[index].name(in: bytes).string.lowercased(),
                    head[index].value(in: bytes).string
                ))
        }
        let target = bytes.extracting(head.pathRange).string
        return SmallRequest(
            method: bytes.extracting(head.methodRange).string,
            path: String(target.prefix { $0 != "?" }), fields: fields, body: body, client: client)
    }

    // MARK: Answers

    private mutating func goOn(_ pool: inout SlabPool) {
        hasContinued = true
        send("HTTP/1.1 100 Continue\r\n\r\n", [], &pool)
    }

    private mutating func answer(
        _ response: SmallResponse, hasBody: Bool, _ pool: inout SlabPool
    ) {
        var text = "HTTP/1.1 \(response.status) \(Status.reason(response.status))\r\n"
        for field in response.fields { text += "\(field.name): \(field.value)\r\n" }
        text += "content-length: \(response.body.count)\r\n"
        if isClosing { text += "connection: close\r\n" }
        send(text + "\r\n", hasBody ? response.body : [], &pool)
    }

    private mutating func send(_ head: String, _ body: [UInt8], _ pool: inout SlabPool) {
        let plain = Array(head.utf8) + body
        guard secure != nil else {
            output += plain
            return
        }
        guard secure?.seal(plain.span, isLast: isClosing, into: &output, &pool) == true else {
            isClosing = true
            return
        }
    }
}

extension Buffer {
    /// What was in it may have been a secret.
    fileprivate mutating func wipe() {
        var bytes = writable
        for index in bytes.indices { bytes[index] = 0 }
        clear()
    }

    fileprivate mutating func wipeAndRelease(to pool: inout SlabPool) {
        wipe()
        release(to: &pool)
    }
}
