// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor

/// One connection to a small server: requests are gathered whole, answers sent whole.
struct SmallConnection: ~Copyable {
    static let bodyMax = 1 << 20

    enum Fate: Equatable {
        case keep, close
    }

    let socket: Socket
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var sent = 0
    private var parser = RequestHeadParser()
    private var isClosing = false
    var interest: Interest = .readable
    var lastActiveAt: UInt64

    init(_ socket: consuming Socket, now: UInt64) {
        self.socket = socket
        lastActiveAt = now
    }

    mutating func onReadable(
        _ pool: inout SlabPool, _ handler: (SmallRequest) -> SmallResponse
    ) -> Fate {
        var chunk = Buffer()
        guard chunk.attach(from: &pool) else { return .close }
        let transfer = socket.receive(into: &chunk)
        input.append(contentsOf: chunk.readable.array)
        chunk.release(to: &pool)
        switch transfer {
        case .bytes: break
        case .wouldBlock: return .keep
        case .end: isClosing = true
        case .failed: return .close
        }
        serve(handler)
        return flush()
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
        return isClosing ? .close : .keep
    }

    private mutating func serve(_ handler: (SmallRequest) -> SmallResponse) {
        while !isClosing, !input.isEmpty {
            var head = RequestHead()
            let bytes = input
            do throws(HeadFault) {
                let progress = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
                guard case .complete(let count) = progress else { return }
                guard let (body, end) = gatherBody(head, bytes, from: count) else { return }
                parser.reset()
                input.removeFirst(end)
                if !head.keepsAlive { isClosing = true }
                let request = Self.request(head, bytes, body: body)
                answer(handler(request), hasBody: head.method != .head)
            } catch {
                refuse()
            }
        }
    }

    /// The body and where it ends; `nil` while some of it is missing.
    private mutating func gatherBody(
        _ head: borrowing RequestHead, _ bytes: [UInt8], from start: Int
    ) -> (body: [UInt8], end: Int)? {
        var decoder = BodyDecoder(head.framing)
        var body: [UInt8] = []
        var offset = start
        do throws(BodyFault) {
            while true {
                let event = try decoder.next(bytes.span, from: offset)
                offset = event.consumed
                switch event {
                case .needMore: return nil
                case .data(let range): body.append(contentsOf: bytes[range])
                case .trailer: break
                case .end: return (body, offset)
                }
                guard body.count <= Self.bodyMax else {
                    refuse()
                    return nil
                }
            }
        } catch {
            refuse()
            return nil
        }
    }

    private static func request(
        _ head: borrowing RequestHead, _ bytes: [UInt8], body: [UInt8]
    ) -> SmallRequest {
        var fields: [(name: String, value: String)] = []
        for index in 0..<head.fieldCount {
            fields.append(
                (
                    head[index].name(in: bytes.span).string.lowercased(),
                    head[index].value(in: bytes.span).string
                ))
        }
        let target = bytes.span.extracting(head.pathRange).string
        return SmallRequest(
            method: bytes.span.extracting(head.methodRange).string,
            path: String(target.prefix { $0 != "?" }), fields: fields, body: body)
    }

    private mutating func refuse() {
        isClosing = true
        answer(
            SmallResponse(
                status: 400, type: "text/plain", body: Array("bad request\n".utf8)),
            hasBody: true)
    }

    private mutating func answer(_ response: SmallResponse, hasBody: Bool) {
        var text = "HTTP/1.1 \(response.status) \(Status.reason(response.status))\r\n"
        for field in response.fields { text += "\(field.name): \(field.value)\r\n" }
        text += "content-length: \(response.body.count)\r\n"
        if isClosing { text += "connection: close\r\n" }
        output += Array((text + "\r\n").utf8)
        if hasBody { output += response.body }
    }
}
