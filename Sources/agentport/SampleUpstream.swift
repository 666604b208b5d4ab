// SPDX-License-Identifier: Apache-2.0

import Control
import Identity
import JSON

/// Stands in for an agent framework: believes a request only for its `x-agentport-jwt`, verified
/// with the key set that the gateway publishes, as OpenClaw would.
final class SampleUpstream {
    private var keys = JSONWebKeySet()

    /// - Parameter document: the key set; `nil` where it could not be fetched.
    /// - Returns: whether there is a key in it.
    func learn(_ document: [UInt8]?) -> Bool {
        guard let document, let set = try? JSONWebKeySet(document.span) else { return false }
        keys = set
        return !set.keys.isEmpty
    }

    func answer(_ request: SmallRequest, nowSeconds: UInt64) -> SmallResponse {
        guard let token = request.field("x-agentport-jwt"),
            let claims = verify(Array(token.utf8), nowSeconds)
        else {
            return respond(401) { writer in
                writer.member("message", "No x-agentport-jwt that verifies: not from the gateway.")
            }
        }
        return respond(200) { writer in
            writer.member("message", "Hello, \(claims.agent). AgentPort vouches for you.")
            writer.member("you_asked", "\(request.method) \(request.path)")
            writer.name("verified_claims")
            writer.object { writer in
                writer.member("sub", claims.subject)
                writer.member("agent_id", claims.agent)
                writer.member("amr", claims.methods.joined(separator: " "))
                writer.member("exp", claims.expires)
                writer.member("jti", claims.id)
                if let session = claims.session { writer.member("sid", session) }
            }
        }
    }

    private func verify(_ token: [UInt8], _ nowSeconds: UInt64) -> VerifiedClaims? {
        let verifier = JWTVerifier(keys, issuer: "agentport", audience: "openclaw-prod")
        return try? verifier.verify(token.span, now: nowSeconds)
    }

    private func respond(
        _ status: Int, _ content: (inout JSONWriter) -> Void
    ) -> SmallResponse {
        var writer = JSONWriter(.pretty)
        writer.object(content)
        return SmallResponse(
            status: status, type: "application/json",
            body: writer.bytes + [UInt8(ascii: "\n")])
    }
}
