// SPDX-License-Identifier: Apache-2.0

import Bytes

/// All workers' counters added up, as the admin thread saw them at one time.
///
/// The workers go on while they are read: a histogram's sum may lack a request that its buckets
/// hold.
package struct MetricsTotals: Sendable {
    package let schema: MetricsSchema
    let layout: MetricsLayout
    private var words: [UInt64]

    package init(_ workers: [WorkerMetrics]) {
        var schema = MetricsSchema(routes: [], codes: ["ok"], filters: [], upstreams: [])
        for worker in workers { schema = schema.extended(by: worker.schema) }
        let layout = MetricsLayout(schema)
        var words = [UInt64](repeating: 0, count: layout.count)
        let codeStatus = layout.codeStatus..<(layout.codeStatus + layout.codeCount)
        for worker in workers {
            worker.forEachWord(in: layout, of: schema) { source, target in
                let value = worker.words.load(source)
                if codeStatus.contains(target) {
                    // Not a count: every worker that answered with the code says the same.
                    words[target] = max(words[target], value)
                } else {
                    words[target] &+= value
                }
            }
        }
        self.schema = schema
        self.layout = layout
        self.words = words
    }

    func word(_ index: Int) -> UInt64 { words[index] }

    /// A gauge; one that is read between two stores of a move can be off by one, not below zero.
    func gauge(_ index: Int) -> UInt64 { UInt64(max(Int64(bitPattern: words[index]), 0)) }

    /// Requests that ended with a code: the counts by decision of the status page.
    package func requests(code: Int) -> UInt64 {
        var sum: UInt64 = 0
        for route in MetricsSchema.unrouted..<layout.routeCount {
            guard code == 0 else {
                sum &+= words[layout.refused(route: route, code: code)]
                continue
            }
            let first = layout.passed(route: route, status: MetricsLayout.statusMin)
            for offset in 0..<MetricsLayout.statusCount { sum &+= words[first + offset] }
        }
        return sum
    }

    /// Each code that requests came to, and how many did.
    package var decisions: [(code: String, count: UInt64)] {
        schema.codes.enumerated().map { ($1, requests(code: $0)) }.filter { $0.count > 0 }
    }

    package func connections(_ state: ConnectionState) -> UInt64 {
        gauge(layout.connections + state.rawValue)
    }

    package var logDropped: UInt64 { words[layout.logDropped] }
}
