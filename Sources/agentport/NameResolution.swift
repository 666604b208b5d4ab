// SPDX-License-Identifier: Apache-2.0

import Control
import Gateway
import Policy
import Reactor
import Synchronization
import Telemetry

/// Keeps the addresses of upstreams and token issuers that are names up to date, on threads that
/// are there where there are names.
final class NameResolution {
    private let gateway: Gateway
    private var resolver: EndpointResolver?

    init(_ gateway: Gateway) {
        self.gateway = gateway
    }

    /// From now on the names of the present generation.
    func follow() throws {
        let generation = gateway.generation
        let endpoints =
            generation.upstreams.flatMap(\.endpoints) + generation.keySets.map(\.endpoint)
        let names = endpoints.compactMap { name($0) }
        guard let resolver = try resolver ?? (names.isEmpty ? nil : EndpointResolver()) else {
            return
        }
        self.resolver = resolver
        try resolver.resolve(names) { number in
            _ = try Thread(name: "resolver-\(number)") { resolver.run(number) }
        }
    }

    private func name(_ endpoint: Endpoint) -> EndpointResolver.Name? {
        guard endpoint.isName, let text = endpoint.url.address else { return nil }
        let gateway = gateway
        // Told when it begins to fail, not again and again.
        let latch = Latch()
        return EndpointResolver.Name(host: text.host, port: text.port) { result in
            switch result {
            case .success(let found):
                latch.set(false)
                guard endpoint.update(found) else { return }
                gateway.log(.info, "upstream resolved", [("host", text.host)])
            case .failure(let fault):
                endpoint.noteUnresolved()
                if !latch.set(true) {
                    gateway.log(
                        .warn, "upstream does not resolve",
                        [("host", text.host), ("reason", fault.reason)])
                }
            }
            // Requests may wait for this.
            gateway.wakeAll()
        }
    }
}

/// A flag that one thread sets and reads back.
private final class Latch: Sendable {
    private let value = Atomic<Bool>(false)

    /// - Returns: what it was.
    @discardableResult
    func set(_ new: Bool) -> Bool {
        value.exchange(new, ordering: .acquiringAndReleasing)
    }
}
