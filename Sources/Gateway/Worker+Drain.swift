// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Policy
import Reactor
import TLS

extension Worker {
    mutating func onWakeup() {
        wakeup.acknowledge()
        for upstream in pool.upstreams.indices { pool.yieldIdle(upstream, &context) }
        adoptNewest()
        guard context.gateway.isDraining, !context.isDraining else { return }
        context.isDraining = true
        drainStartedAt = context.now.milliseconds
    }

    /// Goes on with the newest generation.
    mutating func adoptNewest() {
        guard context.gateway.revisionNow != context.revision else { return }
        let revision = context.gateway.revisionNow
        let generation = context.gateway.generation
        let asksTheSame = generation.tls.asksTheSame(as: context.generation.tls)
        do throws(StartFault) {
            try context.adopt(generation, revision: revision)
            pool.adopt(generation, &context)
        } catch {
            return context.tellNotAdopted(error.reason)
        }
        guard !asksTheSame else { return }
        for index in 0..<downstreams.indexEnd where downstreams.isOccupied(index) {
            downstreams[index].lookAtProof(generation.tls)
        }
    }

    /// Whether the drain is over: nothing is open, or its deadline has passed.
    var isDrained: Bool {
        guard context.isDraining, !isListening else { return false }
        let deadline = UInt64(context.generation.configuration.drain.deadlineMilliseconds)
        return downstreams.count == 0 || context.now.milliseconds >= drainStartedAt + deadline
    }

    var isListening: Bool {
        switch listener {
        case .some: true
        case .none: false
        }
    }

    /// For the grace period listeners go on; then their queues are emptied and they close, and
    /// idle connections end.
    mutating func drain() {
        let drain = context.generation.configuration.drain
        let elapsed = context.now.milliseconds - drainStartedAt
        if isListening {
            guard elapsed >= UInt64(drain.graceMilliseconds) else {
                context.timers.schedule(
                    restTimer, at: drainStartedAt + UInt64(drain.graceMilliseconds))
                return
            }
            while acceptAll(isLast: true) {}
            listener = nil
            context.closingSince = max(1, context.now.milliseconds)
            for index in 0..<downstreams.indexEnd where downstreams.isOccupied(index) {
                apply(downstreams[index].onDrain(&context, &pool), index)
            }
        }
        context.timers.schedule(
            restTimer, at: drainStartedAt + UInt64(drain.deadlineMilliseconds))
    }

    /// Closes whatever the deadline has left.
    mutating func closeAll() {
        for index in 0..<downstreams.indexEnd where downstreams.isOccupied(index) {
            apply(.close, index)
        }
        for index in 0..<pool.connections.indexEnd where pool.connections.isOccupied(index) {
            pool.close(index, &context)
        }
        context.chain.token.release(to: &context.pool)
        context.plain.release(to: &context.pool)
        context.line.release(to: &context.pool)
    }
}
