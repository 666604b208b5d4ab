// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What becomes of connections when upstreams change.
extension UpstreamPool {
    /// Goes on with another generation's upstreams. An endpoint that stays keeps its connections;
    /// those of one that has gone, or that are more than there may be now, end when what they are
    /// lent for does. Who stands in line for an upstream that has gone is served there all the
    /// same: it was let in for that one.
    mutating func adopt(_ generation: Generation, _ context: inout WorkerContext) {
        for seat in seats.indices { seats[seat].isRetired = true }
        for upstream in upstreams.indices {
            let isGone = !generation.upstreamNumbers.contains(upstream)
            if !isGone || upstreams[upstream].line.isEmpty { upstreams[upstream].seats = [] }
        }
        seat(generation)
        for seat in seats.indices {
            while case let idle = seats[seat].firstIdle, idle >= 0,
                seats[seat].isRetired || connections[idle].share.isOverfull
            {
                close(idle, &context)
            }
        }
    }

    mutating func seat(_ generation: Generation) {
        for (upstream, number) in zip(generation.upstreams, generation.upstreamNumbers) {
            // Numbers are given in order, so whatever lies between is an upstream that has gone.
            while upstreams.count < number { upstreams.append(UpstreamView(upstream)) }
            if number == upstreams.count {
                upstreams.append(UpstreamView(upstream))
            } else {
                upstreams[number].follow(upstream, worker: worker)
            }
            upstreams[number].seats = upstream.endpoints.map { seat($0) }
        }
    }

    /// The seat of an endpoint: the one it has, or one that nobody uses any more, or a new one.
    private mutating func seat(_ endpoint: Endpoint) -> Int {
        if let known = seats.firstIndex(where: { $0.endpoint === endpoint }) {
            seats[known].isRetired = false
            return known
        }
        for free in seats.indices where seats[free].isRetired && seats[free].open == 0 {
            // Not one that somebody stands in line for.
            guard !upstreams.contains(where: { $0.seats.contains(free) }) else { continue }
            seats[free] = EndpointSeat(endpoint: endpoint)
            return free
        }
        seats.append(EndpointSeat(endpoint: endpoint))
        return seats.count - 1
    }
}
