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
    /// What holds now, and how often there was another: see ``adopt(_:revision:)``.
    private(set) var generation: Generation
    private(set) var revision: Int
    private(set) var routes: RouteTable
    private(set) var metrics: WorkerMetrics
    var loop: EventLoop
    var timers: TimerWheel
    /// Buffers of connections that are in the middle of something.
    var pool: SlabPool
    /// What is remembered of a request until its answer has ended.
    var memoPool: SlabPool
    let tls = TLSTools()
    private var ownPump: PumpBox?
    var chain: FilterChain
    /// By position in the chain, as metrics and logs know the filter.
    private(set) var filterNumbers: [Int]
    var random = RandomSource()
    var logLine: AccessLineWriter
    /// How many handshakes may begin in what is left of this turn.
    var handshakesLeft = 0
    /// Clients whose answer, and upstream connections whose request, leaves at the turn's end.
    var answers = SendQueue()
    var requests = SendQueue()
    var now: Instant
    var isDraining = false
    /// There were as many connections as there may be when this was last looked at.
    var wasCrowded = false
    /// Since when the gateway accepts no more, in monotonic milliseconds; 0 while it does.
    var closingSince: UInt64 = 0
    private(set) var hasTrustedProxies: Bool
    private(set) var hasLegacyHeader: Bool
    private(set) var limits: Configuration.Limits
    /// Access lines are written: the log level is `info` or finer.
    private(set) var isLoggingRequests: Bool

    /// The second that audit lines were last written in, and how many.
    var auditSecond: UInt64 = 0
    var auditCount = 0
    /// The second that an unreachable upstream was last told of.
    var unreachableSecond: UInt64 = 0
    /// The second that evictions were last told of, and how many there were since.
    var evictionSecond: UInt64 = 0
    var evicted = 0

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
        let revision = gateway.revisionNow
        let generation = gateway.generation
        let configuration = generation.configuration
        var pool = SlabPool(bound: Self.slabsMax)
        let loop = try Self.makeLoop()
        let chain = try Self.makeChain(generation, &pool)
        self.number = number
        self.gateway = gateway
        self.generation = generation
        self.revision = revision
        routes = generation.routes
        metrics = gateway.metrics.all[number]
        filterNumbers = generation.filterNumbers
        hasLegacyHeader = configuration.issuer.legacyHeader
        hasTrustedProxies = !configuration.listen.trustedProxies.isEmpty
        limits = configuration.listen.limits
        isLoggingRequests = configuration.logLevel.includesRequests
        now = Instant.read()
        timers = TimerWheel(capacity: timerCapacity, now: now.milliseconds)
        memoPool = SlabPool(
            bound: 2 * configuration.listen.limits.connections, slabCapacity: Self.memoCapacity)
        logLine = AccessLineWriter(schema: generation.schema)
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
        _ generation: Generation, _ pool: inout SlabPool
    ) throws(StartFault) -> FilterChain {
        do throws(IdentityError) {
            return try FilterChain(
                generation.configuration.filters, state: generation.state,
                ipLimiter: generation.ipLimiter, pool: &pool)
        } catch {
            throw StartFault(reason: "\(error)")
        }
    }

    /// Goes on with another generation; nothing of a connection or a request is lost.
    ///
    /// - Throws: where the chain cannot be made; then the old generation goes on.
    mutating func adopt(_ next: Generation, revision: Int) throws(StartFault) {
        // The old chain's slab first: there may be no other.
        chain.token.release(to: &pool)
        do throws(StartFault) {
            chain = try Self.makeChain(next, &pool)
        } catch {
            _ = chain.token.attach(from: &pool)
            throw error
        }
        self.revision = revision
        generation = next
        routes = next.routes
        filterNumbers = next.filterNumbers
        metrics = WorkerMetrics(schema: next.schema, carrying: metrics)
        gateway.metrics.replace(worker: number, with: metrics)
        logLine = AccessLineWriter(schema: next.schema)
        let configuration = next.configuration
        hasLegacyHeader = configuration.issuer.legacyHeader
        hasTrustedProxies = !configuration.listen.trustedProxies.isEmpty
        limits = configuration.listen.limits
        isLoggingRequests = configuration.logLevel.includesRequests
    }

    /// A request that stood still goes on under what holds now, from the filter that waits.
    ///
    /// - Returns: what it is refused with, if that has gone which it had passed by.
    func adoptPause(_ exchange: inout Exchange) -> Problem? {
        guard exchange.pause.revision != revision else { return nil }
        exchange.pause.revision = revision
        exchange.pause.position = chain.position(behind: exchange.pause.passed)
        let agent = exchange.facts.agent
        guard agent >= 0 else {
            // Nobody was asked who it is from, and the route may want to know by now.
            exchange.pause.position = 0
            return nil
        }
        let state = generation.state
        let isKnown = state.roster.places[agent] >= 0 && state.isHeld(&exchange.facts)
        return isKnown ? nil : .credentialsInvalid
    }

    /// Whether there are as many connections as there may be: then none is kept open for a next
    /// request.
    mutating func isCrowded() -> Bool {
        if wasCrowded { wasCrowded = gateway.connections.isFull }
        return wasCrowded
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

extension Configuration.LogLevel {
    fileprivate var includesRequests: Bool { self == .info || self == .debug }
}

/// Why the gateway could not start; one line for the operator.
package struct StartFault: Error, CustomStringConvertible {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}
