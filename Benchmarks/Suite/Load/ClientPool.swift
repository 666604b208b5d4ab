// SPDX-License-Identifier: Apache-2.0

import Bytes
import CBenchmarks
import Reactor

/// Many connections to one server on one event loop, with a timer finer than the loop's own
/// milliseconds.
struct ClientPool: ~Copyable {
    private static let timerToken = SlotToken(kind: 1, index: 0, generation: 1)
    /// Nobody waits longer than this for anything, so that a dead server is noticed.
    private static let waitMillisecondsMax = 1000

    private var loop: EventLoop
    private var connections: SlotTable<ClientConnection>
    private var desk: ClientDesk
    private let timer: Descriptor
    private var timerAt: UInt64 = 0
    private let target: LoadTarget

    init(
        _ target: LoadTarget, capacity: Int, keepsHeadText: Bool = false
    ) throws(BenchmarkFault) {
        do {
            let loop = try EventLoop()
            let timer = Descriptor(owning: cb_timer())
            try loop.add(timer, .readable, token: Self.timerToken)
            desk = try ClientDesk(keepsHeadText: keepsHeadText)
            self.loop = loop
            self.timer = timer
        } catch {
            throw .failed("the generator cannot start: \(error)")
        }
        self.target = target
        connections = SlotTable(kind: 2, capacity: capacity)
    }

    /// The head of the last answer, where it is kept.
    var headText: String { desk.headText }

    var count: Int { connections.count }

    func isOpen(_ index: Int) -> Bool { connections.isOccupied(index) }

    /// Begins to connect.
    ///
    /// - Returns: the connection's index.
    @discardableResult
    mutating func open() throws(BenchmarkFault) -> Int {
        do throws(SystemError) {
            let connection = try ClientConnection(target, desk)
            guard let index = connections.insert(connection) else {
                preconditionFailure("no more are opened than the pool was made for")
            }
            try loop.add(
                connections[index].socket.descriptor, connections[index].interest,
                token: connections.token(at: index))
            return index
        } catch {
            throw .failed("no connection to \(target.address): \(error)")
        }
    }

    mutating func close(_ index: Int) {
        var connection = connections.remove(at: index)
        connection.release(to: &desk.pool)
    }

    mutating func closeAll() {
        for index in 0..<connections.indexEnd where connections.isOccupied(index) { close(index) }
    }

    mutating func rest(_ index: Int) {
        connections[index].rest()
    }

    /// - Parameter dueAt: when it should have left, in monotonic nanoseconds.
    /// - Returns: false where the connection is gone.
    mutating func send(_ request: [UInt8], on index: Int, dueAt: UInt64) -> Bool {
        let before = connections[index].interest
        connections[index].dueAt = dueAt
        connections[index].sentAt = Clock.monotonicNanoseconds()
        let isSent = connections[index].send(request, &desk)
        follow(index, before)
        return isSent
    }

    /// When the request in flight was due (at first: when connecting began), and the nanoseconds
    /// since then and since it was sent.
    func age(of index: Int) -> (dueAt: UInt64, sinceDue: UInt64, sinceSent: UInt64) {
        let now = Clock.monotonicNanoseconds()
        let dueAt = connections[index].dueAt
        return (dueAt, now - dueAt, now - connections[index].sentAt)
    }

    func isAnswered(_ index: Int) -> Bool { connections[index].isAnswered }

    /// Waits for events, until a time in monotonic nanoseconds at the latest.
    ///
    /// - Returns: how many events ``advance(_:)`` is to be called for.
    mutating func wait(until deadline: UInt64) -> Int {
        if deadline <= Clock.monotonicNanoseconds() { return loop.wait(milliseconds: 0) }
        if deadline != timerAt {
            timerAt = deadline
            _ = cb_timer_arm(timer.rawValue, deadline)
        }
        return loop.wait(milliseconds: Self.waitMillisecondsMax)
    }

    /// Hands an event to its connection. One that has ended is to be closed by the caller.
    mutating func advance(_ eventIndex: Int) -> (index: Int, progress: ClientConnection.Progress)? {
        let event = loop.event(at: eventIndex)
        guard let index = connections.resolve(event.token) else {
            if event.token == Self.timerToken {
                // Readable until it is armed anew.
                timerAt = 0
                _ = cb_timer_arm(timer.rawValue, 0)
            }
            return nil
        }
        let before = connections[index].interest
        let progress = connections[index].handle(event, &desk)
        if progress != .ended { follow(index, before) }
        return (index, progress)
    }

    private mutating func follow(_ index: Int, _ before: Interest) {
        guard connections[index].interest != before else { return }
        try? loop.modify(
            connections[index].socket.descriptor, connections[index].interest,
            token: connections.token(at: index))
    }
}
