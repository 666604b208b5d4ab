// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// The conditions of one world: no two have the same, so that what is rare in one is common in
/// another.
struct Weather {
    /// Nothing is done to any call, and each must get its whole answer.
    var isCalm = false
    /// One call, visitor or connect in so many has something done to it; 0 for none.
    var callFaults = 0
    var visitorFaults = 0
    var connectFaults = 0
    var visitors = 1
    /// One in so many that come is a stranger; 0 for none.
    var strangers = 0
    var kernel = sk_faults()

    // The policy's
    var headerTimeout = 2000
    var bodyTimeout = 2000
    var keepaliveTimeout = 3000
    var connectTimeout = 1000
    var firstByteTimeout = 2000
    var bodyLimit = 300_000
    var upstreamConnections = 1024
    var pending = 1024

    /// Requests a second from one address; no limit to speak of where it is `nil`.
    var rate: Int?
    var clientsPerAddress = 400

    /// Slabs that connections may have; all where it is `nil`.
    var slabs: Int?
    /// The gateway drains when so many hundredths of the calls have been made.
    var drainsAt: Int?

    /// There may not be enough of something for all.
    var isScarce: Bool { slabs != nil || upstreamConnections < visitors }

    init(_ dice: inout Dice) {
        isCalm = dice.oneIn(4)
        visitors = dice.pick([1, 4, 16, 32, 64])
        headerTimeout = dice.range(1500...5000)
        bodyTimeout = dice.range(1500...5000)
        keepaliveTimeout = dice.range(2000...8000)
        connectTimeout = dice.range(500...3000)
        firstByteTimeout = dice.range(1500...5000)
        bodyLimit = dice.range(200_000...400_000)
        guard !isCalm else { return }
        callFaults = dice.pick([0, 5, 12, 40])
        visitorFaults = dice.pick([0, 2, 5, 15])
        connectFaults = dice.pick([0, 10, 40])
        if dice.oneIn(3) {
            kernel.accept_aborted = 200
            kernel.accept_exhausted = 300
        }
        if dice.oneIn(3) {
            kernel.socket_refused = 200
            kernel.connect_refused = 200
        }
        if dice.oneIn(2) { kernel.wait_interrupted = 100 }
        if dice.oneIn(5) {
            upstreamConnections = dice.range(1...8)
            pending = dice.range(1...16)
        }
        if dice.oneIn(6) { slabs = dice.range(4...40) }
        if dice.oneIn(8) { rate = dice.range(20...200) }
        if dice.oneIn(8) { clientsPerAddress = dice.range(1...6) }
        strangers = dice.pick([0, 0, 5, 30])
        if dice.oneIn(6) { drainsAt = dice.range(20...95) }
    }

    /// How a connection moves its bytes.
    static func profile(_ dice: inout Dice) -> sk_profile {
        let piece = dice.pick([64, 700, 1448, 16_384, 65_536, 262_144])
        let latency = dice.pick([5000, 50_000, 200_000, 1_000_000])
        // A large body in tiny pieces must still arrive before the upstream's time is over.
        return sk_profile(
            queue_bytes: UInt32(dice.pick([2048, 8192, 16_384, 65_536, 65_536, 212_992])),
            piece_bytes_max: UInt32(piece),
            latency_max: UInt32(piece < 1000 ? min(latency, 50_000) : latency))
    }
}
