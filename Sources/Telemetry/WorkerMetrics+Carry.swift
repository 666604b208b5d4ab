// SPDX-License-Identifier: Apache-2.0

extension WorkerMetrics {
    /// Calls `body` with the offset of each word here and its offset in another layout, for
    /// every counter that both have by name.
    func forEachWord(
        in target: MetricsLayout, of other: MetricsSchema, _ body: (Int, Int) -> Void
    ) {
        func block(_ source: Int, _ target: Int, _ count: Int) {
            for offset in 0..<count { body(source + offset, target + offset) }
        }
        func block(_ source: Histogram, _ target: Histogram) {
            block(source.base, target.base, source.end - source.base)
        }
        block(layout.logDropped, target.logDropped, 1)
        block(layout.bytesIn, target.bytesIn, 1)
        block(layout.bytesOut, target.bytesOut, 1)
        block(layout.request, target.request)
        block(layout.gateway, target.gateway)
        block(layout.lag, target.lag)
        block(layout.sign, target.sign)
        block(layout.handshake, target.handshake)
        block(layout.totp, target.totp, TOTPResult.allCases.count)
        block(layout.handshakes, target.handshakes, TLSHandshakeResult.allCases.count)
        block(layout.connections, target.connections, ConnectionState.allCases.count)

        let codes = pairs(schema.codes, other.codes)
        let routes = [(-1, -1)] + pairs(schema.routes, other.routes)
        for (old, new) in codes { body(layout.codeStatus + old, target.codeStatus + new) }
        for (old, new) in routes {
            block(
                layout.passed(route: old, status: MetricsLayout.statusMin),
                target.passed(route: new, status: MetricsLayout.statusMin),
                MetricsLayout.statusCount)
            for (oldCode, newCode) in codes {
                body(
                    layout.refused(route: old, code: oldCode),
                    target.refused(route: new, code: newCode))
            }
        }
        for (old, new) in pairs(schema.filters, other.filters) {
            block(layout.filters[old], target.filters[new])
            for (oldCode, newCode) in codes {
                block(
                    layout.rejection(filter: old, code: oldCode, mode: .enforce),
                    target.rejection(filter: new, code: newCode, mode: .enforce),
                    RejectionMode.allCases.count)
            }
        }
        for (old, new) in pairs(schema.upstreams, other.upstreams) {
            block(
                layout.upstream(old, .answered), target.upstream(new, .answered),
                UpstreamResult.allCases.count)
        }
    }

    /// The indices of each name that both lists hold.
    private func pairs(_ left: [String], _ right: [String]) -> [(Int, Int)] {
        left.enumerated().compactMap { index, name in
            right.firstIndex(of: name).map { (index, $0) }
        }
    }
}
