// SPDX-License-Identifier: Apache-2.0

/// What became of the requests of one run.
struct LoadResult {
    /// From when a request was due to the end of its answer.
    var latency = LatencyHistogram()
    /// From when it was sent.
    var service = LatencyHistogram()
    /// Answered 200 within the window, whenever they were due.
    var answered = 0
    /// Answered otherwise.
    var refused = 0
    /// Those that ended without an answer.
    var lost = 0
    var resumed = 0
    /// Of the window in which answers were counted.
    var nanoseconds: UInt64 = 0
    /// What each process that was watched used in that window.
    var use = ProcessorUse()

    var perSecond: Double {
        nanoseconds == 0 ? 0 : Double(answered) * 1e9 / Double(nanoseconds)
    }

    mutating func merge(_ other: LoadResult) {
        latency.merge(other.latency)
        service.merge(other.service)
        answered += other.answered
        refused += other.refused
        lost += other.lost
        resumed += other.resumed
        nanoseconds += other.nanoseconds
        use.merge(other.use)
    }

    /// A figure made of failures would look fast.
    func checked(_ what: String) throws(BenchmarkFault) -> LoadResult {
        guard refused == 0, lost == 0, answered > 0 else {
            throw .failed(
                "\(what): \(answered) answered, \(refused) refused, \(lost) lost; no figure")
        }
        return self
    }
}
