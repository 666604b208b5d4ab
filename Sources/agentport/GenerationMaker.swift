// SPDX-License-Identifier: Apache-2.0

import Crypto
import Filters
import Gateway
import Identity
import Policy
import TLS

/// Makes generations: of the first start, and of each reload, which goes on where the one before
/// it stood.
struct GenerationMaker {
    let steps: AcceptedSteps
    let troubles: Troubles
    let workers: Int
    let descriptorLimit: Int
    /// Wakes the control loop, from any thread.
    let wakeControl: @Sendable () -> Void

    /// - Parameters:
    ///   - wanted: gets fewer connections where there are not descriptors enough.
    ///   - kept: has a seed for each agent, and a signing key.
    func make(
        _ wanted: Configuration, _ secrets: Secrets, _ kept: KeptState,
        after previous: Generation? = nil
    ) throws -> Generation {
        let configuration = wanted.fitted(toDescriptors: descriptorLimit)
        guard let ring = kept.keys else { preconditionFailure("settled without a signing key") }
        let keySets = try configuration.oauth.map { rules throws in
            try source(rules, after: previous)
        }
        let state = try GateState(
            configuration, keys: secrets.keys, seeds: Self.seeds(configuration, kept.seeds),
            issuers: keySets.map(\.keys), signingKey: ring.signing.key, steps: steps,
            after: previous?.state)
        var upstreams: [Upstream] = []
        for rules in configuration.upstreams {
            upstreams.append(try upstream(rules, secrets, after: previous))
        }
        return Generation(
            configuration, state: state, tls: secrets.tls,
            jwks: try JWKS(keys: ring.published.map { key throws in try PublicJWK(key) }),
            upstreams: upstreams, keySets: keySets, after: previous)
    }

    private func source(
        _ rules: Configuration.OAuthIssuer, after previous: Generation?
    ) throws -> KeySetSource {
        let known = previous?.keySets.first { $0.hasKeys(of: rules) }
        let wake = wakeControl
        return KeySetSource(
            rules, endpoint: try known?.endpoint ?? endpoint(of: rules),
            keys: known?.keys ?? IssuerKeys(wake: wake))
    }

    private func endpoint(of rules: Configuration.OAuthIssuer) throws -> Endpoint {
        let url = rules.keySet.origin
        var trust: UpstreamTrust?
        if url.isTLS, let address = url.address {
            trust = UpstreamTrust(serverName: address.host, authorities: nil, pins: [])
        }
        return try endpoint(EndpointIdentity(upstream: rules.issuer, url: url, trust: trust))
    }

    private static func seeds(
        _ configuration: Configuration, _ ledger: SeedLedger
    ) throws(IdentityError) -> [AgentSeeds] {
        var seeds: [AgentSeeds] = []
        for agent in configuration.agents {
            guard let live = ledger.agents[agent.name] else {
                throw .seedMissing
            }
            seeds.append(try live.seeds(TOTPParameters(agent.totp)))
        }
        return seeds
    }

    private func upstream(
        _ rules: Configuration.Upstream, _ secrets: Secrets, after previous: Generation?
    ) throws -> Upstream {
        let known = previous?.upstreams.first { $0.rules.name == rules.name }
        var endpoints: [Endpoint] = []
        for url in rules.endpoints {
            let identity = EndpointIdentity(
                upstream: rules.name, url: url, trust: trust(url, rules.tls, secrets))
            // The same endpoint keeps its addresses, its health and its connections.
            let same = known?.endpoints.first { $0.identity == identity }
            endpoints.append(try same ?? endpoint(identity))
        }
        return Upstream(
            rules, endpoints: endpoints, workers: workers, troubles: troubles, after: known)
    }

    private func endpoint(_ identity: EndpointIdentity) throws -> Endpoint {
        guard let trust = identity.trust else { return Endpoint(identity, troubles: troubles) }
        let tls = try TLSClientContext(
            serverName: trust.serverName,
            trust: trust.authorities.map { .authorities($0) } ?? .system,
            pins: trust.pins.compactMap { SHA256Digest(bytes: $0.span) },
            isResuming: true)
        return Endpoint(identity, tls: tls, troubles: troubles)
    }

    private func trust(
        _ url: UpstreamURL, _ tls: Configuration.UpstreamTLS, _ secrets: Secrets
    ) -> UpstreamTrust? {
        guard url.isTLS, let address = url.address else { return nil }
        return UpstreamTrust(
            serverName: tls.serverName ?? address.host,
            authorities: tls.authorityPath.flatMap { secrets.authorities[$0] }, pins: tls.pins)
    }
}
