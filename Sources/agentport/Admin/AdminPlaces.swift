// SPDX-License-Identifier: Apache-2.0

import JSON
import Policy
import Reactor

/// Where a gateway's admin listener and its token are.
struct AdminPlaces {
    private static let policyBytesMax = 16 << 20
    private static let usualAddress = "127.0.0.1:9901"

    let admin: Configuration.Admin
    let tokenPaths: [String]

    init(_ configuration: Configuration) {
        admin = configuration.admin
        tokenPaths = [configuration.adminTokenPath ?? AdminToken.madePath(configuration)]
            .compactMap { $0 }
    }

    /// Of a gateway whose policy has become faulty, or that runs with secrets that a command
    /// cannot read: what its settings and its policy say of these two alone. An address is never
    /// guessed where a policy may name another, since the token would be shown to whoever listens
    /// there.
    init(
        faulty arguments: Arguments, _ environment: [String: String]
    ) throws(CommandFailure) {
        func setting(_ variable: EnvironmentVariable) -> String? {
            let text = arguments[variable.flag] ?? environment[variable.rawValue] ?? ""
            return text.isEmpty ? nil : text
        }
        let listen = setting(.adminListen)
        let section = try Self.section(ofPolicy: setting(.policy), isNeeded: listen == nil)
        let text = listen ?? section?["address"]?.string ?? Self.usualAddress
        switch Configuration.Admin.parse(text) {
        case .success(let admin): self.admin = admin
        case .failure(let fault):
            throw .usage("`\(EnvironmentVariable.adminListen.flag)` \(fault.reason)")
        }
        let secrets = setting(.secretsDirectory) ?? "/run/secrets"
        let state = setting(.stateDirectory) ?? ConfigurationLoader.defaultStateDirectory
        tokenPaths =
            section?["token_file"]?.string.map { [$0] }
            ?? [secrets + "/admin_token", state + "/admin_token"]
    }

    /// - Returns: the policy's `admin`; `nil` where it has none, or there is no policy.
    private static func section(
        ofPolicy named: String?, isNeeded: Bool
    ) throws(CommandFailure) -> JSONValue? {
        let path = named ?? ConfigurationLoader.defaultPolicyPath
        let reason: String
        do {
            let bytes = try DiskFiles().read(path, limit: policyBytesMax)
            return try JSONReader.read(bytes.span, dialect: .policy)["admin"]
        } catch let fault as FileFault {
            if fault == .notFound, named == nil { return nil }
            reason = "\(fault)"
        } catch {
            reason = "`agentport check` says what is wrong with it"
        }
        guard isNeeded else { return nil }
        throw .failed(
            "\(path): \(reason); `\(EnvironmentVariable.adminListen.flag)` says where the admin "
                + "listener is")
    }
}
