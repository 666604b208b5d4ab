// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// What a worker does when memory, or an upstream's connections, run short.
extension Worker {
    /// Beyond so many lent slabs it looks for those who hold some to no purpose.
    static let slabsComfortable = WorkerContext.slabsMax / 8 * 7
    /// A peer that was slow for so long may be cut off; sooner it may just be far away.
    private static let idlerMilliseconds: UInt64 = 500
    private static let evictionsPerLook = 64
    private static let lookMilliseconds: UInt64 = 20

    /// Cuts off those who have held slabs longest without getting on, so that there is memory for
    /// those who do.
    mutating func evictIdlers() {
        let now = context.now.milliseconds
        guard now >= nextEviction else { return }
        nextEviction = now + Self.lookMilliseconds
        let cut = cutLongest(for: Self.idlerMilliseconds) { $0.idlesWithSlabsSince }
        if cut > 0 { context.tellEvictions(cut) }
    }

    /// A reader that has taken nothing for so long gives up its upstream connection where somebody
    /// waits for one.
    private static let stalledMilliseconds: UInt64 = 2000
    private static let stallLookMilliseconds: UInt64 = 50

    /// Cuts off those who have not read their answers for longest, where an upstream has all the
    /// connections that it may have and requests stand in line for one.
    mutating func cutStalled() {
        let now = context.now.milliseconds
        guard now >= nextCut else { return }
        nextCut = now + Self.stallLookMilliseconds
        context.timers.schedule(stallTimer, at: nextCut)
        var cut = 0
        for upstream in pool.upstreams.indices where pool.isWanted(upstream) {
            cut += cutLongest(for: Self.stalledMilliseconds) { $0.stalledSince(on: upstream) }
        }
        if cut > 0 { context.tellEvictions(cut) }
    }

    /// Cuts off the few that have been so for longest, of those that have for `milliseconds`.
    ///
    /// - Parameter since: when a connection began to be so; nil where it is not.
    /// - Returns: how many.
    private mutating func cutLongest(
        for milliseconds: UInt64, since: (borrowing Downstream) -> UInt64?
    ) -> Int {
        let now = context.now.milliseconds
        var found: [(since: UInt64, index: Int)] = []
        for index in 0..<downstreams.indexEnd where downstreams.isOccupied(index) {
            guard let since = since(downstreams[index]), since + milliseconds <= now else {
                continue
            }
            found.append((since, index))
        }
        found.sort { $0.since < $1.since }
        for one in found.prefix(Self.evictionsPerLook) {
            apply(downstreams[one.index].abort(&context, &pool), one.index)
        }
        return min(found.count, Self.evictionsPerLook)
    }
}
