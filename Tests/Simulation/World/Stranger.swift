// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// One that connects and speaks no TLS, or none to its end: plaintext requests, halves of hellos,
/// noise. It must be told off or cut, in good time, and leave nothing behind.
final class Stranger: Actor {
    let id: UInt32
    unowned let world: World
    let line: Line
    let startedAt: UInt64
    private var bytes: [UInt8]
    private let stepBytes: Int
    private let gap: UInt64
    private var nextWrite: UInt64 = 0
    /// Closes, in one way or another, when all is said; else it waits for the end.
    private let leavesEarly: Bool
    private var received: [UInt8] = []
    /// The one thing that there is for strangers.
    private var asksForKeys = false

    private static let texts = [
        "GET /.well-known/jwks.json HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nauthorization: Bearer x\r\n\r\n",
        "POST /open/1 HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello",
        "GET /open/1 HTTP/1.1\r\nhost: h\r\nx: \(String(repeating: "x", count: 3000))\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\n", "\u{0}\u{1}\u{2}", "", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /.well-known/jwks.json HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n",
    ]

    init?(id: UInt32, world: World, address: UInt32, profile: sk_profile) {
        var profile = profile
        guard let end = unsafe sk_connect(World.gatewayPort, address, id, &profile) else {
            return nil
        }
        self.id = id
        self.world = world
        line = unsafe Line(end)
        startedAt = sk_now()
        stepBytes = world.dice.pick([1, 5, 100, 10_000])
        gap = UInt64(world.dice.below(300_000))
        leavesEarly = world.dice.oneIn(2)
        if world.dice.oneIn(2) {
            let text = world.dice.pick(Self.texts)
            asksForKeys = text.contains("jwks")
            bytes = Array(text.utf8)
        } else {
            bytes = []
            if let tls = TLSPeer(resuming: nil) {
                tls.handshake()
                tls.takeOutput(into: &bytes)
            }
            // A part of a hello, or one that is not quite right.
            if world.dice.oneIn(2), !bytes.isEmpty {
                bytes[world.dice.below(bytes.count)] ^= UInt8(1 << world.dice.below(8))
            } else {
                bytes.removeLast(world.dice.below(bytes.count))
            }
        }
    }

    func wake() {
        let now = sk_now()
        while line.isOpen {
            switch line.receive(into: &received, limit: 65_536) {
            case .bytes: continue
            case .nothingYet: break
            case .end, .failed: return leave(resets: false)
            }
            break
        }
        while !bytes.isEmpty, now >= nextWrite {
            guard let count = line.send(bytes.prefix(stepBytes)) else {
                return leave(resets: false)
            }
            guard count > 0 else { return }
            bytes.removeFirst(count)
            nextWrite = now + 1 + gap
        }
        if !bytes.isEmpty { return sk_wake(id, nextWrite) }
        if leavesEarly { leave(resets: world.dice.oneIn(2)) }
    }

    func leave(resets: Bool) {
        guard line.isOpen else { return }
        line.close(resets: resets)
        let text = String(decoding: received, as: UTF8.self)
        if text.contains(" 200 "), !asksForKeys {
            world.fail(.foreign, "a stranger got: \(text.prefix(200))")
        }
        world.hasLeft(self)
    }
}
