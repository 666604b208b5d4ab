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
    package let endpoints: [Endpoint]
    package let schema: MetricsSchema
    package let metrics: [WorkerMetrics]
    package let log: LogChannel
    /// Wakes the log writer where it sleeps.
    package let logWakeup: Wakeup
    /// What turns monotonic milliseconds into those of an epoch clock that never steps back.
    package let epochOffsetMilliseconds: UInt64
    package let headLimits: HeadLimits
    private let draining = Atomic<Bool>(false)

    package init(
        configuration: Configuration, state: GateState, tls: TLSServerContext, jwks: JWKS,
        endpoints: [Endpoint], workers: Int, logWakeup: Wakeup
    ) {
        self.configuration = configuration
        self.state = state
        self.tls = tls
        self.jwks = jwks
        self.endpoints = endpoints
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
        for _ in 0..<workers { metrics.append(WorkerMetrics(schema: schema)) }
        self.metrics = metrics
        log = LogChannel(workers: workers)
        let instant = Instant.read()
        epochOffsetMilliseconds = instant.wallMilliseconds - instant.milliseconds
    }

    /// Hands a line that must not be lost to the log; from any thread.
    package func write(_ line: SystemLine) {
        if log.append(audit: line.finished()) { logWakeup.signal() }
    }

    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Has effect in a worker at its next turn; wake it.
    package func beginDrain() {
        draining.store(true, ordering: .relaxed)
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
