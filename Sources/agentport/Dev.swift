// SPDX-License-Identifier: Apache-2.0

import Bytes
import Control
import Policy
import Reactor

/// Runs the embedded default until it is told to end: everything it needs is made on the spot.
///
/// - Parameters:
///   - port: the listener's, on loopback; `nil` for the usual one.
///   - upstream: a URL in place of the sample upstream.
/// - Returns: the exit status.
func runDev(port: UInt16?, upstream: String?) -> Int32 {
    Process.forbidDumps()
    do {
        let folder = try DevFolder()
        defer { folder.remove() }
        try Dev(folder, port: port, upstream: upstream).run()
        return 0
    } catch {
        Console.complain("agentport: \(error)")
        return 1
    }
}

private struct Dev {
    private static let usualPort: UInt16 = 8443
    private static let samplePath = "/.well-known/jwks.json"

    private let folder: DevFolder
    private let port: UInt16
    private let adminPort: UInt16
    private let sample: SampleUpstream?
    private let upstream: String

    init(_ folder: DevFolder, port: UInt16?, upstream: String?) throws {
        self.folder = folder
        self.port = try port ?? Self.freePort(preferring: Self.usualPort)
        adminPort = try Self.freePort(preferring: 9901)
        guard upstream == nil else {
            sample = nil
            self.upstream = upstream ?? ""
            return
        }
        sample = SampleUpstream()
        self.upstream = "http://127.0.0.1:\(try Self.freePort(preferring: 0))"
    }

    func run() throws {
        let printer = DecisionPrinter()
        let assembly = try assemble(printer)
        let guide = DevGuide(
            folder: folder, port: port, adminPort: adminPort, upstream: upstream,
            isSample: sample != nil)
        guard let sample else {
            return try assembly.run { printer.show(guide.text) }
        }
        let control = assembly.control
        try control.add(Self.server(of: sample, on: assembly.firstUpstreamPort))
        let gateway = SocketAddress.ip(.init(ipv4: 0x7F00_0001), port: port)
        try assembly.run {
            control.get(Self.samplePath, from: gateway) { document in
                guard sample.learn(document) else {
                    return printer.show("The sample upstream could not fetch the key set.\n")
                }
                printer.show(guide.text)
            }
        }
    }

    private static func server(
        of sample: SampleUpstream, on port: UInt16
    ) throws -> SmallServer {
        let listener = try listen(on: port)
        return SmallServer(
            listener, kind: 20,
            service: SmallService(answer: { sample.answer($0, nowSeconds: nowSeconds) }))
    }

    private static var nowSeconds: UInt64 { Clock.wallNanoseconds() / 1_000_000_000 }

    private func assemble(_ printer: DecisionPrinter) throws -> Assembly {
        let environment = [
            "AGENTPORT_LISTEN": "127.0.0.1:\(port)",
            "AGENTPORT_ADMIN_LISTEN": "127.0.0.1:\(adminPort)",
            "AGENTPORT_UPSTREAM": upstream,
            "AGENTPORT_SECRETS_DIR": folder.secrets,
            "AGENTPORT_STATE_DIR": folder.state,
            "AGENTPORT_WORKERS": "1",
        ]
        let files = DevFiles()
        guard
            case .valid(let configuration, _) = ConfigurationLoader.load(
                environment: environment, files: files)
        else { throw CommandFailure.failed("`\(upstream)` is not a usable upstream") }
        return try Assembly(Beginning(configuration)) { printer.take($0) }
    }

    /// A port that is free now: the preferred one, or whichever the kernel gives.
    private static func freePort(preferring port: UInt16) throws -> UInt16 {
        let listener = try (try? listen(on: port)) ?? listen(on: 0)
        guard case .ip(_, let port) = listener.address else { return port }
        return port
    }

    private static func listen(on port: UInt16) throws(SystemError) -> Listener {
        try Listener(.ip(.init(ipv4: 0x7F00_0001), port: port), isShared: false)
    }
}

/// The disk without the policy file that a machine may have for its real gateway.
private struct DevFiles: FileReading {
    private let disk = DiskFiles()

    func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        guard path != ConfigurationLoader.defaultPolicyPath else { throw .notFound }
        return try disk.read(path, limit: limit)
    }

    func status(of path: String) throws(FileFault) -> FileStatus {
        guard path != ConfigurationLoader.defaultPolicyPath else { throw .notFound }
        return try disk.status(of: path)
    }

    func isWritableDirectory(_ path: String) -> Bool { disk.isWritableDirectory(path) }
}
