// SPDX-License-Identifier: Apache-2.0

import Filters
import Gateway
import Identity
import Policy
import Reactor
import Synchronization
import TLS
import Telemetry

/// What `/metrics` tells of the process besides the workers' counters.
final class ProcessReport: Sendable {
    private let gateway: Gateway
    private let descriptorLimit: Int
    /// Since the epoch.
    let startedAt = Clock.wallNanoseconds()
    let startedMonotonic = Clock.monotonicNanoseconds()
    private let reloadsSucceeded = Atomic<UInt64>(0)
    private let reloadsFailed = Atomic<UInt64>(0)
    private let rotations = Atomic<UInt64>(0)

    init(_ gateway: Gateway, descriptorLimit: Int) {
        self.gateway = gateway
        self.descriptorLimit = descriptorLimit
    }

    func countReload(isDone: Bool) {
        if isDone {
            reloadsSucceeded.wrappingAdd(1, ordering: .relaxed)
        } else {
            reloadsFailed.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func countRotation() { rotations.wrappingAdd(1, ordering: .relaxed) }

    var seedRotations: UInt64 { rotations.load(ordering: .relaxed) }

    var text: [UInt8] { PrometheusText.render(workers: gateway.metrics.all, facts: facts) }

    private var facts: ProcessFacts {
        let generation = gateway.generation
        var facts = ProcessFacts()
        facts.cpuNanoseconds = Clock.processorNanoseconds()
        facts.residentBytes = UInt64(Process.residentBytes)
        facts.openDescriptors = Process.openDescriptors
        facts.maxDescriptors = descriptorLimit
        facts.startTimeNanoseconds = startedAt
        facts.sessions = generation.state.sessions.count
        facts.certificateExpirySeconds = generation.tls.certificateExpiry
        facts.seedRotations = seedRotations
        facts.reloadsSucceeded = reloadsSucceeded.load(ordering: .relaxed)
        facts.reloadsFailed = reloadsFailed.load(ordering: .relaxed)
        let now = Clock.monotonicNanoseconds() / 1_000_000
        for upstream in generation.upstreams {
            facts.endpoints += upstream.endpoints.map {
                EndpointFact(
                    upstream: upstream.rules.name, endpoint: $0.url.label,
                    isHealthy: $0.addressCount > 0 && $0.isHealthy(now: now))
            }
        }
        return facts
    }
}
