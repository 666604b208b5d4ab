// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Reactor

/// What peers are handed that believe tokens: a key of this run, public, and tokens that it has
/// signed; and the certificate with its key in one file, as HAProxy reads it.
final class PeerSecrets {
    static let issuer = "https://issuer.agentport.test"
    static let audience = "agentport"
    /// So many agents take turns, so that a cache has something to find.
    private static let tokenCount = 64
    private static let validSeconds: UInt64 = 24 * 3600

    /// In compact form, no two alike.
    let tokens: [String]
    private let folder: TemporaryFolder

    /// - Parameter pair: paths of the certificate and its key.
    init(_ pair: (certificate: String, key: String)) throws(BenchmarkFault) {
        let folder = try TemporaryFolder()
        do {
            let key = try SigningKey.generate()
            let set = try JWKS(keys: [PublicJWK(key)])
            try folder.write("keys.json", set.document)
            guard case .p256(let x, let y) = key.members else {
                throw BenchmarkFault.failed("no key of P-256")
            }
            try folder.write("public.pem", Array(PublicKeyPEM.text(x: x, y: y).utf8))
            let limit = SigningKey.pemCapacity
            let certificate = try Files.read(pair.certificate, limit: limit).bytes
            try folder.write(
                "combined.pem", certificate + (try Files.read(pair.key, limit: limit).bytes))
            tokens = try Self.sign(key)
        } catch {
            throw .failed("no keys or tokens for the peers: \(error)")
        }
        self.folder = folder
    }

    var combined: String { folder.file("combined.pem") }
    var keySet: String { folder.file("keys.json") }
    var publicKey: String { folder.file("public.pem") }

    private static func sign(_ key: SigningKey) throws -> [String] {
        var writer = try JWTWriter(key: key)
        var random = RandomSource()
        var pool = SlabPool(bound: 1)
        var output = Buffer()
        guard output.attach(from: &pool) else { throw BenchmarkFault.failed("no slab") }
        defer { output.release(to: &pool) }
        let now = Clock.wallNanoseconds() / 1_000_000_000
        let facts = TokenFacts(authTime: now, issued: now, expires: now + validSeconds)
        var tokens: [String] = []
        for number in 1...tokenCount {
            let claims = Claims(
                issuer: issuer, audience: audience, user: "user-\(number)@example.com",
                agent: "agent-\(number)", scopes: ["tools:read"], firstFactor: .password)
            output.clear()
            guard writer.write(claims, facts, random: &random, into: &output) else {
                throw BenchmarkFault.failed("not signed")
            }
            tokens.append(output.readable.string)
        }
        return tokens
    }
}
