// SPDX-License-Identifier: Apache-2.0

import Admin
import Bytes
import Crypto
import Identity
import JSON

/// A service whose actions are written down, under a clock that is moved by hand.
final class Desk {
    static let token = "the-admin-token"

    /// Monotonic milliseconds.
    var now: UInt64 = 5_000_000
    var hasToken = true
    private(set) var rotations: [(agent: String, seed: [UInt8], oldEndsAt: UInt64?)] = []
    private(set) var ended: [SessionsToEnd] = []
    private(set) var switched: [(agent: String, isEnabled: Bool)] = []
    private(set) var audits: [AdminAudit] = []
    private(set) var drains = 0

    func service(isLoopback: Bool = true) -> AdminService {
        AdminService(isLoopback: isLoopback, actions) {
            ["localhost", "127.0.0.1", "[::1]"].contains($0)
        }
    }

    private var actions: AdminActions {
        AdminActions(
            readiness: { .ready }, metrics: { Array("metrics\n".utf8) },
            status: { AdminStatus() }, seeds: { [] },
            rotateSeed: { rotation in
                self.rotations.append(
                    (rotation.agent, Self.bytes(rotation.seed), rotation.oldEndsAt))
                return .success(
                    SeedRotated(
                        rotationID: "r1", traceID: rotation.traceID, agent: rotation.agent,
                        oldEndsAt: rotation.oldEndsAt ?? 0))
            },
            setEnabled: { agent, isEnabled in
                self.switched.append((agent, isEnabled))
                return .success(AgentSwitched(hasChanged: true, sessionsEnded: 2))
            },
            revokeSessions: {
                self.ended.append($0)
                return .success(3)
            },
            keys: { [] },
            rotateKey: { .failure(.notDurable) },
            reload: {
                .failure(
                    AdminProblem(422, "configuration_invalid", "no", faults: ["one", "two"]))
            },
            drain: { self.drains += 1 }, audit: { self.audits.append($0) },
            token: { self.hasToken ? Self.digest(Self.token) : nil },
            now: { (self.now, 1_700_000_000_000 + self.now) })
    }

    static func bytes(_ secret: SecretBytes) -> [UInt8] { secret.span.array }

    private static func digest(_ text: String) -> SHA256Digest? {
        guard var hasher = try? Hasher256() else { return nil }
        return hasher.digest(Array(text.utf8).span)
    }
}

extension AdminService {
    /// - Parameter token: `nil` for none.
    func ask(
        _ method: String, _ path: String, _ body: String = "", token: String? = Desk.token,
        fields: [String: String] = [:], client: String = "127.0.0.1"
    ) -> AdminAnswer {
        var fields = fields
        if let token { fields["authorization"] = "Bearer \(token)" }
        let sent = fields
        return answer(
            AdminRequest(
                method: method, path: path, field: { sent[$0] },
                body: SecretBytes(copying: Array(body.utf8).span), client: client))
    }
}

extension AdminAnswer {
    var json: JSONValue? { try? JSONReader.read(body.span) }
}
