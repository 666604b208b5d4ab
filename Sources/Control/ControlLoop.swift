// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// The control thread: signals, the admin listener, and what has to be done every second. No
/// request passes through it.
package final class ControlLoop {
    private static let signalsToken = SlotToken(kind: 1, index: 0, generation: 1)
    private static let wakeupToken = SlotToken(kind: 2, index: 0, generation: 1)
    private static let tickMilliseconds: UInt64 = 1000

    private var loop: EventLoop
    private let signals: Signals
    private let wakeup: Wakeup
    private var servers: [SmallServer] = []
    private var fetch: SmallFetch?
    private var hasEnded = false

    /// What the process does on each occasion; all called on the control thread.
    package struct Actions {
        package var onTerminate: () -> Void
        package var onHangUp: () -> Void
        /// Once a second.
        package var onTick: () -> Void
        /// After ``wakeup`` was signalled from another thread.
        package var onWakeup: () -> Void

        package init(
            onTerminate: @escaping () -> Void, onHangUp: @escaping () -> Void,
            onTick: @escaping () -> Void, onWakeup: @escaping () -> Void
        ) {
            self.onTerminate = onTerminate
            self.onHangUp = onHangUp
            self.onTick = onTick
            self.onWakeup = onWakeup
        }
    }

    package init(signals: consuming Signals, wakeup: Wakeup) throws(SystemError) {
        let loop = try EventLoop()
        try loop.add(signals.descriptor, .readable, token: Self.signalsToken)
        try loop.add(wakeup.descriptor, .readable, token: Self.wakeupToken)
        self.loop = loop
        self.signals = signals
        self.wakeup = wakeup
    }

    package func add(_ server: SmallServer) throws(SystemError) {
        try server.start(on: &loop)
        servers.append(server)
    }

    /// Fetches a document over plain HTTP, without blocking the loop; one at a time.
    ///
    /// - Parameter completion: with the body of a 200, or `nil`.
    package func get(
        _ path: String, from address: SocketAddress, completion: @escaping ([UInt8]?) -> Void
    ) {
        fetch = SmallFetch(path, from: address, on: &loop, completion: completion)
        if fetch == nil { completion(nil) }
    }

    /// Makes ``run(_:)`` return.
    package func end() {
        hasEnded = true
    }

    package func run(_ actions: Actions) {
        var nextTick = Clock.monotonicNanoseconds() / 1_000_000 + Self.tickMilliseconds
        while !hasEnded {
            let before = Clock.monotonicNanoseconds() / 1_000_000
            let count = loop.wait(
                milliseconds: nextTick > before ? Int(nextTick - before) : 0)
            let now = Clock.monotonicNanoseconds() / 1_000_000
            for index in 0..<count { handle(loop.event(at: index), actions, now) }
            if now >= nextTick {
                nextTick = now + Self.tickMilliseconds
                for server in servers { server.wake(on: &loop) }
                actions.onTick()
            }
        }
    }

    private func handle(_ event: Event, _ actions: Actions, _ now: UInt64) {
        switch event.token {
        case Self.signalsToken:
            while let signal = signals.next() {
                switch signal {
                case .terminate: actions.onTerminate()
                case .hangUp: actions.onHangUp()
                }
            }
        case Self.wakeupToken:
            wakeup.acknowledge()
            actions.onWakeup()
        case SmallFetch.token:
            guard let current = fetch, current.handle(event, on: &loop) else { return }
            fetch = nil
            current.complete()
        default:
            for server in servers where server.handle(event, on: &loop, now: now) { return }
        }
    }
}
