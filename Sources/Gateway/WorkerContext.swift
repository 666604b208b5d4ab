// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import HTTP1
import Policy
import Reactor
import TLS
import Telemetry

/// What a worker's connections use in turn, one at a time: the loop, the stock of memory, the
/// chain, and scratch space that stays warm because all of them share it.
struct WorkerContext: ~Copyable {
    let number: Int
    let gateway: Gateway
    let metrics: WorkerMetrics
    let routes: RouteTable
    /// By upstream, as `Host` names it where the client named none.
    let endpointNames: [[UInt8]]
    var loop: EventLoop
    var timers: TimerWheel
    /// Buffers of connections that are in the middle of something.
    var pool: SlabPool
    /// What is remembered of a request until its answer has ended.
    var memoPool: SlabPool
    var pump: TLSPump
    var chain: FilterChain
    var random = RandomSource()
    var logLine: AccessLineWriter
    var now: Instant
    var isDraining = false
    /// Access lines are written: the log level is `info` or finer.
    let isLoggingRequests: Bool

    // Scratch: empty between two events.

    var head = RequestHead()
    var responseHead = ResponseHead()
    /// Plaintext on its way to the client.
    var plain = Buffer()
    /// A rewritten target, a log line.
    var line = Buffer()

    /// 256 connections with both directions stalled; beyond that a worker sheds. Idle connections
    /// hold none.
    static let slabsMax = 1024
    static let memoCapacity = 2048

    init(number: Int, gateway: Gateway, timerCapacity: Int) throws(StartFault) {
        self.number = number
        self.gateway = gateway
        metrics = gateway.metrics[number]
        routes = RouteTable(gateway.configuration.routes)
        let level = gateway.configuration.logLevel
        isLoggingRequests = level == .info || level == .debug
        endpointNames = gateway.configuration.upstreams.map { Array("\($0.endpoint)".utf8) }
        now = Instant.read()
        timers = TimerWheel(capacity: timerCapacity, now: now.milliseconds)
        pool = SlabPool(bound: Self.slabsMax)
        memoPool = SlabPool(
            bound: gateway.configuration.listen.limits.connections,
            slabCapacity: Self.memoCapacity)
        logLine = AccessLineWriter(schema: gateway.schema)
        do {
            loop = try EventLoop()
            pump = try TLSPump()
            chain = try FilterChain(
                gateway.configuration.filters, state: gateway.state, ipLimiter: gateway.ipLimiter,
                pool: &pool)
        } catch {
            throw StartFault(reason: "worker \(number): \(error)")
        }
        let isAttached = plain.attach(from: &pool) && line.attach(from: &pool)
        precondition(isAttached)
    }

    /// Milliseconds since 1970 by a clock that never steps back.
    var steadyMilliseconds: UInt64 { now.milliseconds + gateway.epochOffsetMilliseconds }

    var limits: Configuration.Limits { gateway.configuration.listen.limits }
}

/// Why the gateway could not start; one line for the operator.
package struct StartFault: Error, CustomStringConvertible {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
