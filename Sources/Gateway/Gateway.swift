// SPDX-License-Identifier: Apache-2.0

import Filters
import Policy
import Reactor
import Synchronization
import Telemetry

/// What all workers share for the life of the process, and the generation that holds now.
package final class Gateway: Sendable {
    package let connections: ConnectionLimits
    package let troubles: Troubles
    package let metrics: MetricsRegistry
    package let log: LogChannel
    /// Wakes the log writer where it sleeps.
    package let logWakeup: Wakeup
    /// What turns monotonic milliseconds into those of an epoch clock that never steps.
    package let epochOffsetMilliseconds: UInt64
    private let connectionsMax: Int
    private let wakeups: [Wakeup]
    private let current: Mutex<Generation>
    /// How often there was a new one; read by each worker when it is woken.
    private let revision = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    /// - Parameter started: when the process's own time begins, which is then that of the clock.
    package init(
        _ generation: Generation, troubles: Troubles, wakeups: [Wakeup], logWakeup: Wakeup,
        started: Instant = .read()
    ) {
        self.troubles = troubles
        self.wakeups = wakeups
        self.logWakeup = logWakeup
        let limits = generation.configuration.listen.limits
        connectionsMax = limits.connections
        connections = ConnectionLimits(
            total: limits.connections, perAddress: limits.connectionsPerIP)
        metrics = MetricsRegistry(
            workers: wakeups.map { _ in WorkerMetrics(schema: generation.schema) })
        log = LogChannel(workers: wakeups.count)
        epochOffsetMilliseconds = started.wallMilliseconds &- started.milliseconds
        current = Mutex(generation)
    }

    package var workers: Int { wakeups.count }

    /// Hands a line that must not be lost to the log; from any thread.
    package func write(_ line: SystemLine) {
        if log.append(audit: line.finished()) { logWakeup.signal() }
    }

    // MARK: Generations

    package var generation: Generation { current.withLock { $0 } }

    var revisionNow: Int { revision.load(ordering: .acquiring) }

    /// Each worker goes on with this one at its next turn.
    package func publish(_ generation: Generation) {
        current.withLock { $0 = generation }
        let limits = generation.configuration.listen.limits
        // The workers' tables were made for so many.
        connections.update(
            total: min(limits.connections, connectionsMax), perAddress: limits.connectionsPerIP)
        revision.wrappingAdd(1, ordering: .acquiringAndReleasing)
        wakeAll()
    }

    // MARK: The drain

    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    package func beginDrain() {
        draining.store(true, ordering: .relaxed)
        wakeAll()
    }

    // MARK: Waking

    /// Something has changed that requests may wait for.
    package func wakeAll() {
        for wakeup in wakeups { wakeup.signal() }
    }

    func wake(worker: Int) { wakeups[worker].signal() }

    func wakeOthers(than worker: Int) {
        for index in wakeups.indices where index != worker { wakeups[index].signal() }
    }
}
