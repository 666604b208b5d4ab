// SPDX-License-Identifier: Apache-2.0

import Reactor

/// The gateway in one of its modes.
struct GatewayProxy: Proxy {
    /// Of the binary.
    let program: String
    let mode: GatewayMode
    let folder: GatewayFolder
    /// The file that the access log goes to, if to any.
    var log: String?
    /// Whether there is an access log at all.
    var logsRequests = true

    var name: String { "the gateway" }

    func prepare(
        listen: SocketAddress, upstream: SocketAddress, isPinned: Bool
    ) throws(BenchmarkFault) -> ProxyLaunch {
        try folder.writePolicy(for: mode, listen: listen, upstream: upstream)
        // Settings of whoever runs this are not part of what is measured.
        var environment = Process.environment().filter { !$0.key.hasPrefix("AGENTPORT_") }
        environment["AGENTPORT_STATE_DIR"] = folder.state
        if !logsRequests { environment["AGENTPORT_LOG_LEVEL"] = "warn" }
        if isPinned { environment["AGENTPORT_WORKERS"] = "1" }
        for file in [folder.errors, log].compactMap({ $0 }) { Files.remove(file) }
        return ProxyLaunch(
            words: [program, "serve", "--policy", folder.policy], environment: environment,
            output: log ?? "/dev/null", errors: folder.errors)
    }

    func readiness(_ through: LoadTarget) throws(BenchmarkFault) -> Int? {
        let request = Array("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n".utf8)
        return try Ask.once(LoadTarget(address: folder.admin, tls: nil), request)?.status
    }

    /// Opens a session where one is needed.
    func credentials(_ through: LoadTarget) throws(BenchmarkFault) -> RequestMaker.Credentials {
        switch mode {
        case .plain: return .none
        case .totp: return .code(key: folder.key, seed: folder.seed)
        case .session:
            var maker = RequestMaker(.code(key: folder.key, seed: folder.seed))
            try maker.prepare(wallSeconds: Clock.wallNanoseconds() / 1_000_000_000)
            let answer = try Ask.once(through, maker.next())
            guard answer?.status == 200, let token = answer?.field("x-agentport-session") else {
                throw .failed("no session from the gateway, but status \(answer?.status ?? 0)")
            }
            return .session(key: folder.key, token: token)
        }
    }
}
