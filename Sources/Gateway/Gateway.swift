// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Policy
import Reactor
import Synchronization
import TLS
import Telemetry

/// What all workers share: one immutable configuration with what was made of it, and the few
/// tables that must be counted once for the whole process.
package final class Gateway: Sendable {
    package let configuration: Configuration
    package let state: GateState
    package let tls: TLSServerContext
    package let jwks: JWKS
    package let ipLimiter: AddressRateLimiter?
    /// Before anybody has said who they are, a handshake is the costliest thing to ask for.
    package let handshakeLimiter: AddressRateLimiter?
    package let connections: ConnectionLimits
    package let upstreams: [Upstream]
    package let troubles: Troubles
    package let schema: MetricsSchema
    package let metrics: [WorkerMetrics]
    package let log: LogChannel
    /// Wakes the log writer where it sleeps.
    package let logWakeup: Wakeup
    /// What turns monotonic milliseconds into those of an epoch clock that never steps back.
    package let epochOffsetMilliseconds: UInt64
    package let headLimits: HeadLimits
    private let draining = Atomic<Bool>(false)
    private let wakeups: [Wakeup]

    package init(
        configuration: Configuration, state: GateState, tls: TLSServerContext, jwks: JWKS,
        upstreams: [Upstream], troubles: Troubles, wakeups: [Wakeup], logWakeup: Wakeup
    ) {
        self.configuration = configuration
        self.state = state
        self.tls = tls
        self.jwks = jwks
        self.upstreams = upstreams
        self.troubles = troubles
        self.wakeups = wakeups
        self.logWakeup = logWakeup
        ipLimiter = configuration.ipRate.map { AddressRateLimiter(limit: RateLimit($0)) }
        // Whatever the rate of requests, a connection's handshake comes before the first of them.
        handshakeLimiter = configuration.ipRate.map { rate in
            let most = rate.requests > Rate.standard.requests ? rate : Rate.standard
            return AddressRateLimiter(limit: RateLimit(most))
        }
        let limits = configuration.listen.limits
        connections = ConnectionLimits(
            total: limits.connections, perAddress: limits.connectionsPerIP)
        headLimits = HeadLimits(
            requestLineBytes: limits.requestLineBytes, headBytes: limits.headerBytes,
            fieldCount: limits.headerFields)
        schema = MetricsSchema(
            routes: configuration.routes.map(\.path),
            codes: Problem.allCases.map { "\($0.code)" },
            filters: configuration.filters.map(\.name),
            upstreams: configuration.upstreams.map {
                .init(name: $0.name, endpoints: $0.endpoints.map(\.label))
            })
        var metrics: [WorkerMetrics] = []
        for _ in wakeups { metrics.append(WorkerMetrics(schema: schema)) }
        self.metrics = metrics
        log = LogChannel(workers: wakeups.count)
        let instant = Instant.read()
        epochOffsetMilliseconds = instant.wallMilliseconds - instant.milliseconds
    }

    /// Hands a line that must not be lost to the log; from any thread.
    package func write(_ line: SystemLine) {
        if log.append(audit: line.finished()) { logWakeup.signal() }
    }

    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    package func beginDrain() {
        draining.store(true, ordering: .relaxed)
        for wakeup in wakeups { wakeup.signal() }
    }

    func wake(worker: Int) { wakeups[worker].signal() }

    /// Wakes all workers but one.
    func wakeOthers(than worker: Int) {
        for index in wakeups.indices where index != worker { wakeups[index].signal() }
    }
}

extension Configuration {
    /// The address limiter's rate, where the chain has one.
    fileprivate var ipRate: Rate? {
        for filter in filters {
            if case .ipRateLimit(let rate) = filter { return rate }
        }
        return nil
    }
}
