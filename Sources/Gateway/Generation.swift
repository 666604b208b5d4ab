// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Policy
import TLS
import Telemetry

/// One configuration with all that was made of it: what a reload replaces as a whole.
///
/// Routes, filters and upstreams have the numbers of the ``MetricsSchema``, which names keep from
/// one generation to the next, so that a request on its way means the same after a reload.
package final class Generation: Sendable {
    package let configuration: Configuration
    package let state: GateState
    package let tls: TLSServerContext
    package let jwks: JWKS
    package let ipLimiter: AddressRateLimiter?
    /// Before anybody has said who they are, a handshake is the costliest thing to ask for.
    package let handshakeLimiter: AddressRateLimiter?
    /// In the order of the configuration.
    package let upstreams: [Upstream]
    /// In the order of the configuration's issuers.
    package let keySets: [KeySetSource]
    package let schema: MetricsSchema
    let routes: RouteTable
    let headLimits: HeadLimits
    /// The numbers of the chain's filters, by position, and of the upstreams, in the order of the
    /// configuration.
    let filterNumbers: [Int]
    let upstreamNumbers: [Int]

    /// - Parameter previous: whose limits and numbers go on.
    package init(
        _ configuration: Configuration, state: GateState, tls: TLSServerContext, jwks: JWKS,
        upstreams: [Upstream], keySets: [KeySetSource] = [], after previous: Generation? = nil
    ) {
        self.configuration = configuration
        self.state = state
        self.tls = tls
        self.jwks = jwks
        self.upstreams = upstreams
        self.keySets = keySets
        ipLimiter = configuration.ipRate.map {
            AddressRateLimiter(limit: RateLimit($0), after: previous?.ipLimiter)
        }
        // Whatever the rate of requests, a connection's handshake comes before the first of them.
        handshakeLimiter = configuration.ipRate.map { rate in
            let most = rate.requests > Rate.standard.requests ? rate : Rate.standard
            return AddressRateLimiter(limit: RateLimit(most), after: previous?.handshakeLimiter)
        }
        let limits = configuration.listen.limits
        headLimits = HeadLimits(
            requestLineBytes: limits.requestLineBytes, headBytes: limits.headerBytes,
            fieldCount: limits.headerFields)
        let schema = Self.schema(configuration, after: previous)
        self.schema = schema
        routes = RouteTable(configuration, schema)
        filterNumbers = configuration.filters.filter { FilterChain.Kind($0) != nil }.map {
            schema.filters.number(of: $0.name)
        }
        upstreamNumbers = upstreams.map { upstream in
            schema.upstreams.number(of: upstream.rules.name)
        }
    }

    /// What a route allows.
    ///
    /// - Parameter number: of the schema.
    func methods(ofRoute number: Int) -> [String] {
        let path = schema.routes[number]
        return configuration.routes.first { $0.path == path }?.methods ?? []
    }

    private static func schema(
        _ configuration: Configuration, after previous: Generation?
    ) -> MetricsSchema {
        let schema = MetricsSchema(
            routes: configuration.routes.map(\.path),
            codes: Problem.allCases.map { "\($0.code)" },
            filters: configuration.filters.map(\.name),
            upstreams: configuration.upstreams.map(\.name))
        return previous?.schema.extended(by: schema) ?? schema
    }
}

extension [String] {
    /// Where a name lies that is there.
    func number(of name: String) -> Int {
        guard let number = firstIndex(of: name) else { preconditionFailure("not in the schema") }
        return number
    }
}

extension Configuration {
    /// The address limiter's rate, where the chain has one.
    fileprivate var ipRate: Rate? {
        for filter in filters {
            if case .ipRateLimit(let rate, let mode) = filter, mode != .off { return rate }
        }
        return nil
    }
}
