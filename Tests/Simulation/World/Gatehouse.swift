// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import Identity
import Policy
import Reactor
import TLS
import TestSupport

@testable import Gateway
@testable import Telemetry

/// The gateway under test: one worker that is moved by hand. All that the simulation knows of how
/// a gateway is made, and of its insides, is here.
final class Gatehouse {
    static let key = "ap_weather-key"

    private let gateway: Gateway
    private var worker: Worker
    private var hoarded = SlotTable<Hoarded>(kind: 9, capacity: WorkerContext.slabsMax)
    /// Slabs that are lent while nobody is connected: the worker's scratch space.
    private let slabsAtRest: Int
    private var lostDescriptor: Wakeup?
    /// All that was logged of requests.
    private(set) var log: [UInt8] = []

    struct Hoarded: ~Copyable {
        var buffer = Buffer()
    }

    init(_ weather: Weather, port: UInt16, upstream: UInt16) throws {
        let configuration = try Self.configuration(weather, upstream)
        let words = SharedWords(count: AcceptedSteps.wordCount(records: 4))
        let signingKey = try SigningKey.generate()
        let state = try GateState(
            configuration,
            keys: CredentialTable([.init(digest: try Self.digest(Self.key), agent: 0)]),
            seeds: [
                AgentSeeds(
                    try .generate(
                        parameters: TOTPParameters(algorithm: .sha1, digits: 6, periodSeconds: 30)))
            ],
            signingKey: signingKey, steps: AcceptedSteps(words))
        let certificate = Array(Self.identity.certificate.utf8)
        let secret = Array(Self.identity.key.utf8)
        let wakeup = try Wakeup()
        let troubles = Troubles()
        let generation = Generation(
            configuration, state: state,
            tls: try TLSServerContext(certificate: certificate.span, key: secret.span),
            jwks: try JWKS(keys: [PublicJWK(signingKey)]),
            upstreams: configuration.upstreams.map { rules in
                let endpoints = rules.endpoints.map {
                    Endpoint(
                        EndpointIdentity(upstream: rules.name, url: $0, trust: nil),
                        troubles: troubles)
                }
                return Upstream(rules, endpoints: endpoints, workers: 1, troubles: troubles)
            })
        gateway = Gateway(
            generation, troubles: troubles, wakeups: [wakeup], logWakeup: try Wakeup())
        let address = SocketAddress.ip(IPAddress(ipv4: 0x7F00_0001), port: port)
        worker = try Worker(
            number: 0, gateway: gateway, listener: Listener(address, isShared: true),
            wakeup: wakeup)
        slabsAtRest = worker.context.pool.lent
    }

    /// Made once, before any world, so that no world's random numbers go into it.
    private static let identity = ThrowAwayIdentity.ecdsa
    static func prepare() { _ = identity }

    private static func digest(_ key: String) throws -> SHA256Digest {
        let bytes = Array(key.utf8)
        var hasher = try Hasher256()
        return hasher.digest(bytes.span)
    }

    private static func configuration(
        _ weather: Weather, _ port: UInt16
    ) throws -> Configuration {
        let hash = String(repeating: "0", count: 64)
        let policy = """
            { "agentport": 1,
              "listen": { "limits": {
                "connections": 400, "connections_per_ip": \(weather.clientsPerAddress), "body": "\(weather.bodyLimit)B",
                "header_timeout": "\(weather.headerTimeout)ms",
                "body_timeout": "\(weather.bodyTimeout)ms",
                "keepalive_timeout": "\(weather.keepaliveTimeout)ms" } },
              "upstreams": [ { "name": "u", "endpoints": ["http://127.0.0.1:\(port)"],
                "connect_timeout": "\(weather.connectTimeout)ms",
                "first_byte_timeout": "\(weather.firstByteTimeout)ms",
                "max_connections": \(weather.upstreamConnections),
                "max_pending": \(weather.pending) } ],
              "agents": [ { "name": "weather", "api_key_sha256": ["\(hash)"],
                            "totp": { "seed_file": "a" } } ],
              "totp": { "one_time": false },
              "filters": [ { "use": "tls_inspector" },
                { "use": "ip_rate_limit", "requests": \(weather.rate ?? 1_000_000), "per": "1s" },
                { "use": "identity" }, { "use": "totp" }, { "use": "jwt" } ],
              "routes": [ { "path": "/calls/" }, { "path": "/open/", "public": true } ] }
            """
        var files = FakeFiles.policy(policy)
        files.files["/etc/agentport/a"] = ("x", 0o400)
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: "/etc/agentport/policy.json", files: files)
        guard let configuration = outcome.configuration else {
            throw GatehouseFault(description: "\(outcome.faults)")
        }
        return configuration
    }

    // MARK: Moving on

    func turn() {
        worker.turn(atMost: 50)
        takeLog()
    }

    /// Access lines are taken as the log writer would.
    private func takeLog() {
        gateway.log.drain(worker: 0) {
            log.append(copying: $0)
            return $0.count
        }
        _ = gateway.log.takeAudit()
    }

    /// The code of the agent's seed for now.
    var code: String {
        let seed = gateway.generation.state.seeds[0].current
        let step = seed.parameters.step(atSeconds: Clock.wallNanoseconds() / 1_000_000_000)
        return (try? seed.code(step: step)) ?? "none"
    }

    func beginDrain() {
        gateway.beginDrain()
        worker.wakeup.signal()
    }

    /// Ends what is left, the worker's own descriptors too.
    func close() {
        worker.closeAll()
        worker.listener = nil
    }

    // MARK: Looking in

    var downstreams: Int { worker.downstreams.count }
    var upstreams: Int { worker.pool.connections.count }

    /// What has not come back though all clients have gone.
    var leaks: [String] {
        var faults: [String] = []
        let slabs = worker.context.pool.lent - slabsAtRest
        if slabs != 0 { faults.append("\(slabs) slabs are lent") }
        let memos = worker.context.memoPool.lent
        if memos != 0 { faults.append("\(memos) memos are lent") }
        if downstreams != 0 { faults.append("\(downstreams) clients are still known") }
        let counted = gateway.connections.count
        if counted != 0 { faults.append("\(counted) clients are still counted") }
        let gauges = worker.context.metrics.connections
        if gauges.contains(where: { $0 != 0 }) { faults.append("gauges of connections: \(gauges)") }
        if !worker.pool.upstreams[0].line.isEmpty { faults.append("the line is not empty") }
        for index in 0..<worker.pool.connections.indexEnd
        where worker.pool.connections.isOccupied(index) {
            guard worker.pool.connections[index].state != .idle else { continue }
            faults.append("an upstream connection is \(worker.pool.connections[index].state)")
        }
        return faults
    }

    // MARK: Scarcity

    /// Takes so many slabs that connections could have.
    func hoard(_ count: Int) {
        for _ in 0..<count {
            guard let index = hoarded.insert(Hoarded()) else { return }
            _ = hoarded[index].buffer.attach(from: &worker.context.pool)
        }
    }

    func takeMemory(leaving count: Int) {
        hoard(WorkerContext.slabsMax - count - worker.context.pool.lent)
    }

    func returnMemory() {
        for index in 0..<hoarded.indexEnd where hoarded.isOccupied(index) {
            hoarded[index].buffer.release(to: &worker.context.pool)
            _ = hoarded.remove(at: index)
        }
    }

    func loseDescriptor() { lostDescriptor = try? Wakeup() }
}

extension WorkerMetrics {
    /// By state.
    fileprivate var connections: [UInt64] {
        ConnectionState.allCases.map { words.load(layout.connections + $0.rawValue) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(copying bytes: Span<UInt8>) {
        for index in bytes.indices { append(bytes[index]) }
    }
}

struct GatehouseFault: Error, CustomStringConvertible {
    let description: String
}
