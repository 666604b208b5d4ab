// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS

/// The control thread: signals, the admin listener, what is fetched from elsewhere, health checks,
/// and what has to be done every second. No request passes through it.
package final class ControlLoop {
    private static let signalsToken = SlotToken(kind: 1, index: 0, generation: 1)
    private static let wakeupToken = SlotToken(kind: 2, index: 0, generation: 1)
    private static let fetchKind: UInt8 = 3
    private static let tickMilliseconds: UInt64 = 1000

    private var loop: EventLoop
    private let signals: Signals
    private let wakeup: Wakeup
    private var servers: [SmallServer] = []
    private let fetcher: Fetcher
    private let health: HealthChecker
    private let keySets: KeySetFetcher
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
        fetcher = Fetcher(kind: Self.fetchKind)
        health = HealthChecker(fetcher: fetcher)
        keySets = KeySetFetcher(fetcher: fetcher)
    }

    private static var now: UInt64 { Clock.monotonicNanoseconds() / 1_000_000 }

    package func add(_ server: SmallServer) throws(SystemError) {
        try server.start(on: &loop)
        servers.append(server)
    }

    /// Fetches a document without blocking the loop, as one of ``Fetcher/fetchesMax`` at most. On
    /// the control thread it can be called at any time, from a server's handler as well.
    ///
    /// - Parameters:
    ///   - tls: for the server's name; `nil` for plain HTTP.
    ///   - completion: called on the control thread, never before this returns but for
    ///     ``FetchFault/busy``.
    package func fetch(
        _ request: FetchRequest, from address: SocketAddress?, tls: TLSClientContext? = nil,
        completion: @escaping Fetcher.Completion
    ) {
        let id = fetcher.start(
            request, from: address, tls: tls, now: Self.now, completion: completion)
        if id == nil { completion(.failure(.busy)) }
    }

    /// Fetches a document over plain HTTP.
    ///
    /// - Parameter completion: with the body of a 200, or `nil`.
    package func get(
        _ path: String, from address: SocketAddress, completion: @escaping ([UInt8]?) -> Void
    ) {
        fetch(FetchRequest(path: path, host: "\(address)"), from: address) { result in
            guard case .success(let answer) = result, answer.status == 200 else {
                return completion(nil)
            }
            completion(answer.body)
        }
    }

    /// Checks the health of these from now on, and of no others: ``HealthChecker/replace(_:now:)``.
    /// To be called at any time on the control thread.
    package func checkHealth(of targets: [HealthTarget]) {
        health.replace(targets, now: Self.now)
    }

    /// Fetches these key sets from now on, and no others: ``KeySetFetcher/replace(_:now:)``.
    package func fetchKeySets(_ targets: [KeySetTarget]) {
        keySets.replace(targets, now: Self.now)
    }

    /// Hears from now on what the clocks of the servers say that are asked for something.
    package func watchClocks(_ heard: @escaping (_ host: String, _ date: UInt64) -> Void) {
        fetcher.onDate = heard
    }

    /// Makes ``run(_:)`` return.
    package func end() {
        hasEnded = true
    }

    package func run(_ actions: Actions) {
        var nextTick = Self.now + Self.tickMilliseconds
        while !hasEnded {
            fetcher.watch(on: &loop)
            let before = Self.now
            let next = min(
                nextTick, fetcher.wakeAt ?? .max, health.wakeAt ?? .max, keySets.wakeAt ?? .max)
            let count = loop.wait(milliseconds: next > before ? Int(next - before) : 0)
            let now = Self.now
            for index in 0..<count { handle(loop.event(at: index), actions, now) }
            fetcher.expire(now: now)
            fetcher.deliver()
            health.advance(now: now)
            keySets.advance(now: now)
            if now >= nextTick {
                nextTick = now + Self.tickMilliseconds
                for server in servers { server.wake(on: &loop, now: now) }
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
        default:
            if fetcher.handle(event, on: &loop) { return }
            for server in servers where server.handle(event, on: &loop, now: now) { return }
        }
    }
}
