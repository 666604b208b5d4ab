// SPDX-License-Identifier: Apache-2.0

/// The names behind the indices that the hot path counts by.
///
/// All of them come from the configuration or the code: no label ever holds what a peer sent.
package struct MetricsSchema: Sendable, Equatable {
    package var routes: [String]
    /// Invariant: index 0 is `ok`, the code of a request that nothing refused.
    package var codes: [String]
    package var filters: [String]
    package var upstreams: [String]

    /// The route index of a request that was refused before it had a route.
    package static var unrouted: Int { -1 }

    package init(
        routes: [String], codes: [String], filters: [String], upstreams: [String]
    ) {
        precondition(codes.first == "ok")
        self.routes = routes
        self.codes = codes
        self.filters = filters
        self.upstreams = upstreams
    }

    /// These names at their indices, and behind them those of `other` that are new.
    ///
    /// So a reload neither resets a counter nor moves an index under a request on its way.
    package func extended(by other: MetricsSchema) -> MetricsSchema {
        var result = self
        result.routes += other.routes.filter { !routes.contains($0) }
        result.codes += other.codes.filter { !codes.contains($0) }
        result.filters += other.filters.filter { !filters.contains($0) }
        result.upstreams += other.upstreams.filter { !upstreams.contains($0) }
        return result
    }
}
