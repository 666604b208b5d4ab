// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import TLS

/// What the workers share: one key that signs, one pair of ticket keys.
@Suite("A context on several threads")
struct SharedContextTests {
    private static let handshakes = 60

    @Test(arguments: ThrowAwayIdentity.Kind.servers)
    func everyHandshakeStandsWhileKeysRotate(kind: ThrowAwayIdentity.Kind) async throws {
        let context = try TLSServerContext.make(kind == .ecdsa ? .ecdsa : .rsa)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<Self.handshakes {
                        let full = try Link(context)
                        #expect(full.outcome == .complete(resumed: false))
                        #expect(full.client.isConnected)
                        let next = try Link(context, resuming: full.client.ticket)
                        #expect(next.client.isConnected)
                    }
                }
            }
            group.addTask {
                for _ in 0..<Self.handshakes {
                    context.rotateTicketKeys()
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
    }
}
