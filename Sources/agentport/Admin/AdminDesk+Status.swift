// SPDX-License-Identifier: Apache-2.0

import Admin
import Bytes
import Crypto
import Filters
import Gateway
import Identity
import Policy
import Reactor
import TLS
import Telemetry

extension AdminDesk {
    var status: AdminStatus {
        let generation = gateway.generation
        let configuration = generation.configuration
        var status = AdminStatus()
        status.version = Version.current
        status.mode = configuration.mode.rawValue
        status.startedAt = report.startedAt / 1_000_000
        let instant = Instant.read()
        status.uptimeSeconds = (instant.nanoseconds - report.startedMonotonic) / 1_000_000_000
        status.workers = gateway.workers
        status.isDraining = gateway.isDraining
        status.connections = gateway.connections.count
        status.connectionsMax = configuration.listen.limits.connections
        status.clock = clock.status
        describe(configuration, &status)
        let now = instant.milliseconds
        status.upstreams = generation.upstreams.map { upstream in
            AdminStatus.Upstream(
                name: upstream.rules.name,
                endpoints: upstream.endpoints.map {
                    ($0.url.label, $0.addressCount > 0 && $0.isHealthy(now: now))
                })
        }
        status.certificateExpirySeconds = generation.tls.certificateExpiry
        describe(generation.state, &status)
        status.decisions = MetricsTotals(gateway.metrics.all).decisions
        return status
    }

    private func describe(_ configuration: Configuration, _ status: inout AdminStatus) {
        status.policyPath = configuration.policy?.path
        status.policyHash = configuration.policy.flatMap { file in
            guard var hasher = try? Hasher256() else { return nil }
            return hasher.digest(file.bytes.span).hex
        }
        status.loadedAt = succession.loadedAt
        status.inShadow = configuration.inShadow
        status.isDurable = succession.custody.isDurable
    }

    private func describe(_ state: GateState, _ status: inout AdminStatus) {
        status.agents = state.agents.count
        status.agentsDisabled =
            state.roster.places.indices
            .filter { state.roster.places[$0] >= 0 && state.isDisabled(agent: $0) }.count
        status.sessions = state.sessions.count
        status.seedRotations = report.seedRotations
        status.seedsEnding = state.seeds.filter { $0.previous != nil }.count
        status.signingKey = succession.state.keys?.signing.id ?? ""
    }
}
