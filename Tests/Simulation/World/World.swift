// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// Whoever is woken by the simulated kernel: a client, an upstream's connection, a timer.
protocol Actor: AnyObject {
    func wake()
}

/// One gateway with its clients and its upstream, from the first connection until all have gone.
final class World {
    static let gatewayPort: UInt16 = 8443
    static let upstreamPort: UInt16 = 8080
    /// Nanoseconds after which nothing may stand still any more.
    private static let patience: UInt64 = 60_000_000_000

    /// What was counted, for the summary.
    struct Counts {
        var answered = 0
        var refused = 0
        var cut = 0
        var handshakes = 0
        var resumptions = 0
        var visitors = 0
        var resets = 0
        var endsWithoutNotify = 0
        var turnedAway = 0
        var connectFaults = 0
        var unavailable = 0
        var vagueLosses = 0
    }

    let number: Int
    let quota: Int
    let sabotage: Sabotage?
    let weather: Weather
    var dice: Dice
    var counts = Counts()
    var tickets: [UInt32: Ticket] = [:]
    /// Calls that failed for a reason that could not be laid to them at once.
    var vague: [Call] = []
    var lastUnavailable: Call?
    /// Calls that got an answer which is not theirs, and whose.
    var misplaced: [(call: Call, id: String)] = []
    private(set) var failures: [Failure] = []
    private(set) var calls: [Call] = []
    private var actors: [(any Actor)?] = [nil]
    private var visitors: [UInt32: Visitor] = [:]
    private var strangers: [UInt32: Stranger] = [:]
    private var nextVisitor: UInt64 = 0
    private(set) var isDraining = false
    private let gatehouse: Gatehouse
    /// The worker's own, without the listener.
    private let descriptorsAtRest: Int32
    /// The calls of one world have ids that no other has.
    private var firstID: Int { (number + 1) << 24 }

    init(number: Int, seed: UInt64, quota: Int, sabotage: Sabotage?) throws {
        self.number = number
        self.quota = quota
        self.sabotage = sabotage
        dice = Dice(seed: seed)
        var weather = Weather(&dice)
        if let sabotage { sabotage.prepare(&weather) }
        self.weather = weather
        sk_seed_libcrypto(dice.word())
        var callbacks = unsafe sk_world(
            wake: { unsafe World.current?.wake($0) },
            lost: { actor, bytes, count in
                // SAFETY: the kernel hands over `count` bytes for the time of the call.
                unsafe World.current?.lose(
                    actor, UnsafeBufferPointer(start: bytes, count: count))
            },
            trace: Trace.isOn ? { Trace.add($0, $1, $2, $3) } : nil)
        var faults = weather.kernel
        unsafe sk_start(dice.word(), &callbacks)
        gatehouse = try Gatehouse(weather, port: Self.gatewayPort, upstream: Self.upstreamPort)
        descriptorsAtRest = sk_descriptors_open() - 1
        unsafe sk_set_faults(&faults)
    }

    nonisolated(unsafe) private(set) static var current: World?

    // MARK: Running

    /// - Returns: the hash of all that has happened.
    func run() -> UInt64 {
        unsafe Self.current = self
        defer { unsafe Self.current = nil }
        add { Callers(id: $0, world: self) }
        if let slabs = weather.slabs { gatehouse.takeMemory(leaving: slabs) }
        var lastSweep = sk_now()
        while !isOver || !visitors.isEmpty || !strangers.isEmpty {
            admitVisitors()
            gatehouse.turn()
            if gatehouse.upstreams > weather.upstreamConnections {
                fail(.leak, "\(gatehouse.upstreams) upstream connections")
            }
            drainInTime()
            if sk_now() - lastSweep > 5_000_000_000 {
                lastSweep = sk_now()
                sweep(lastSweep)
            }
        }
        finish()
        return sk_hash()
    }

    /// Once it drains, no one is let in any more, and who is there is served to the end.
    private func drainInTime() {
        guard let share = weather.drainsAt, !isDraining, calls.count * 100 >= quota * share else {
            return
        }
        isDraining = true
        gatehouse.beginDrain()
    }

    private func admitVisitors() {
        while !isOver, visitors.count < weather.visitors, sk_now() >= nextVisitor {
            let manners = Manners(weather, &dice)
            let address = UInt32(0x0A00_0001 + dice.below(12))
            admitStranger(address)
            let profile = Weather.profile(&dice)
            add { id in
                let visitor = Visitor(
                    id: id, world: self, manners: manners, address: address, profile: profile)
                visitors[id] = visitor
                return visitor
            }
            counts.visitors += 1
            if let id = visitors.keys.max() { sk_wake(id, sk_now() + 1) }
            nextVisitor = sk_now() + UInt64(dice.below(3_000_000))
        }
    }

    private func admitStranger(_ address: UInt32) {
        guard dice.oneIn(weather.strangers) else { return }
        let profile = Weather.profile(&dice)
        add { id in
            let stranger = Stranger(id: id, world: self, address: address, profile: profile)
            strangers[id] = stranger
            sk_wake(id, sk_now() + 1)
            return stranger
        }
    }

    /// Who was turned away comes back a little later.
    func holdBack() { nextVisitor = sk_now() + 50_000_000 }

    /// Ends what stands still, and says so if it should not.
    private func sweep(_ now: UInt64) {
        for id in visitors.keys.sorted() {
            guard let visitor = visitors[id], now - visitor.lastProgress > Self.patience else {
                continue
            }
            // What an upstream had sent too much may be an answer without an end.
            let isPoisoned = visitor.awaiting.first?.isPoisoned == true
            if !visitor.isDeaf, !isPoisoned {
                let what = visitor.awaiting.isEmpty ? "an idle connection" : "a call"
                fail(.stuck, "\(what) stands still", visitor: visitor, visitor.awaiting.first)
            }
            visitor.leave(resets: true)
        }
        for id in strangers.keys.sorted() {
            guard let stranger = strangers[id], now - stranger.startedAt > Self.patience else {
                continue
            }
            fail(.stuck, "a stranger stands still")
            stranger.leave(resets: true)
        }
    }

    /// All clients have gone: the gateway must forget them, and later the upstream.
    private func finish() {
        let end = sk_now() + 20_000_000_000
        while sk_now() < end, gatehouse.downstreams > 0 { gatehouse.turn() }
        // The last answers may still be on their way from the upstream to nobody.
        let start = sk_now()
        while sk_now() - start < 10_000_000_000 { gatehouse.turn() }
        if sabotage == .descriptor { gatehouse.loseDescriptor() }
        gatehouse.returnMemory()
        if sabotage == .leak { gatehouse.hoard(1) }
        for fault in gatehouse.leaks { fail(.leak, fault) }
        let idle = sk_now()
        while sk_now() - idle < 70_000_000_000 { gatehouse.turn() }
        if gatehouse.upstreams > 0 {
            fail(.leak, "\(gatehouse.upstreams) upstream connections outlive their idle time")
        }
        gatehouse.returnMemory()
        gatehouse.close()
        let descriptors = sk_descriptors_open() - descriptorsAtRest
        if descriptors > 0 {
            fail(.leak, "\(descriptors) descriptors are open")
        }
        checkBudgets()
        checkLog(gatehouse.log)
    }

    // MARK: Actors

    func add(_ make: (UInt32) -> (any Actor)?) {
        let id = UInt32(actors.count)
        actors.append(nil)
        actors[Int(id)] = make(id)
    }

    func remove(_ id: UInt32) { actors[Int(id)] = nil }

    private func wake(_ id: UInt32) { actors[Int(id)]?.wake() }

    private func lose(_ id: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) {
        unsafe (actors[Int(id)] as? Host)?.lose(bytes)
    }

    func hasLeft(_ visitor: Visitor) {
        visitors[visitor.id] = nil
        actors[Int(visitor.id)] = nil
    }

    func hasLeft(_ stranger: Stranger) {
        strangers[stranger.id] = nil
        actors[Int(stranger.id)] = nil
    }

    // MARK: Calls

    var isOver: Bool { calls.count >= quota || isDraining }

    func makeCall(for visitor: Visitor) -> Call? {
        guard !isOver else { return nil }
        let call = Call(id: firstID + calls.count, visitor: visitor.id)
        call.draw(weather, manners: visitor.manners, &dice)
        calls.append(call)
        return call
    }

    func call(_ id: Int) -> Call? {
        let index = id - firstID
        return calls.indices.contains(index) ? calls[index] : nil
    }

    func visitor(of call: Call) -> Visitor? { visitors[call.visitor] }

    func write(_ call: Call, for visitor: Visitor) -> RequestText {
        var lines = ""
        switch call.credentials {
        case .none: break
        case .missing: break
        case .wrongKey: lines = "authorization: Bearer ap_wrong\r\nx-agentport-totp: 123456\r\n"
        case .code:
            lines = "authorization: Bearer \(Gatehouse.key)\r\n"
            if let session = visitor.session, sk_now() - session.since < 200_000_000_000 {
                lines += "x-agentport-session: \(session.token)\r\n"
            } else {
                lines += "x-agentport-totp: \(gatehouse.code)\r\n"
            }
        }
        return RequestText(call, credentials: lines, bodyLimit: weather.bodyLimit, &dice)
    }

    /// Whose answer the upstream gives: the call's own, but for sabotage.
    func answerID(for call: Call) -> Int {
        sabotage == .swap && dice.oneIn(50) ? call.id ^ 1 : call.id
    }

    func fail(
        _ kind: Failure.Kind, _ text: String, visitor: Visitor? = nil, _ call: Call? = nil
    ) {
        guard failures.count < 50 else { return }
        let links = (visitor.map { [$0.line.link] } ?? []) + (call?.links ?? [])
        failures.append(
            Failure(
                kind: kind, text: text, world: number, at: sk_now(), call: call, links: links,
                manners: visitor?.manners))
    }
}
