// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Policy
import Reactor
import TLS

/// Where a running gateway's admin listener is, and the token it takes: as a command was told, or
/// as the gateway itself would be from the same environment and policy.
struct AdminTarget {
    let address: SocketAddress
    let host: String
    /// `nil` on loopback and Unix sockets.
    let tls: TLSClientContext?
    private let tokenPaths: [String]

    init(_ arguments: Arguments) throws(CommandFailure) {
        let environment = Process.environment()
        let outcome = ConfigurationLoader.load(
            environment: environment, flags: arguments.settings, files: DiskFiles())
        let places: AdminPlaces
        if case .valid(let configuration, _) = outcome {
            places = AdminPlaces(configuration)
        } else {
            places = try AdminPlaces(faulty: arguments, environment)
        }
        tokenPaths = arguments["--token-file"].map { [$0] } ?? places.tokenPaths
        switch places.admin {
        case .off: throw .failed("the admin listener is off")
        case .unix(let path):
            address = .unix(path: path)
            host = "localhost"
            tls = nil
        case .tcp(let text):
            guard let ip = text.address else { throw .failed("\(text): not an address") }
            // A connection to the unspecified address goes to the machine itself.
            address = .ip(ip.isUnspecified ? .init(ipv4: 0x7F00_0001) : ip, port: text.port)
            host = "\(ip.isUnspecified ? "localhost" : text.hostText):\(text.port)"
            tls =
                text.isLoopback
                ? nil : try Self.tls(ip.isUnspecified ? "localhost" : text.host, arguments["--ca"])
        }
    }

    private static func tls(
        _ name: String, _ authorities: String?
    ) throws(CommandFailure) -> TLSClientContext {
        do {
            var trust = TLSTrust.system
            if let authorities {
                trust = .authorities(
                    try DiskFiles().read(authorities, limit: SecretFile.bytesMax))
            }
            return try TLSClientContext(serverName: name, trust: trust, isResuming: false)
        } catch {
            throw .failed("\(authorities ?? "TLS"): \(error)")
        }
    }

    /// The token's text.
    func token() throws(CommandFailure) -> String {
        guard let path = tokenPaths.first(where: { Files.exists($0) }) else {
            throw .failed(
                "no admin token at \(tokenPaths.joined(separator: ", ")); `--token-file` says "
                    + "where it is")
        }
        do throws(FileFault) {
            return try SecretFile.read(path).trimmedText
        } catch {
            throw .failed("\(path): \(error)")
        }
    }
}
