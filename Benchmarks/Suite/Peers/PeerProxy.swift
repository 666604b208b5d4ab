// SPDX-License-Identifier: Apache-2.0

import Reactor

/// A peer that runs with one of the configurations of Benchmarks/Peers, each time in a folder of
/// its own.
struct PeerProxy: Proxy {
    private static let folder = "Benchmarks/Peers"
    private static let templateBytesMax = 64 * 1024
    /// As many as there are tokens, and more.
    private static let cache = "jwt_cache_config: { jwt_cache_size: 1000 }"

    let peer: Peer
    /// Of the binary.
    let program: String
    let certificate: String
    let privateKey: String
    let secrets: PeerSecrets

    var name: String { peer.rawValue }

    func prepare(
        listen: SocketAddress, upstream: SocketAddress, isPinned: Bool
    ) throws(BenchmarkFault) -> ProxyLaunch {
        let folder = try TemporaryFolder()
        let words =
            peer == .floor
            ? [program, Self.port(listen), Self.port(upstream), certificate, privateKey]
            : [program] + peer.program.arguments(try configure(folder, listen, upstream))
        return ProxyLaunch(
            words: words, environment: Process.environment(), output: folder.file("output"),
            errors: folder.file("errors"), folder: folder)
    }

    func readiness(_ through: LoadTarget) throws(BenchmarkFault) -> Int? {
        let status = try status(through, credentials(through))
        guard status == 200, peer.takesBearer, let token = secrets.tokens.first else {
            return status
        }
        // A row that did not look would be fast. Eight bits of the signature are changed.
        let forged = String(token.dropLast(2)) + (token.hasSuffix("AA") ? "QQ" : "AA")
        let answer = try self.status(through, .bearers([forged]))
        guard answer == 401 || answer == 403 else {
            throw .failed("\(name) answers \(answer ?? 0) to a forged token")
        }
        return status
    }

    private func status(
        _ through: LoadTarget, _ credentials: RequestMaker.Credentials
    ) throws(BenchmarkFault) -> Int? {
        var maker = RequestMaker(credentials)
        try maker.prepare(wallSeconds: 0)
        return try Ask.once(through, maker.next())?.status
    }

    func credentials(_ through: LoadTarget) throws(BenchmarkFault) -> RequestMaker.Credentials {
        peer.takesBearer ? .bearers(secrets.tokens) : .none
    }

    /// - Returns: the file of the configuration.
    private func configure(
        _ folder: TemporaryFolder, _ listen: SocketAddress, _ upstream: SocketAddress
    ) throws(BenchmarkFault) -> String {
        let place = PackageRoot.path("\(Self.folder)/\(peer.configuration).in")
        let values = [
            "LISTEN": "\(listen)", "LISTEN_ADDRESS": Self.host(listen),
            "LISTEN_PORT": Self.port(listen), "UPSTREAM": "\(upstream)",
            "UPSTREAM_ADDRESS": Self.host(upstream), "UPSTREAM_PORT": Self.port(upstream),
            "FOLDER": folder.path, "USER": peer.program.userLine, "CERTIFICATE": certificate,
            "KEY": privateKey, "COMBINED": secrets.combined, "PUBLIC_KEY": secrets.publicKey,
            "JWKS": secrets.keySet, "ISSUER": PeerSecrets.issuer,
            "AUDIENCE": PeerSecrets.audience,
            "CACHE": peer == .envoyES256Cached ? Self.cache : "",
        ]
        do {
            let template = try Files.read(place, limit: Self.templateBytesMax).bytes
            let text = try Template(String(decoding: template, as: UTF8.self)).filled(values)
            try folder.write(peer.configuration, Array(text.utf8))
        } catch let fault as BenchmarkFault {
            throw .failed("\(place): \(fault.reason)")
        } catch {
            throw .failed("\(place): \(error)")
        }
        return folder.file(peer.configuration)
    }

    private static func host(_ address: SocketAddress) -> String {
        guard case .ip(let host, _) = address else { return "" }
        return "\(host)"
    }

    private static func port(_ address: SocketAddress) -> String {
        guard case .ip(_, let port) = address else { return "" }
        return "\(port)"
    }
}
