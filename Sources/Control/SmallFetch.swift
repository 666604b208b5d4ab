// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor

/// One `GET` over plain HTTP on the control thread's loop.
final class SmallFetch {
    static let token = SlotToken(kind: 3, index: 0, generation: 1)
    private static let bytesMax = 256 * 1024

    private let socket: Socket
    private var request: [UInt8]
    private var input: [UInt8] = []
    private var isConnected = false
    private var pool = SlabPool(bound: 1)
    private let completion: ([UInt8]?) -> Void

    init?(
        _ path: String, from address: SocketAddress, on loop: inout EventLoop,
        completion: @escaping ([UInt8]?) -> Void
    ) {
        guard let socket = try? Socket.connect(to: address) else { return nil }
        try? loop.add(socket.descriptor, .writable, token: Self.token)
        self.socket = socket
        self.completion = completion
        let head = "GET \(path) HTTP/1.1\r\nhost: \(address)\r\nconnection: close\r\n\r\n"
        request = Array(head.utf8)
    }

    /// - Returns: whether the fetch has ended, well or not.
    func handle(_ event: Event, on loop: inout EventLoop) -> Bool {
        if !isConnected {
            guard socket.connectionError == 0,
                case .bytes(request.count) = socket.send(request.span)
            else { return true }
            isConnected = true
            try? loop.modify(socket.descriptor, .readable, token: Self.token)
            return false
        }
        var chunk = Buffer()
        guard chunk.attach(from: &pool) else { return true }
        defer { chunk.release(to: &pool) }
        switch socket.receive(into: &chunk) {
        case .bytes:
            input.append(contentsOf: chunk.readable.array)
            return input.count > Self.bytesMax
        case .wouldBlock: return false
        case .end, .failed: return true
        }
    }

    func complete() {
        completion(body())
    }

    /// The body of a 200 that is whole.
    private func body() -> [UInt8]? {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        let progress = try? parser.parse(
            input.span, limits: HeadLimits(), requestMethod: .get, into: &head)
        guard case .complete(let count) = progress, head.status == 200,
            case .length(let length) = head.framing, input.count - count == Int(length)
        else { return nil }
        return Array(input[count...])
    }
}
