// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS

/// An upstream, and in front of it one proxy after the other.
final class Testbed {
    private static let endMilliseconds = 3000
    private static let readyNanosecondsMax: UInt64 = 10_000_000_000

    let cores: Cores
    /// What gateways are started with.
    let folder: GatewayFolder
    let program: String
    private let upstreamAddress: SocketAddress
    private let upstream: Child
    private var proxy: (any Proxy)?
    private var launch: ProxyLaunch?
    private var child: Child?
    private var proxyAddress: SocketAddress
    var quiet = Quiet()

    /// - Parameters:
    ///   - program: the gateway's.
    ///   - isPinned: the gateway has a core for itself, and one worker.
    init(_ program: String, isPinned: Bool = true) throws(BenchmarkFault) {
        self.program = program
        cores = isPinned ? Cores.divide() : .undivided
        folder = try GatewayFolder()
        upstreamAddress = try Self.freeAddress()
        proxyAddress = upstreamAddress
        let upstream = try Child(
            [Process.executable, "upstream", "--listen", "\(upstreamAddress)"],
            core: cores.others)
        self.upstream = upstream
        try Ask.untilReady(direct, path: "/", "the upstream") { upstream.isRunning }
    }

    deinit {
        child?.end(milliseconds: Self.endMilliseconds)
        upstream.end(milliseconds: 0)
    }

    func gateway(_ mode: GatewayMode) -> GatewayProxy {
        GatewayProxy(program: program, mode: mode, folder: folder)
    }

    var direct: LoadTarget { LoadTarget(address: upstreamAddress, tls: nil) }

    // MARK: The proxy

    /// The process that was started; others may be its children.
    var proxyIdentifier: Int32 { child?.identifier ?? 0 }
    var isProxyRunning: Bool { child?.isRunning ?? false }

    /// Looks for the proxy's processes: to be asked while no request is in flight.
    var watch: ProcessorWatch {
        ProcessorWatch(
            proxy: isProxyRunning ? ProcessTree.members(of: proxyIdentifier) : [],
            upstream: upstream.identifier)
    }

    /// Starts a proxy, after the end of the one before, and waits until it is ready.
    func start(_ proxy: some Proxy) throws(BenchmarkFault) {
        try prepare(proxy)
        try startUnready()
        let target = try through()
        let end = Clock.monotonicNanoseconds() + Self.readyNanosecondsMax
        var status: Int?
        while Clock.monotonicNanoseconds() < end, isProxyRunning {
            status = try proxy.readiness(target)
            if status == 200 { return }
            Process.pause(milliseconds: 2)
        }
        let state = !isProxyRunning ? "ended" : status.map { "answers \($0)" } ?? "does not answer"
        throw .failed("\(proxy.name) \(state); it said: \(complaints)")
    }

    /// Ends the proxy before and writes what the next one is started with.
    func prepare(_ proxy: some Proxy) throws(BenchmarkFault) {
        endProxy()
        proxyAddress = try Self.freeAddress()
        launch = try proxy.prepare(
            listen: proxyAddress, upstream: upstreamAddress, isPinned: cores.gateway != nil)
        self.proxy = proxy
    }

    /// Starts the proxy that was prepared, and waits for nothing.
    func startUnready() throws(BenchmarkFault) {
        guard let launch else { preconditionFailure("nothing was prepared") }
        child = try Child(
            launch.words, environment: launch.environment, output: launch.output,
            errors: launch.errors, core: cores.gateway)
    }

    func endProxy() {
        child?.end(milliseconds: Self.endMilliseconds)
        child = nil
        launch = nil
        proxy = nil
    }

    /// Through the proxy.
    func through(isResuming: Bool = false) throws(BenchmarkFault) -> LoadTarget {
        do {
            // The certificate was made a moment ago, for this one machine.
            let tls = try TLSClientContext(
                serverName: RequestMaker.host, trust: .anyone, isResuming: isResuming)
            return LoadTarget(address: proxyAddress, tls: tls)
        } catch {
            throw .failed("no TLS for the generator: \(error)")
        }
    }

    /// What a request to the proxy proves who it is with.
    func credentials() throws(BenchmarkFault) -> RequestMaker.Credentials {
        guard let proxy else { return .none }
        return try proxy.credentials(through())
    }

    /// Of the proxy, now.
    func memory() throws(BenchmarkFault) -> ResidentMemory {
        guard isProxyRunning else { throw .failed("what is measured has ended: \(complaints)") }
        return ResidentMemory(of: ProcessTree.members(of: proxyIdentifier))
    }

    /// What the proxy has said on standard error.
    var complaints: String {
        guard let launch else { return "" }
        let file = try? Files.read(launch.errors, limit: 64 * 1024)
        let text = String(decoding: file?.bytes ?? [], as: UTF8.self)
        return text.split(separator: "\n").joined(separator: "\n")
    }

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
