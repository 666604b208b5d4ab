// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// What `GET /admin/status` tells. Times are milliseconds since the epoch.
package struct AdminStatus {
    package struct Upstream {
        package let name: String
        package let endpoints: [(label: String, isHealthy: Bool)]

        package init(name: String, endpoints: [(label: String, isHealthy: Bool)]) {
            self.name = name
            self.endpoints = endpoints
        }
    }

    package struct Clock {
        package var now: UInt64 = 0
        /// What the kernel says; `nil` where it does not.
        package var isSynchronised: Bool?
        /// How far the clock is from where it would be had it not been set since the start.
        package var setByMilliseconds: Int = 0
        /// What another machine's clock said last, and how far ahead of ours it was.
        package var offset: (seconds: Int, host: String)?

        package init() {}
    }

    package var version = ""
    package var mode = ""
    package var startedAt: UInt64 = 0
    package var uptimeSeconds: UInt64 = 0
    package var workers = 0
    package var isDraining = false
    package var connections = 0
    package var connectionsMax = 0
    package var sessions = 0
    package var isDurable = false
    package var policyPath: String?
    package var policyHash: String?
    package var loadedAt: UInt64 = 0
    package var upstreams: [Upstream] = []
    package var certificateExpirySeconds: Int64 = 0
    package var clock = Clock()
    /// What does not enforce.
    package var inShadow: [String] = []
    package var agents = 0
    package var agentsDisabled = 0
    package var seedRotations: UInt64 = 0
    package var seedsEnding = 0
    package var signingKey = ""
    /// Requests by the code of what they came to.
    package var decisions: [(code: String, count: UInt64)] = []

    package init() {}

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writeProcess(&writer)
            writeConfiguration(&writer)
            writeUpstreams(&writer)
            writeIdentity(&writer)
            writer.name("decisions")
            writer.object { writer in
                for decision in decisions { writer.member(decision.code, decision.count) }
            }
        }
    }

    private func writeProcess(_ writer: inout JSONWriter) {
        writer.member("version", version)
        writer.member("mode", mode)
        writer.member("started_at", RFC3339.text(startedAt))
        writer.member("uptime_seconds", uptimeSeconds)
        writer.member("workers", workers)
        writer.member("draining", isDraining)
        writer.name("connections")
        writer.object { writer in
            writer.member("open", connections)
            writer.member("max", connectionsMax)
        }
        writer.name("clock")
        writer.object { writer in
            writer.member("now", RFC3339.text(clock.now))
            writer.name("synchronized")
            if let isSynchronised = clock.isSynchronised {
                writer.bool(isSynchronised)
            } else {
                writer.null()
            }
            writer.member("set_by_seconds", clock.setByMilliseconds / 1000)
            writer.name("offset_seconds")
            if let offset = clock.offset { writer.integer(offset.seconds) } else { writer.null() }
            writer.name("offset_from")
            if let offset = clock.offset { writer.string(offset.host) } else { writer.null() }
        }
    }

    private func writeConfiguration(_ writer: inout JSONWriter) {
        writer.name("policy")
        writer.object { writer in
            writer.name("path")
            if let policyPath { writer.string(policyPath) } else { writer.null() }
            writer.name("sha256")
            if let policyHash { writer.string(policyHash) } else { writer.null() }
            writer.member("loaded_at", RFC3339.text(loadedAt))
        }
        writer.name("shadow")
        writer.array { writer in for name in inShadow { writer.string(name) } }
        writer.member("durable_state", isDurable)
        writer.name("certificate")
        writer.object { writer in
            writer.member(
                "expires_at", RFC3339.text(UInt64(max(0, certificateExpirySeconds)) * 1000))
        }
    }

    private func writeUpstreams(_ writer: inout JSONWriter) {
        writer.name("upstreams")
        writer.array { writer in
            for upstream in upstreams {
                writer.object { writer in
                    writer.member("name", upstream.name)
                    writer.name("endpoints")
                    writer.array { writer in
                        for endpoint in upstream.endpoints {
                            writer.object { writer in
                                writer.member("endpoint", endpoint.label)
                                writer.member("healthy", endpoint.isHealthy)
                            }
                        }
                    }
                }
            }
        }
    }

    private func writeIdentity(_ writer: inout JSONWriter) {
        writer.name("agents")
        writer.object { writer in
            writer.member("count", agents)
            writer.member("disabled", agentsDisabled)
        }
        writer.member("sessions", sessions)
        writer.name("seeds")
        writer.object { writer in
            writer.member("rotations", seedRotations)
            writer.member("in_grace", seedsEnding)
        }
        writer.member("signing_key", signingKey)
    }
}
