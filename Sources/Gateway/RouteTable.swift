// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Policy
import Telemetry

/// Finds the route of a normalised path: exact, or by prefix where the route's path ends in `/`;
/// the longest match wins (SPEC §4).
struct RouteTable {
    private struct Entry {
        /// Where the path lies in `text`.
        let path: Range<Int>
        let isPrefix: Bool
        let methods: [[UInt8]]
        let route: Int
    }

    /// What the hot path asks of a route, without its texts.
    struct Rule {
        let isPrefix: Bool
        let isPublic: Bool
        /// As metrics and logs know it.
        let number: Int
        /// In the order of the configuration, and as the pool, metrics and logs know it.
        let upstream: Int
        let upstreamNumber: Int
        /// The listener's limits, or what the route says in their place; milliseconds, bytes.
        let bodyMax: UInt64
        let bodyMilliseconds: UInt64
        let connectMilliseconds: UInt64
        let firstByteMilliseconds: UInt64
        /// 0: an answer may pause as long as it likes.
        let idleMilliseconds: UInt64
        /// What the head may be, where that is less than the listener's.
        let headLimits: HeadLimits?

        init(
            _ route: Configuration.Route, in configuration: Configuration, _ schema: MetricsSchema
        ) {
            let limits = configuration.listen.limits
            let upstream = configuration.upstreams[route.upstreamIndex]
            isPrefix = route.isPrefix
            isPublic = route.isPublic
            number = schema.routes.number(of: route.path)
            self.upstream = route.upstreamIndex
            upstreamNumber = schema.upstreams.number(of: upstream.name)
            bodyMax = route.limits.bodyBytes ?? limits.bodyBytes
            bodyMilliseconds = UInt64(
                route.limits.bodyTimeoutMilliseconds ?? limits.bodyTimeoutMilliseconds)
            connectMilliseconds = UInt64(upstream.connectTimeoutMilliseconds)
            firstByteMilliseconds = UInt64(
                route.timeouts.firstByteMilliseconds ?? upstream.firstByteTimeoutMilliseconds)
            idleMilliseconds = UInt64(route.timeouts.idleMilliseconds ?? 0)
            let own = route.limits
            let narrows =
                own.requestLineBytes != nil || own.headerBytes != nil || own.headerFields != nil
            headLimits =
                narrows
                ? HeadLimits(
                    requestLineBytes: own.requestLineBytes ?? limits.requestLineBytes,
                    headBytes: own.headerBytes ?? limits.headerBytes,
                    fieldCount: own.headerFields ?? limits.headerFields) : nil
        }
    }

    enum Match: Equatable {
        case route(Int)
        case noRoute
        case methodNotAllowed(Int)
    }

    /// Invariant: longest path first.
    private let entries: [Entry]
    private let text: [UInt8]
    /// In the order of the configuration.
    let rules: [Rule]

    init(_ configuration: Configuration, _ schema: MetricsSchema) {
        let routes = configuration.routes
        var text: [UInt8] = []
        var entries: [Entry] = []
        for (index, route) in routes.enumerated() {
            let start = text.count
            text.append(contentsOf: route.path.utf8)
            entries.append(
                Entry(
                    path: start..<text.count, isPrefix: route.isPrefix,
                    methods: route.methods.map { Array($0.utf8) }, route: index))
        }
        rules = routes.map { Rule($0, in: configuration, schema) }
        self.text = text
        self.entries = entries.sorted { $0.path.count > $1.path.count }
    }

    func match(_ path: Span<UInt8>, method: Span<UInt8>) -> Match {
        for index in entries.indices where covers(index, path) {
            let methods = entries[index].methods
            if methods.isEmpty { return .route(entries[index].route) }
            for allowed in methods where allowed.span.equals(method) {
                return .route(entries[index].route)
            }
            return .methodNotAllowed(entries[index].route)
        }
        return .noRoute
    }

    private func covers(_ index: Int, _ path: Span<UInt8>) -> Bool {
        let range = entries[index].path
        guard entries[index].isPrefix ? path.count >= range.count : path.count == range.count else {
            return false
        }
        return text.span.extracting(range).equals(path.extracting(0..<range.count))
    }
}
