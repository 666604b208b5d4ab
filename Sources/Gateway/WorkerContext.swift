// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import Identity
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
    var loop: EventLoop
    var timers: TimerWheel
    /// Buffers of connections that are in the middle of something.
    var pool: SlabPool
    /// What is remembered of a request until its answer has ended.
    var memoPool: SlabPool
    let tls = TLSTools()
    private var ownPump: PumpBox?
    var chain: FilterChain
    var random = RandomSource()
    var logLine: AccessLineWriter
    /// Clients whose answer, and upstream connections whose request, leaves at the turn's end.
    var answers = SendQueue()
    var requests = SendQueue()
    var now: Instant
    var isDraining = false
    /// Since when the gateway accepts no more, in monotonic milliseconds; 0 while it does.
    var closingSince: UInt64 = 0
    let hasTrustedProxies: Bool
    let hasLegacyHeader: Bool
    let limits: Configuration.Limits
    /// Access lines are written: the log level is `info` or finer.
    let isLoggingRequests: Bool

    /// The second that audit lines were last written in, and how many.
    var auditSecond: UInt64 = 0
    var auditCount = 0
    /// The second that an unreachable upstream was last told of.
    var unreachableSecond: UInt64 = 0

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
        let configuration = gateway.configuration
        var pool = SlabPool(bound: Self.slabsMax)
        let loop = try Self.makeLoop()
        let chain = try Self.makeChain(gateway, &pool)
        self.number = number
        self.gateway = gateway
        metrics = gateway.metrics[number]
        routes = RouteTable(configuration)
        let level = configuration.logLevel
        hasLegacyHeader = configuration.issuer.legacyHeader
        hasTrustedProxies = !configuration.listen.trustedProxies.isEmpty
        limits = configuration.listen.limits
        isLoggingRequests = level == .info || level == .debug
        now = Instant.read()
        timers = TimerWheel(capacity: timerCapacity, now: now.milliseconds)
        memoPool = SlabPool(
            bound: configuration.listen.limits.connections, slabCapacity: Self.memoCapacity)
        logLine = AccessLineWriter(schema: gateway.schema)
        let hasPlain = plain.attach(from: &pool)
        let hasLine = line.attach(from: &pool)
        precondition(hasPlain && hasLine)
        self.loop = loop
        self.chain = chain
        self.pool = pool
    }

    private static func makeLoop() throws(StartFault) -> EventLoop {
        do throws(SystemError) { return try EventLoop() } catch {
            throw StartFault(reason: "\(error)")
        }
    }

    private static func makeChain(
        _ gateway: Gateway, _ pool: inout SlabPool
    ) throws(StartFault) -> FilterChain {
        do throws(IdentityError) {
            return try FilterChain(
                gateway.configuration.filters, state: gateway.state, ipLimiter: gateway.ipLimiter,
                pool: &pool)
        } catch {
            throw StartFault(reason: "\(error)")
        }
    }

    /// Milliseconds since 1970 by a clock that never steps back.
    var steadyMilliseconds: UInt64 { now.milliseconds + gateway.epochOffsetMilliseconds }

    /// What moves the bytes of TLS towards upstreams; made when it is needed first.
    mutating func pump() -> PumpBox? {
        if let ownPump { return ownPump }
        do throws(TLSFault) { ownPump = PumpBox(try TLSPump()) } catch { return nil }
        return ownPump
    }
}

/// A worker's pump, to be lent beside the rest of its context.
final class PumpBox {
    let pump: TLSPump

    init(_ pump: consuming TLSPump) {
        self.pump = pump
    }
}

/// Why the gateway could not start; one line for the operator.
package struct StartFault: Error, CustomStringConvertible {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
