// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// What a worker does when its memory runs short.
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
        var idlers: [(since: UInt64, index: Int)] = []
        for index in 0..<downstreams.indexEnd where downstreams.isOccupied(index) {
            guard let since = downstreams[index].idlesWithSlabsSince,
                since + Self.idlerMilliseconds <= now
            else { continue }
            idlers.append((since, index))
        }
        idlers.sort { $0.since < $1.since }
        for idler in idlers.prefix(Self.evictionsPerLook) {
            apply(downstreams[idler.index].abort(&context, &pool), idler.index)
        }
        if !idlers.isEmpty { context.tellEvictions(min(idlers.count, Self.evictionsPerLook)) }
    }
}
