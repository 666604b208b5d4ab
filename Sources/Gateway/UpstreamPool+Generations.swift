// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What becomes of connections when upstreams change.
extension UpstreamPool {
    /// Goes on with another generation's upstreams. An endpoint that stays keeps its connections;
    /// those of one that has gone, or that are more than there may be now, end when what they are
    /// lent for does.
    mutating func adopt(_ generation: Generation, _ context: inout WorkerContext) {
        for seat in seats.indices { seats[seat].isRetired = true }
        for upstream in upstreams.indices { upstreams[upstream].seats = [] }
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
                upstreams[number].follow(upstream)
            }
            upstreams[number].seats = upstream.endpoints.map { seat($0, of: number) }
        }
    }

    /// The seat of an endpoint: the one it has, or one that nobody uses any more, or a new one.
    private mutating func seat(_ endpoint: Endpoint, of upstream: Int) -> Int {
        if let known = seats.firstIndex(where: { $0.endpoint === endpoint }) {
            seats[known].isRetired = false
            return known
        }
        if let free = seats.firstIndex(where: { $0.isRetired && $0.open == 0 }) {
            seats[free] = EndpointSeat(endpoint: endpoint)
            return free
        }
        seats.append(EndpointSeat(endpoint: endpoint))
        return seats.count - 1
    }
}
