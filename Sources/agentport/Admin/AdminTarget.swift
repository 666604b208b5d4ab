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
        var configuration: Configuration?
        if case .valid(let valid, _) = outcome { configuration = valid }
        let admin = try Self.admin(arguments, environment, configuration)
        switch admin {
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
        tokenPaths = Self.tokenPaths(arguments, environment, configuration)
    }

    private static func admin(
        _ arguments: Arguments, _ environment: [String: String], _ configuration: Configuration?
    ) throws(CommandFailure) -> Configuration.Admin {
        if let configuration { return configuration.admin }
        // What else is wrong with a configuration does not matter here.
        let variable = EnvironmentVariable.adminListen
        let text = arguments[variable.flag] ?? environment[variable.rawValue] ?? ""
        switch Configuration.Admin.parse(text.isEmpty ? "127.0.0.1:9901" : text) {
        case .success(let admin): return admin
        case .failure(let fault): throw .usage("`\(variable.flag)` \(fault.reason)")
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

    private static func tokenPaths(
        _ arguments: Arguments, _ environment: [String: String], _ configuration: Configuration?
    ) -> [String] {
        if let path = arguments["--token-file"] { return [path] }
        if let configuration {
            return [configuration.adminTokenPath ?? AdminToken.madePath(configuration)]
                .compactMap { $0 }
        }
        func folder(_ variable: EnvironmentVariable, _ usual: String) -> String {
            arguments[variable.flag] ?? environment[variable.rawValue] ?? usual
        }
        return [
            folder(.secretsDirectory, "/run/secrets") + "/admin_token",
            folder(.stateDirectory, ConfigurationLoader.defaultStateDirectory) + "/admin_token",
        ]
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
