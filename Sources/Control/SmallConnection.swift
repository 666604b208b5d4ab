// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import HTTP1
import Reactor
import TLS

/// One connection to a small server: requests are gathered whole, answers sent whole.
struct SmallConnection: ~Copyable {
    /// How much larger than its content a body may be.
    private static let framingMax = 8
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
    private var pending: Pending?
    /// Whether nothing can be done before more has come.
    private var needsMore = true
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
        needsMore = false
        serve(&pool, service)
        return flush()
    }

    mutating func onWritable(_ pool: inout SlabPool, _ service: SmallService) -> Fate {
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
        // What has come already is served in the next turn of the loop.
        let hasMore = !needsMore && !input.bytes.isEmpty
        interest = hasMore && !isClosing ? .writable : .readable
        guard isClosing else { return .keep }
        guard !hasPeerEnded else { return .close }
        socket.finishWriting()
        isLingering = true
        return .keep
    }

    // MARK: Requests

    /// Answers one request, where the last answer has left: whoever sends many and reads nothing
    /// makes nothing of it.
    private mutating func serve(_ pool: inout SlabPool, _ service: SmallService) {
        guard !isClosing, output.isEmpty, !input.bytes.isEmpty || pending != nil else { return }
        switch next(service) {
        case .needMore: needsMore = true
        case .goOn:
            needsMore = true
            send("HTTP/1.1 100 Continue\r\n\r\n", [], &pool)
        case .refused(let fault):
            isClosing = true
            answer(service.refuse(fault, client), hasBody: true, &pool)
        case .request(let request):
            let hasBody = request.method != "HEAD"
            answer(service.answer(request), hasBody: hasBody, &pool)
        }
    }

    private enum Next {
        case needMore
        /// The client waits to be told so.
        case goOn
        case refused(SmallFault)
        case request(SmallRequest)
    }

    /// A request whose body has come in part.
    private struct Pending {
        let head: SmallRequest
        let bodyMax: Int
        let body = SmallInput()
        var decoder: BodyDecoder
        /// Bytes of the body as framed.
        var taken = 0
        var awaitsContinue: Bool
    }

    private mutating func next(_ service: SmallService) -> Next {
        if pending == nil {
            do throws(HeadFault) {
                if let next = try takeHead(service) { return next }
            } catch {
                return .refused(SmallFault(error))
            }
        }
        return takeBody()
    }

    /// - Returns: `nil` where the body comes next.
    private mutating func takeHead(_ service: SmallService) throws(HeadFault) -> Next? {
        var head = RequestHead()
        guard let (request, count) = try readHead(&head) else { return .needMore }
        parser.reset()
        input.consume(count)
        if !head.keepsAlive { isClosing = true }
        let decoder = BodyDecoder(head.framing)
        if decoder.isComplete { return .request(request) }
        guard let bodyMax = service.bodyMax(request) else {
            isClosing = true
            return .request(request)
        }
        if case .length(let length) = head.framing, length > bodyMax {
            return .refused(.bodyTooLarge)
        }
        pending = Pending(
            head: request, bodyMax: bodyMax, decoder: decoder,
            awaitsContinue: head.expectsContinue)
        return nil
    }

    /// The input is borrowed only here, so that it can be wiped afterwards.
    private mutating func readHead(
        _ head: inout RequestHead
    ) throws(HeadFault) -> (SmallRequest, count: Int)? {
        let bytes = input.bytes
        let progress = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        guard case .complete(let count) = progress else { return nil }
        return (request(head, bytes.span), count)
    }

    private mutating func takeBody() -> Next {
        guard var request = pending else { return .needMore }
        pending = nil
        let hasEnded: Bool
        let before = request.taken
        do throws(SmallFault) {
            hasEnded = try gather(&request)
        } catch {
            return .refused(error)
        }
        input.consume(request.taken - before)
        if hasEnded { return .request(request.head.with(request.body.copied)) }
        guard request.taken <= Self.framingMax * request.bodyMax else {
            return .refused(.bodyTooLarge)
        }
        let awaitsContinue = request.awaitsContinue && request.taken == 0
        request.awaitsContinue = false
        pending = request
        return awaitsContinue ? .goOn : .needMore
    }

    /// - Returns: whether all of the body is there.
    private func gather(_ request: inout Pending) throws(SmallFault) -> Bool {
        let bytes = input.bytes
        var offset = 0
        defer { request.taken += offset }
        do throws(BodyFault) {
            while true {
                let event = try request.decoder.next(bytes.span, from: offset)
                offset = event.consumed
                switch event {
                case .needMore: return false
                case .data(let range):
                    guard request.body.count + range.count <= request.bodyMax else { break }
                    request.body.append(bytes.span.extracting(range))
                    continue
                case .trailer: continue
                case .end: return true
                }
                break
            }
        } catch {
            throw .malformed
        }
        throw .bodyTooLarge
    }

    private func request(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> SmallRequest {
        var fields: [(name: String, value: String)] = []
        for index in 0..<head.fieldCount {
            fields.append(
                (
                    head[index].name(in: bytes).string.lowercased(),
                    head[index].value(in: bytes).string
                ))
        }
        let target = bytes.extracting(head.pathRange).string
        let noBody: [UInt8] = []
        return SmallRequest(
            method: bytes.extracting(head.methodRange).string,
            path: String(target.prefix { $0 != "?" }), fields: fields,
            body: SecretBytes(copying: noBody.span), client: client)
    }

    // MARK: Answers

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
