// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Reactor
import Testing

@Suite("Event loop")
struct EventLoopTests {
    private struct Report: Equatable {
        var token: UInt64
        var flags: String
    }

    /// One turn: readable, writable, peer closed, broken, by their first letters.
    private func turn(_ loop: inout EventLoop, milliseconds: Int = 0) -> [Report] {
        let count = loop.wait(milliseconds: milliseconds)
        return (0..<count).map { index in
            let event = loop.event(at: index)
            let flags =
                (event.isReadable ? "r" : "") + (event.isWritable ? "w" : "")
                + (event.isPeerClosed ? "p" : "") + (event.isBroken ? "b" : "")
            return Report(token: event.token.rawValue, flags: flags)
        }
    }

    @Test func tellsWhatIsReadyForAsLongAsItIs() throws {
        var loop = try EventLoop()
        let (left, right) = try socketPair()
        let near = Socket(Descriptor(owning: left))
        let far = Socket(Descriptor(owning: right))
        let token = SlotToken(kind: 7, index: 3, generation: 9)
        try loop.add(near.descriptor, .readable, token: token)
        #expect(turn(&loop) == [])
        #expect(far.send(text: "ab") == .bytes(2))
        let report = Report(token: token.rawValue, flags: "r")
        #expect(turn(&loop) == [report])
        // Level-triggered: what was not read is told again.
        #expect(turn(&loop) == [report])
        #expect(near.receiveAll(2).bytes == Array("ab".utf8))
        #expect(turn(&loop) == [])
    }

    @Test func followsChangesOfInterest() throws {
        var loop = try EventLoop()
        let (left, right) = try socketPair()
        let near = Socket(Descriptor(owning: left))
        let far = Socket(Descriptor(owning: right))
        let token = SlotToken(kind: 1, index: 1, generation: 1)
        try loop.add(near.descriptor, .none, token: token)
        _ = far.send(text: "x")
        #expect(turn(&loop) == [])
        try loop.modify(near.descriptor, .writable, token: token)
        #expect(turn(&loop).map(\.flags) == ["w"])
        try loop.modify(near.descriptor, Interest(readable: true, writable: true), token: token)
        #expect(turn(&loop).map(\.flags) == ["rw"])
        let other = SlotToken(kind: 1, index: 1, generation: 3)
        try loop.modify(near.descriptor, .readable, token: other)
        #expect(turn(&loop) == [Report(token: other.rawValue, flags: "r")])
        loop.remove(near.descriptor)
        #expect(turn(&loop) == [])
    }

    @Test func refusesWhatTheKernelRefuses() throws {
        let loop = try EventLoop()
        let (left, right) = try socketPair()
        let near = Descriptor(owning: left)
        let far = Descriptor(owning: right)
        let token = SlotToken(kind: 1, index: 1, generation: 1)
        try loop.add(near, .readable, token: token)
        var faults: [Int32] = []
        do throws(SystemError) { try loop.add(near, .readable, token: token) } catch {
            faults.append(error.number)
        }
        do throws(SystemError) { try loop.modify(far, .readable, token: token) } catch {
            faults.append(error.number)
        }
        loop.remove(far)
        #expect(faults == [EEXIST, ENOENT])
    }

    @Test func tellsAFinEvenWhileReadingIsPaused() throws {
        var loop = try EventLoop()
        let link = try Link()
        let token = SlotToken(kind: 1, index: 1, generation: 1)
        try loop.add(link.server.descriptor, .peerClosed, token: token)
        _ = link.client.send(text: "unread")
        #expect(turn(&loop, milliseconds: 20) == [])
        link.client.finishWriting()
        #expect(turn(&loop, milliseconds: 2000).map(\.flags) == ["p"])
        try loop.modify(link.server.descriptor, Interest.readable.union(.peerClosed), token: token)
        #expect(turn(&loop).map(\.flags) == ["rp"])
    }

    @Test func tellsAResetWhateverTheInterest() throws {
        var loop = try EventLoop()
        var link = Optional(try Link())
        let token = SlotToken(kind: 1, index: 1, generation: 1)
        if let client = link?.client.descriptor.rawValue {
            // The client's end goes by another owner of the same connection.
            let twin = Socket(Descriptor(owning: dup(client)))
            twin.resetOnClose()
        }
        let server = Socket(Descriptor(owning: dup(link?.server.descriptor.rawValue ?? -1)))
        try loop.add(server.descriptor, .none, token: token)
        link = nil
        let reports = turn(&loop, milliseconds: 2000)
        #expect(reports.count == 1)
        #expect(reports.first?.flags.contains("b") == true)
        #expect(server.receiveAll().last == .failed(ECONNRESET))
    }

    @Test func aStaleTokenNamesNothing() throws {
        var loop = try EventLoop()
        var table = SlotTable<Socket>(kind: 4, capacity: 2)
        let (left, right) = try socketPair()
        let far = Socket(Descriptor(owning: right))
        let first = table.insert(Socket(Descriptor(owning: left))) ?? -1
        let old = table.token(at: first)
        try loop.add(table[first].descriptor, .readable, token: old)
        _ = far.send(text: "x")
        #expect(turn(&loop).map(\.token) == [old.rawValue])
        // The connection is closed and its slot is given on, within the same turn.
        _ = table.remove(at: first)
        let (other, otherFar) = try socketPair()
        let again = table.insert(Socket(Descriptor(owning: other)))
        #expect(again == first)
        _ = Descriptor(owning: otherFar)
        let stale = table.resolve(old)
        #expect(stale == nil)
        let fresh = table.resolve(table.token(at: first))
        #expect(fresh == first)
    }

    @Test func aTurnHasABoundAndLosesNothing() throws {
        var loop = try EventLoop()
        let count = EventLoop.eventCapacity + 44
        let wakeups = try (0..<count).map { _ in try Wakeup() }
        for (index, wakeup) in wakeups.enumerated() {
            let token = SlotToken(kind: 1, index: index, generation: 1)
            try loop.add(wakeup.descriptor, .readable, token: token)
            wakeup.signal()
        }
        var seen: Set<UInt64> = []
        var largest = 0
        for _ in 0..<4 {
            let reports = turn(&loop)
            largest = max(largest, reports.count)
            seen.formUnion(reports.map(\.token))
        }
        #expect(largest == EventLoop.eventCapacity)
        #expect(seen.count == count)
    }

    @Test func waitsAsLongAsItIsTold() throws {
        var loop = try EventLoop()
        let start = Clock.monotonicNanoseconds()
        #expect(turn(&loop, milliseconds: 30) == [])
        #expect(Clock.monotonicNanoseconds() - start >= 29_000_000)
    }
}
