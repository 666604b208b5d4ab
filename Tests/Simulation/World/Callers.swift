// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// The upstream's listener: who connects is admitted, at once or later, refused, or left alone.
final class Callers: Actor {
    let id: UInt32
    unowned let world: World

    init(id: UInt32, world: World) {
        self.id = id
        self.world = world
        renewProfile()
    }

    /// The next connection moves its bytes in another way.
    private func renewProfile() {
        var profile = Weather.profile(&world.dice)
        unsafe sk_listen(World.upstreamPort, id, &profile)
    }

    func wake() {
        while let end = unsafe sk_next_caller(World.upstreamPort) {
            renewProfile()
            let caller = unsafe Caller(end: end)
            world.add { id in
                caller.id = id
                return caller
            }
            caller.world = world
            caller.decide()
        }
    }
}

/// One that waits to be connected.
@safe
final class Caller: Actor {
    var id: UInt32 = 0
    weak var world: World?
    private let end: OpaquePointer
    private var isRefused = false

    init(end: OpaquePointer) { unsafe self.end = end }

    func decide() {
        guard let world else { return }
        let now = sk_now()
        guard world.dice.oneIn(world.weather.connectFaults) else {
            let delay = world.dice.oneIn(10) ? world.dice.below(200_000_000) : 0
            return delay == 0 ? wake() : sk_wake(id, now + UInt64(delay))
        }
        world.counts.connectFaults += 1
        isRefused = true
        // Refused, or left alone until long after the gateway has lost its patience.
        sk_wake(id, now + (world.dice.oneIn(2) ? 50_000 : 30_000_000_000))
    }

    func wake() {
        guard let world else { return }
        if isRefused {
            unsafe sk_refuse(end)
        } else {
            let end = unsafe end
            world.add { id in
                guard unsafe sk_admit(end, id) else { return nil }
                return unsafe Host(id: id, world: world, line: Line(end))
            }
        }
        world.remove(id)
    }
}
