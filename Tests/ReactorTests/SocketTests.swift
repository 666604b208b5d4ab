// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Reactor
import Testing

@Suite("Sockets")
struct SocketTests {
    @Test func bytesGoBothWays() throws {
        let link = try Link()
        #expect(link.client.send(text: "ping") == .bytes(4))
        #expect(link.server.receiveAll(4).bytes == Array("ping".utf8))
        #expect(link.server.send(text: "pong") == .bytes(4))
        #expect(link.client.receiveAll(4).bytes == Array("pong".utf8))
    }

    @Test func nothingToMoveIsAResult() throws {
        let link = try Link()
        var pool = SlabPool(bound: 1)
        var buffer = Buffer()
        _ = buffer.attach(from: &pool)
        defer { buffer.release(to: &pool) }
        let empty = link.server.receive(into: &buffer)
        #expect(empty == .wouldBlock)
        let block = [UInt8](repeating: 7, count: 1 << 20)
        var sent = 0
        var last = Transfer.bytes(0)
        while case .bytes(let count) = last {
            sent += count
            last = link.client.send(block.span)
        }
        #expect(last == .wouldBlock)
        #expect(sent > 0)
        #expect(writable(link.client.descriptor, withinMilliseconds: 0) == false)
        #expect(link.server.receiveAll(sent).bytes.count == sent)
        #expect(writable(link.client.descriptor, withinMilliseconds: 2000) == true)
    }

    @Test func receivesNoMoreThanAskedFor() throws {
        let link = try Link()
        var pool = SlabPool(bound: 1, slabCapacity: 16)
        var buffer = Buffer()
        _ = buffer.attach(from: &pool)
        defer { buffer.release(to: &pool) }
        _ = link.client.send(text: String(repeating: "x", count: 40))
        #expect(readable(link.server.descriptor, withinMilliseconds: 2000) == true)
        let limited = link.server.receive(into: &buffer, limit: 3)
        let rest = link.server.receive(into: &buffer)
        let count = buffer.count
        #expect(limited == .bytes(3))
        #expect(rest == .bytes(13))
        #expect(count == 16)
    }

    @Test func aRefusedConnectIsAnError() throws {
        let address: SocketAddress
        do { address = try Listener(anyPort, isShared: false).address }
        let socket = try Socket.connect(to: address)
        #expect(writable(socket.descriptor, withinMilliseconds: 2000) == true)
        #expect(socket.connectionError == ECONNREFUSED)
    }

    @Test func readingGoesOnAfterAFin() throws {
        let link = try Link()
        _ = link.client.send(text: "request")
        link.client.finishWriting()
        let request = link.server.receiveAll()
        #expect(request.bytes == Array("request".utf8))
        #expect(request.last == .end)
        #expect(link.server.send(text: "answer") == .bytes(6))
        link.server.finishWriting()
        let answer = link.client.receiveAll()
        #expect(answer.bytes == Array("answer".utf8))
        #expect(answer.last == .end)
        #expect(link.client.send(text: "more") == .failed(EPIPE))
    }

    @Test func aResetIsAResult() throws {
        let listener = try Listener(anyPort, isShared: false)
        let server: Socket?
        do {
            let client = try Socket.connect(to: listener.address)
            server = listener.acceptSoon()
            _ = client.send(text: "x")
            client.resetOnClose()
        }
        let last = server?.receiveAll().last
        #expect(last == .failed(ECONNRESET))
        // And no signal ends the process.
        let sent = server?.send(text: "y")
        #expect(sent == .failed(EPIPE))
    }

    @Test func writingToAPeerThatIsGoneIsAResult() throws {
        let listener = try Listener(anyPort, isShared: false)
        let server: Socket?
        do {
            let client = try Socket.connect(to: listener.address)
            server = listener.acceptSoon()
            #expect(client.connectionError == 0)
        }
        // The first bytes draw a reset, the next find the connection gone.
        var last = Transfer.bytes(0)
        for _ in 0..<200 {
            guard case .bytes = last else { break }
            last = server?.send(text: "x") ?? .end
            Process.pause(milliseconds: 5)
        }
        #expect(last == .failed(EPIPE) || last == .failed(ECONNRESET))
    }

    @Test func quietTellsWhetherAnIdleConnectionIsGood() throws {
        let link = try Link()
        #expect(link.client.isQuiet == true)
        #expect(link.server.isQuiet == true)
        _ = link.server.send(text: "unasked")
        #expect(readable(link.client.descriptor, withinMilliseconds: 2000) == true)
        #expect(link.client.isQuiet == false)
        // Looking takes nothing.
        #expect(link.client.receiveAll(7).bytes == Array("unasked".utf8))
        #expect(link.client.isQuiet == true)
        link.server.finishWriting()
        #expect(readable(link.client.descriptor, withinMilliseconds: 2000) == true)
        #expect(link.client.isQuiet == false)
    }

    @Test func anUnreachablePathIsAnError() {
        var numbers: [Int32] = []
        let long = "/" + String(repeating: "x", count: 120)
        for path in ["/nonexistent/agentport.sock", long, ""] {
            do throws(SystemError) {
                _ = try Socket.connect(to: .unix(path: path))
            } catch {
                numbers.append(error.number)
            }
        }
        #expect(numbers == [ENOENT, ENAMETOOLONG, ENAMETOOLONG])
    }

    @Test func errorsSayWhatWasTried() {
        let error = SystemError("bind", number: EADDRINUSE)
        #expect(error.description == "bind: Address already in use")
    }
}
