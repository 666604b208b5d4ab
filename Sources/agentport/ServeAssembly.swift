// SPDX-License-Identifier: Apache-2.0

import Admin
import Bytes
import Control
import Crypto
import Filters
import Gateway
import Identity
import Policy
import Reactor
import Synchronization
import TLS
import Telemetry

/// A gateway with its threads, put together and not yet running.
final class Assembly {
    /// Seeds whose last accepted step can be remembered.
    private static let stepRecords = 4096
    /// How long the last log lines may take.
    private static let lastLinesMilliseconds = 2000
    private static let trimSeconds = 10

    let gateway: Gateway
    let configuration: Configuration
    let control: ControlLoop
    private let controlWakeup: Wakeup
    private let wakeups: [Wakeup]
    private let writer: LogWriter
    private let startedAt = Clock.wallNanoseconds()
    private let descriptorLimit: Int
    private let made: [Secrets.MadeFile]
    private let workersRunning: WorkersRunning
    private var ticks = 0
    private var peakConnections = 0

    /// - Parameters:
    /// - Parameter write: where log lines go.
    init(
        _ configuration: Configuration, _ secrets: Secrets,
        write: @escaping @Sendable (Span<UInt8>) -> Bool = { Files.writeAll(1, $0) }
    ) throws {
        self.configuration = configuration
        made = secrets.made
        descriptorLimit = Process.raiseDescriptorLimit()
        let workers = configuration.workers ?? Process.coresAllowed
        let logWakeup = try Wakeup()
        let state = try GateState(
            configuration, keys: secrets.keys, seeds: secrets.seeds,
            signingKey: secrets.signingKey, steps: try Self.openSteps(configuration))
        var wakeups: [Wakeup] = []
        for _ in 0..<workers { wakeups.append(try Wakeup()) }
        self.wakeups = wakeups
        let troubles = Troubles()
        let key = try PublicJWK(x: secrets.signingKey.x, y: secrets.signingKey.y)
        gateway = Gateway(
            configuration: configuration, state: state, tls: secrets.tls,
            jwks: try JWKS(keys: [key]),
            upstreams: configuration.upstreams.map { rules in
                Upstream(
                    rules, endpoints: rules.endpoints.map { Endpoint($0, troubles: troubles) },
                    workers: workers, troubles: troubles)
            },
            troubles: troubles, wakeups: wakeups, logWakeup: logWakeup)
        writer = LogWriter(gateway.log, wakeup: logWakeup, write: write)
        controlWakeup = try Wakeup()
        workersRunning = WorkersRunning(workers, wakeup: controlWakeup)
        // Before any other thread is made, so that all of them leave signals to this one.
        control = try ControlLoop(signals: try Signals(), wakeup: controlWakeup)
    }

    private static func openSteps(_ configuration: Configuration) throws -> AcceptedSteps {
        let count = AcceptedSteps.wordCount(records: stepRecords)
        guard let folder = configuration.stateDirectory else {
            return try AcceptedSteps(SharedWords(count: count))
        }
        let path = folder + "/totp_steps"
        do {
            return try AcceptedSteps(Files.mapShared(path, size: count * 8))
        } catch {
            throw StartFault(reason: "\(path): \(error)")
        }
    }

    /// Listens, starts all threads, and returns when a drain has ended.
    ///
    /// - Parameter onListening: called when connections are accepted, before the control loop
    ///   runs.
    func run(onListening: () throws -> Void = {}) throws {
        try startAdmin()
        try startWorkers()
        try startResolver()
        let writer = writer
        _ = try Thread(name: "log") { writer.run() }
        try onListening()
        try syncMade()
        control.run(
            ControlLoop.Actions(
                onTerminate: { self.terminate() },
                onHangUp: { self.warn("reload is not built yet in this version") },
                onTick: { self.tick() },
                onWakeup: { if self.workersRunning.count == 0 { self.control.end() } }))
        log(.info, "stopped")
        writer.stop()
        writer.waitUntilDone(milliseconds: Self.lastLinesMilliseconds)
    }

    // MARK: Threads

    private func startWorkers() throws {
        guard let address = configuration.listen.address.address else {
            throw StartFault(reason: "\(configuration.listen.address): not an address")
        }
        let place = SocketAddress.ip(address, port: configuration.listen.address.port)
        try Self.listening(on: place) {
            // Sharing the port below must not be with another process.
            try Listener.checkFree(place)
        }
        for number in wakeups.indices {
            let gateway = gateway
            let wakeup = wakeups[number]
            let running = workersRunning
            var worker: Worker?
            try Self.listening(on: place) {
                worker = try Worker(
                    number: number, gateway: gateway,
                    listener: try Listener(place, isShared: true), wakeup: wakeup)
            }
            let box = WorkerBox(worker.take())
            _ = try Thread(name: "worker-\(number)") {
                box.run()
                running.ended()
            }
        }
    }

    private static func listening(on place: SocketAddress, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as SystemError {
            throw StartFault(reason: "listen \(place): \(error)")
        }
    }

    private func startResolver() throws {
        let gateway = gateway
        let names = gateway.upstreams.flatMap(\.endpoints).compactMap { endpoint in
            endpoint.isName
                ? endpoint.url.address.map { Self.name($0, of: endpoint, gateway) } : nil
        }
        guard !names.isEmpty else { return }
        let resolver = EndpointResolver(names)
        _ = try Thread(name: "resolver") { resolver.run() }
    }

    private static func name(
        _ text: SocketAddressText, of endpoint: Endpoint, _ gateway: Gateway
    ) -> EndpointResolver.Name {
        let hasFailed = Latch()
        return EndpointResolver.Name(host: text.host, port: text.port) { result in
            switch result {
            case .success(let found):
                hasFailed.set(false)
                if endpoint.update(found) {
                    Self.log(gateway, .info, "upstream resolved", [("host", text.host)])
                }
            case .failure(let fault):
                guard !hasFailed.set(true) else { return }
                Self.log(
                    gateway, .warn, "upstream does not resolve",
                    [("host", text.host), ("reason", fault.reason)])
            }
        }
    }

    /// Files that this start has made are put on the disk while requests are served already.
    private func syncMade() throws {
        guard !made.isEmpty else { return }
        let paths = made.map(\.path)
        let gateway = gateway
        _ = try Thread(name: "sync") {
            for path in paths {
                do {
                    try Files.sync(path)
                } catch {
                    Self.log(
                        gateway, .error, "a file that was made may not survive a power cut",
                        [("path", path), ("reason", "\(error)")])
                }
            }
        }
    }

    // MARK: The admin listener

    private func startAdmin() throws {
        let place: SocketAddress
        var hosts: [String] = []
        switch configuration.admin {
        case .off: return
        case .unix(let path): place = .unix(path: path)
        case .tcp(let text):
            guard let address = text.address else {
                throw StartFault(reason: "admin \(text): not an address")
            }
            place = .ip(address, port: text.port)
            hosts = ["localhost", "127.0.0.1", "[::1]", text.host]
        }
        let service = makeService(hosts: hosts)
        var server: SmallServer?
        do {
            server = SmallServer(try Listener(place, isShared: false), kind: 10) { request in
                let answer = service.answer(
                    method: request.method, path: request.path, host: request.field("host"),
                    origin: request.field("origin"))
                let fields = answer.allow.isEmpty ? [] : [(name: "allow", value: answer.allow)]
                return SmallResponse(
                    status: answer.status, type: answer.type, fields: fields, body: answer.body)
            }
        } catch {
            throw StartFault(reason: "admin listener \(place): \(error)")
        }
        if let server { try control.add(server) }
    }

    private func makeService(hosts: [String]) -> AdminService {
        let gateway = gateway
        let startedAt = startedAt
        let descriptorLimit = descriptorLimit
        return AdminService(
            hosts: hosts,
            readiness: {
                if gateway.isDraining { return .draining }
                let now = Clock.monotonicNanoseconds() / 1_000_000
                let isReachable = gateway.upstreams.contains { $0.isHealthy(now: now) }
                return isReachable ? .ready : .noUpstream
            },
            metrics: {
                var facts = ProcessFacts()
                facts.cpuNanoseconds = Clock.processorNanoseconds()
                facts.residentBytes = UInt64(Process.residentBytes)
                facts.openDescriptors = Process.openDescriptors
                facts.maxDescriptors = descriptorLimit
                facts.startTimeNanoseconds = startedAt
                facts.sessions = gateway.state.sessions.count
                facts.certificateExpirySeconds = gateway.tls.certificateExpiry
                return PrometheusText.render(workers: gateway.metrics, facts: facts)
            })
    }

    // MARK: Occasions

    private func terminate() {
        guard !gateway.isDraining else { Process.exitNow(1) }
        log(.info, "draining")
        gateway.beginDrain()
    }

    private func tick() {
        ticks += 1
        // The start is over, and what it alone needed can go.
        if ticks == 1 {
            Process.trimMemory()
            MappedCode.giveBack()
        }
        // All 64 shards are swept within a minute.
        _ = gateway.state.sessions.sweep(
            turn: ticks,
            now: Clock.monotonicNanoseconds() / 1_000_000 + gateway.epochOffsetMilliseconds)
        if ticks % TLSServerContext.ticketKeySeconds == 0 { gateway.tls.rotateTicketKeys() }
        peakConnections = max(peakConnections, gateway.connections.count)
        if ticks % Self.trimSeconds == 0 { trimMemory() }
    }

    /// Gives the kernel back what a burst of connections has left, once most of them are gone.
    private func trimMemory() {
        let open = gateway.connections.count
        guard peakConnections > 64, open < peakConnections / 2 else { return }
        peakConnections = open
        Process.trimMemory()
    }

    func warn(_ message: String) {
        log(.warn, message)
    }

    func log(_ level: LogLevel, _ message: String, _ facts: [(String, String)] = []) {
        Self.log(gateway, level, message, facts)
    }

    private static func log(
        _ gateway: Gateway, _ level: LogLevel, _ message: String, _ facts: [(String, String)]
    ) {
        guard let least = LogLevel(name: gateway.configuration.logLevel.rawValue), level >= least
        else { return }
        var line = SystemLine(level, message, at: Clock.wallNanoseconds())
        for (key, value) in facts { line.add(key, value) }
        gateway.write(line)
    }
}

/// Carries a worker into its thread.
private final class WorkerBox: @unchecked Sendable {
    private var worker: Worker?

    init(_ worker: consuming Worker?) {
        self.worker = worker
    }

    func run() {
        worker?.run()
        worker = nil
    }
}

/// How many workers have not ended yet.
private final class WorkersRunning: Sendable {
    private let running: Atomic<Int>
    private let wakeup: Wakeup

    init(_ count: Int, wakeup: Wakeup) {
        running = Atomic(count)
        self.wakeup = wakeup
    }

    var count: Int { running.load(ordering: .acquiring) }

    func ended() {
        running.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        wakeup.signal()
    }
}

/// A flag that one thread sets and reads back.
private final class Latch: Sendable {
    private let value = Atomic<Bool>(false)

    /// - Returns: what it was.
    @discardableResult
    func set(_ new: Bool) -> Bool {
        value.exchange(new, ordering: .acquiringAndReleasing)
    }
}
