// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import JSON
import Reactor
import TLS

/// A temporary folder with all that a gateway is started with: certificate, seed, key, policy.
final class GatewayFolder {
    private static let agent = "bench"
    /// The limiters run, but never refuse.
    private static let plenty = 1_000_000
    private static let connectionsMax = 20_000

    private let folder: TemporaryFolder
    let seed: TOTPSeed
    let key: String

    init() throws(BenchmarkFault) {
        folder = try TemporaryFolder()
        do {
            let pair = try SelfSignedCertificate(names: "DNS:\(RequestMaker.host),IP:127.0.0.1")
            let seed = try TOTPSeed.generate(parameters: .standard)
            let secret = seed.secret
            let seedText = Base32.encode(secret.span)
            self.seed = seed
            var random = RandomSource()
            key = APIKey.generate(&random)
            try Files.makeFolder(folder.file("state"), mode: 0o700)
            try folder.write("tls_cert", pair.certificate)
            try folder.write("tls_key", pair.key)
            try folder.write("totp_seed", Array(seedText.utf8))
        } catch {
            throw .failed("no folder for the gateway: \(error)")
        }
    }

    var admin: SocketAddress { .unix(path: file("admin")) }
    var policy: String { file("policy.json") }
    var errors: String { file("errors") }
    var state: String { file("state") }
    var certificate: String { file("tls_cert") }
    var privateKey: String { file("tls_key") }

    func file(_ name: String) -> String { folder.file(name) }

    /// What was said on standard error.
    var complaints: String { folder.text("errors") }

    /// - Parameters:
    ///   - listen, upstream: addresses with ports.
    func writePolicy(
        for mode: GatewayMode, listen: SocketAddress, upstream: SocketAddress
    ) throws(BenchmarkFault) {
        var writer = JSONWriter(.pretty)
        do {
            var hasher = try Hasher256()
            let hash = hasher.digest(Array(key.utf8).span).hex
            writer.object { writer in
                writer.member("agentport", 1)
                listening(&writer, listen)
                writer.name("admin")
                writer.object { $0.member("address", "\(admin)") }
                writer.name("upstreams")
                writer.array {
                    $0.object {
                        $0.member("name", "upstream")
                        $0.name("endpoints")
                        $0.array { $0.string("http://\(upstream)") }
                    }
                }
                if mode != .plain { identities(&writer, mode, hash) }
                filters(&writer, mode)
                writer.name("routes")
                writer.array {
                    $0.object {
                        $0.member("path", "/")
                        if mode == .plain { $0.member("public", true) }
                    }
                }
            }
            try folder.write("policy.json", writer.bytes)
        } catch {
            throw .failed("no policy for the gateway: \(error)")
        }
    }

    private func listening(_ writer: inout JSONWriter, _ address: SocketAddress) {
        writer.name("listen")
        writer.object {
            $0.member("address", "\(address)")
            $0.name("tls")
            $0.object {
                $0.member("certificate", certificate)
                $0.member("key", privateKey)
            }
            $0.name("limits")
            $0.object {
                $0.member("connections", Self.connectionsMax)
                $0.member("connections_per_ip", Self.connectionsMax)
                $0.member("keepalive_timeout", "300s")
            }
        }
    }

    private func identities(_ writer: inout JSONWriter, _ mode: GatewayMode, _ hash: String) {
        writer.name("agents")
        writer.array {
            $0.object {
                $0.member("name", Self.agent)
                $0.member("user", Self.agent + "@example.com")
                $0.name("scopes")
                $0.array { $0.string("tools:read") }
                $0.name("api_key_sha256")
                $0.array { $0.string(hash) }
                $0.name("totp")
                $0.object { $0.member("seed_file", file("totp_seed")) }
                $0.name("rate")
                $0.object { rate(&$0) }
            }
        }
        writer.name("totp")
        // A code is shown again and again, and a session opened more than once in a time step.
        writer.object { $0.member("one_time", false) }
        writer.name("sessions")
        writer.object {
            $0.member("enabled", mode == .session)
            if mode == .session { $0.member("lifetime", "30m") }
        }
    }

    private func filters(_ writer: inout JSONWriter, _ mode: GatewayMode) {
        let names =
            mode == .plain
            ? ["tls_inspector"]
            : ["tls_inspector", "ip_rate_limit", "identity", "totp", "agent_rate_limit", "jwt"]
        writer.name("filters")
        writer.array {
            for name in names {
                $0.object {
                    $0.member("use", name)
                    if name == "ip_rate_limit" { rate(&$0) }
                }
            }
        }
    }

    private func rate(_ writer: inout JSONWriter) {
        writer.member("requests", Self.plenty)
        writer.member("per", "1s")
        writer.member("burst", Self.plenty)
    }
}
