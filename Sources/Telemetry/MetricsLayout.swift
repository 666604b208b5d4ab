// SPDX-License-Identifier: Apache-2.0

/// Where each counter of a schema lies among a worker's words.
struct MetricsLayout: Sendable {
    /// A cache line at either end, so that no worker's counters share one with a neighbour's.
    static let padding = 8
    static let statusMin = 100
    static let statusCount = 500

    let routeCount: Int
    let codeCount: Int
    let filterCount: Int
    let upstreamCount: Int

    /// Passed requests: per route (the unrouted first) and status.
    let passed: Int
    /// Refused requests: per route (the unrouted first) and code.
    let refused: Int
    /// The status that each code was last answered with: a code has only one.
    let codeStatus: Int
    let request: Histogram
    let gateway: Histogram
    let sign: Histogram
    let handshake: Histogram
    let lag: Histogram
    let filters: [Histogram]
    /// Per filter, code and mode.
    let rejections: Int
    let totp: Int
    let handshakes: Int
    let connections: Int
    /// Per upstream and result.
    let upstreams: Int
    let logDropped: Int
    let bytesIn: Int
    let bytesOut: Int
    let count: Int

    init(_ schema: MetricsSchema) {
        var end = Self.padding
        func take(_ amount: Int) -> Int {
            defer { end += amount }
            return end
        }
        func histogram(_ scale: Histogram.Scale) -> Histogram {
            let histogram = Histogram(base: end, scale: scale)
            end = histogram.end
            return histogram
        }
        routeCount = schema.routes.count
        codeCount = schema.codes.count
        filterCount = schema.filters.count
        upstreamCount = schema.upstreams.count

        // What each request touches lies together; the large tables come last.
        logDropped = take(1)
        bytesIn = take(1)
        bytesOut = take(1)
        request = histogram(.request)
        gateway = histogram(.own)
        lag = histogram(.own)
        sign = histogram(.own)
        handshake = histogram(.own)
        totp = take(TOTPResult.allCases.count)
        handshakes = take(TLSHandshakeResult.allCases.count)
        connections = take(ConnectionState.allCases.count)
        upstreams = take(upstreamCount * UpstreamResult.allCases.count)
        filters = schema.filters.map { _ in histogram(.filter) }
        codeStatus = take(codeCount)
        rejections = take(filterCount * codeCount * RejectionMode.allCases.count)
        refused = take((routeCount + 1) * codeCount)
        passed = take((routeCount + 1) * Self.statusCount)
        count = end + Self.padding
    }

    func passed(route: Int, status: Int) -> Int {
        passed + (route + 1) * Self.statusCount + status - Self.statusMin
    }

    func refused(route: Int, code: Int) -> Int {
        refused + (route + 1) * codeCount + code
    }

    func rejection(filter: Int, code: Int, mode: RejectionMode) -> Int {
        rejections + (filter * codeCount + code) * RejectionMode.allCases.count + mode.rawValue
    }

    func upstream(_ upstream: Int, _ result: UpstreamResult) -> Int {
        upstreams + upstream * UpstreamResult.allCases.count + result.rawValue
    }
}
