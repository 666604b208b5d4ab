// SPDX-License-Identifier: Apache-2.0

import TLS
import TestSupport

/// Our client against our server, taken through their handshake.
final class ClientLink {
    let client: End
    let server: End
    private(set) var clientOutcome = TLSSession.Handshake.needMore
    private(set) var serverOutcome = TLSSession.Handshake.needMore

    /// - Parameter step: the most that either side receives at once.
    init(_ context: TLSClientContext, _ serverContext: TLSServerContext, step: Int = .max) throws {
        client = try End(context)
        server = try End(serverContext)
        clientOutcome = client.handshake([])
        for _ in 0..<4 {
            serverOutcome = Self.move(client, server, serverOutcome, step)
            clientOutcome = Self.move(server, client, clientOutcome, step)
        }
    }

    /// Hands over what one end has to say, piece by piece.
    private static func move(
        _ from: End, _ to: End, _ outcome: TLSSession.Handshake, _ step: Int
    ) -> TLSSession.Handshake {
        var outcome = outcome
        var sent = from.takeOutput()[...]
        while !sent.isEmpty {
            let piece = Array(sent.prefix(step))
            sent = sent.dropFirst(step)
            if outcome == .needMore {
                outcome = to.handshake(piece)
                // A ticket may come right behind the handshake.
                if case .complete = outcome { _ = to.read() }
            } else if case .complete = outcome {
                _ = to.read(piece)
            }
        }
        return outcome
    }

    var isComplete: Bool {
        guard case .complete = clientOutcome, case .complete = serverOutcome else { return false }
        return true
    }

    var isResumed: Bool {
        clientOutcome == .complete(resumed: true) && serverOutcome == .complete(resumed: true)
    }
}

extension TLSClientContext {
    static func make(
        _ name: String = "claw", trust: TLSTrust = .anyone, isResuming: Bool = false
    ) throws(TLSFault) -> TLSClientContext {
        try TLSClientContext(serverName: name, trust: trust, isResuming: isResuming)
    }
}

extension ThrowAwayIdentity {
    var authority: TLSTrust { .authorities(Array(certificate.utf8)) }
}
