// SPDX-License-Identifier: Apache-2.0

import Bytes
import Identity
import Reactor
import TLS

/// An upstream, and a gateway in front of it that can be started in one mode after the other.
final class Testbed {
    private static let endMilliseconds = 3000

    let cores: Cores
    private let program: String
    private let folder: GatewayFolder
    private let upstreamAddress: SocketAddress
    private let upstream: Child
    private var gateway: Child?
    private var gatewayAddress: SocketAddress
    var quiet = Quiet()

    /// - Parameter program: the gateway's.
    init(_ program: String) throws(BenchmarkFault) {
        self.program = program
        cores = Cores.divide()
        folder = try GatewayFolder()
        upstreamAddress = try Self.freeAddress()
        gatewayAddress = upstreamAddress
        let upstream = try Child(
            [Process.executable, "upstream", "--listen", "\(upstreamAddress)"],
            core: cores.others)
        self.upstream = upstream
        try Ask.untilReady(direct, path: "/", "the upstream") { upstream.isRunning }
    }

    deinit {
        gateway?.end(milliseconds: Self.endMilliseconds)
        upstream.end(milliseconds: 0)
    }

    var direct: LoadTarget { LoadTarget(address: upstreamAddress, tls: nil) }
    var upstreamIdentifier: Int32 { upstream.identifier }
    var gatewayIdentifier: Int32 { gateway?.identifier ?? 0 }

    var isGatewayRunning: Bool { gateway?.isRunning ?? false }

    var watch: ProcessorWatch {
        ProcessorWatch(gateway: gateway?.identifier, upstream: upstream.identifier)
    }

    /// Starts the gateway, after the end of the one before, and waits until it is ready.
    func start(_ mode: GatewayMode) throws(BenchmarkFault) {
        try prepare(mode)
        try startUnready()
        let admin = LoadTarget(address: folder.admin, tls: nil)
        do throws(BenchmarkFault) {
            try Ask.untilReady(admin, path: "/readyz", "the gateway") { isGatewayRunning }
        } catch {
            throw .failed("\(error.reason); it said: \(complaints)")
        }
    }

    /// Ends the gateway and writes what the next one is started with.
    func prepare(_ mode: GatewayMode) throws(BenchmarkFault) {
        endGateway()
        gatewayAddress = try Self.freeAddress()
        try folder.writePolicy(for: mode, listen: gatewayAddress, upstream: upstreamAddress)
    }

    /// Starts the gateway that was prepared, and waits for nothing.
    func startUnready() throws(BenchmarkFault) {
        var environment = Process.environment().filter { !$0.key.hasPrefix("AGENTPORT_") }
        environment["AGENTPORT_STATE_DIR"] = folder.state
        if cores.gateway != nil { environment["AGENTPORT_WORKERS"] = "1" }
        gateway = try Child(
            [program, "serve", "--policy", folder.policy], environment: environment,
            errors: folder.errors, core: cores.gateway)
    }

    func endGateway() {
        gateway?.end(milliseconds: Self.endMilliseconds)
        gateway = nil
    }

    /// Through the gateway.
    func through(isResuming: Bool = false) throws(BenchmarkFault) -> LoadTarget {
        do {
            // The certificate was made a moment ago, for this one machine.
            let tls = try TLSClientContext(
                serverName: RequestMaker.host, trust: .anyone, isResuming: isResuming)
            return LoadTarget(address: gatewayAddress, tls: tls)
        } catch {
            throw .failed("no TLS for the generator: \(error)")
        }
    }

    /// What a request proves who it is with, in this mode; opens a session where it needs one.
    func credentials(
        _ mode: GatewayMode
    ) throws(BenchmarkFault) -> RequestMaker.Credentials {
        switch mode {
        case .plain: return .none
        case .totp: return .code(key: folder.key, seed: folder.seed)
        case .session:
            var maker = RequestMaker(.code(key: folder.key, seed: folder.seed))
            try maker.prepare(wallSeconds: Clock.wallNanoseconds() / 1_000_000_000)
            let answer = try Ask.once(through(), maker.bytes)
            guard answer?.status == 200, let token = answer?.field("x-agentport-session") else {
                throw .failed("no session from the gateway, but status \(answer?.status ?? 0)")
            }
            return .session(key: folder.key, token: token)
        }
    }

    /// For what is written beside the gateway's own files.
    func file(_ name: String) -> String { folder.file(name) }

    /// Of the gateway, now.
    func memory() throws(BenchmarkFault) -> ResidentMemory {
        guard isGatewayRunning else { throw .failed("the gateway has ended") }
        return ResidentMemory(of: gatewayIdentifier)
    }

    /// What the gateway has said on standard error.
    var complaints: String { folder.complaints }

    /// One that was free a moment ago.
    private static func freeAddress() throws(BenchmarkFault) -> SocketAddress {
        do throws(SystemError) {
            let any = SocketAddress.ip(IPAddress(ipv4: 0x7F00_0001), port: 0)
            return try Listener(any, isShared: false).address
        } catch {
            throw .failed("no port is free: \(error)")
        }
    }
}
