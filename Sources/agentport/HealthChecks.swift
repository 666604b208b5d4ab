// SPDX-License-Identifier: Apache-2.0

import Control
import Gateway
import Policy
import Reactor
import Telemetry

extension Gateway {
    /// What the control loop is to check, of which nothing is known until it says so: the endpoints
    /// of upstreams that ask for it.
    var healthTargets: [HealthTarget] {
        generation.upstreams.flatMap { upstream in
            // What checks said that are no longer made does not hold. Of those that go on the
            // checker says at once what they have come to.
            for endpoint in upstream.endpoints { endpoint.forgetChecks() }
            guard let check = upstream.rules.healthCheck else { return [HealthTarget]() }
            return upstream.endpoints.map { target($0, check, of: upstream.rules.name) }
        }
    }

    private func target(
        _ endpoint: Endpoint, _ check: Configuration.HealthCheck, of upstream: String
    ) -> HealthTarget {
        HealthTarget(
            id: endpoint.number,
            address: { endpoint.address(attempt: $0) },
            isKnown: { !endpoint.isResolving }, tls: endpoint.tls,
            host: endpoint.url.authority, path: check.path,
            intervalMilliseconds: check.intervalMilliseconds,
            unhealthyAfter: check.unhealthyAfter
        ) { isHealthy, reason in
            endpoint.noteChecks(arePassed: isHealthy)
            var facts = [("upstream", upstream), ("endpoint", endpoint.url.label)]
            if !isHealthy { facts.append(("reason", reason)) }
            self.log(
                isHealthy ? .info : .warn,
                isHealthy ? "upstream endpoint healthy" : "upstream endpoint unhealthy", facts)
            self.wakeAll()
        }
    }
}
