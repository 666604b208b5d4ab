// SPDX-License-Identifier: Apache-2.0

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
    private static let stepRecords = 65_536
    /// How long the last log lines may take.
    private static let lastLinesMilliseconds = 2000
    private static let trimSeconds = 10

    let gateway: Gateway
    let control: ControlLoop
    private let configuration: Configuration
    private let maker: GenerationMaker
    private let names: NameResolution
    let succession: Succession
    private let clock: ClockWatch
    private let lock: StateLock?
    private let firstEvents: [SuccessionEvent]
    private let made: [Secrets.MadeFile]
    private var desk: AdminDesk?
    private let wakeups: [Wakeup]
    private let writer: LogWriter
    private let report: ProcessReport
    private let workersRunning: WorkersRunning
    /// Whether it is not known any more which codes were used.
    private let areStepsLost: Bool
    private var ticks = 0
    private var peakConnections = 0

    /// - Parameter write: where log lines go.
    init(
        _ beginning: Beginning,
        write: @escaping @Sendable (Span<UInt8>) -> Bool = { Files.writeAll(1, $0) }
    ) throws {
        let configuration = beginning.configuration
        let custody = beginning.handOver()
        // Not the secrets that it was made of: they change, and nothing keeps those of before.
        lock = beginning.lock
        firstEvents = beginning.events
        made = beginning.made
        let descriptorLimit = Process.raiseDescriptorLimit()
        let workers = configuration.workers ?? Process.coresAllowed
        let logWakeup = try Wakeup()
        var wakeups: [Wakeup] = []
        for _ in 0..<workers { wakeups.append(try Wakeup()) }
        self.wakeups = wakeups
        let controlWakeup = try Wakeup()
        let steps = try Self.openSteps(configuration)
        maker = GenerationMaker(
            steps: steps, troubles: Troubles(), workers: workers,
            descriptorLimit: descriptorLimit, wakeControl: { controlWakeup.signal() })
        self.configuration = configuration
        // Of seeds whose end came while nobody was there to see it.
        steps.release { custody.state.seeds.isSuperseded($0) }
        let generation = try maker.make(configuration, beginning.secrets, custody.state)
        areStepsLost = steps.isNew && !custody.isFirst
        if areStepsLost {
            generation.state.closeWindows(atSeconds: beginning.started.wallSeconds)
        }
        gateway = Gateway(
            generation, troubles: maker.troubles, wakeups: wakeups, logWakeup: logWakeup,
            started: beginning.started)
        names = NameResolution(gateway)
        report = ProcessReport(gateway, descriptorLimit: descriptorLimit)
        clock = ClockWatch(gateway)
        succession = Succession(gateway, maker, report, beginning, custody)
        writer = LogWriter(gateway.log, wakeup: logWakeup, write: write)
        workersRunning = WorkersRunning(workers, wakeup: controlWakeup)
        // Before any other thread is made, so that all of them leave signals to this one.
        control = try ControlLoop(signals: try Signals(), wakeup: controlWakeup)
    }

    /// Where the sample upstream of `dev` is to listen.
    var firstUpstreamPort: UInt16 { configuration.upstreams[0].endpoints[0].address?.port ?? 0 }

    private static func openSteps(_ configuration: Configuration) throws -> AcceptedSteps {
        let count = AcceptedSteps.wordCount(records: stepRecords)
        guard let folder = configuration.stateDirectory else {
            return try AcceptedSteps(SharedWords(count: count))
        }
        let path = folder + "/" + Custody.stepsName
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
        let desk = AdminDesk(
            gateway, report, succession, clock, onReload: { [unowned self] in follow() },
            onDrain: { [unowned self] in beginDrain() })
        self.desk = desk
        let place = try listenPlace()
        try Self.listening(on: place) {
            // Sharing the port below must not be with another process, which is to notice nothing.
            try Listener.checkFree(place)
        }
        try AdminListener(gateway: gateway, desk: desk, control: control).start(configuration)
        try startWorkers(at: place)
        try names.follow()
        control.checkHealth(of: gateway.healthTargets)
        control.fetchKeySets(gateway.keySetTargets)
        control.watchClocks { [clock] in clock.hear($0, $1) }
        let writer = writer
        _ = try Thread(name: "log") { writer.run() }
        try onListening()
        tellOfLostSteps()
        succession.tell(firstEvents)
        clock.begin()
        try syncMade()
        control.run(
            ControlLoop.Actions(
                onTerminate: { self.terminate() },
                onHangUp: { self.reload("signal") },
                onTick: { self.tick() },
                onWakeup: { if self.workersRunning.count == 0 { self.control.end() } }))
        gateway.log(.info, "stopped")
        writer.stop()
        writer.waitUntilDone(milliseconds: Self.lastLinesMilliseconds)
    }

    // MARK: Threads

    private func listenPlace() throws -> SocketAddress {
        guard let address = configuration.listen.address.address else {
            throw StartFault(reason: "\(configuration.listen.address): not an address")
        }
        return .ip(address, port: configuration.listen.address.port)
    }

    private func startWorkers(at place: SocketAddress) throws {
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

    private func tellOfLostSteps() {
        guard areStepsLost, let folder = configuration.stateDirectory else { return }
        gateway.log(
            .warn,
            "which codes were used is not known any more: codes of the present are refused, and "
                + "those of the next step count",
            [("path", folder + "/" + Custody.stepsName)])
    }

    /// Files that this start has made are put on the disk while requests are served already.
    private func syncMade() throws {
        let paths = (made + (desk?.token.made ?? [])).map(\.path)
        guard !paths.isEmpty else { return }
        let gateway = gateway
        _ = try Thread(name: "sync") {
            for path in paths {
                do {
                    try Files.sync(path)
                } catch {
                    gateway.log(
                        .error, "a file that was made may not survive a power cut",
                        [("path", path), ("reason", "\(error)")])
                }
            }
        }
    }

    // MARK: Occasions

    private func terminate() {
        guard !gateway.isDraining else { Process.exitNow(1) }
        beginDrain()
    }

    private func beginDrain() {
        guard !gateway.isDraining else { return }
        gateway.log(.info, "draining")
        gateway.beginDrain()
    }

    private func reload(_ cause: String) {
        guard succession.sources != nil else {
            return gateway.log(.warn, "there is nothing to reload here")
        }
        if case .done = succession.reload(cause) { follow() }
    }

    /// Goes on with a new generation outside of the workers.
    private func follow() {
        control.checkHealth(of: gateway.healthTargets)
        control.fetchKeySets(gateway.keySetTargets)
        if let reason = desk?.token.reload(gateway.generation.configuration) {
            gateway.log(.error, "the admin token stays as it was", [("reason", reason)])
        }
        do {
            try names.follow()
        } catch {
            gateway.log(
                .error, "the names of upstreams are not resolved", [("reason", "\(error)")])
        }
    }

    private func tick() {
        ticks += 1
        clock.tick()
        if !gateway.isDraining, succession.tick() { follow() }
        // The start is over, and what it alone needed can go.
        if ticks == 1 {
            Process.trimMemory()
            MappedCode.giveBack()
        }
        // All 64 shards are swept within a minute.
        let generation = gateway.generation
        _ = generation.state.sessions.sweep(
            turn: ticks,
            now: Clock.monotonicNanoseconds() / 1_000_000 + gateway.epochOffsetMilliseconds)
        if ticks % TLSServerContext.ticketKeySeconds == 0 { generation.tls.rotateTicketKeys() }
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
