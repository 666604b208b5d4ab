// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import Identity
import Policy
import Reactor
import TLS
import TestSupport
import Testing

@testable import Gateway

/// One worker that is moved by hand, with a client and an upstream on loopback.
///
/// One agent, `weather`, may ask for everything; `/open/` is public.
final class House {
    static let key = "ap_weather-key"
    private static let loopback = SocketAddress.ip(IPAddress(ipv4: 0x7F00_0001), port: 0)

    let gateway: Gateway
    var worker: Worker
    private let address: SocketAddress
    private let upstream: Listener
    /// Where it is, as the policy names it.
    private let upstreamURL: String
    private var upstreamSockets: [Peer] = []
    /// Whether the upstream hangs up on whoever connects, without a word.
    var hangsUp = false
    private(set) var hangUps = 0
    /// Whether the upstream reads what has come.
    var reads = true
    private var hoard = SlotTable<Hoarded>(kind: 9, capacity: WorkerContext.slabsMax)

    /// - Parameters:
    ///   - limits: the policy's `listen.limits`.
    ///   - path: of the socket that the upstream listens on; `nil` for a port.
    ///   - isTLS: the upstream is asked for a handshake, which it never answers.
    init(limits: String = "{}", upstreamAt path: String? = nil, isTLS: Bool = false) throws {
        let upstream = try Listener(path.map { .unix(path: $0) } ?? Self.loopback, isShared: false)
        upstreamURL = Self.url(upstream.address)
        let wakeup = try Wakeup()
        let troubles = Troubles()
        let generation = try Self.generation(
            Self.configuration(upstreamURL, limits, routes: Self.routes), troubles,
            isTLS: isTLS)
        gateway = Gateway(
            generation, troubles: troubles, wakeups: [wakeup], logWakeup: try Wakeup())
        let listener = try Listener(Self.loopback, isShared: true)
        address = listener.address
        worker = try Worker(number: 0, gateway: gateway, listener: listener, wakeup: wakeup)
        self.upstream = upstream
    }

    deinit {
        returnMemory()
        worker.closeAll()
    }

    private static let routes = #"{ "path": "/" }, { "path": "/open/", "public": true }"#

    private static func url(_ address: SocketAddress) -> String {
        if case .unix(let path) = address { "unix:\(path)" } else { "http://\(address)" }
    }

    /// Has the gateway go on with other routes, or limits, as a reload does.
    ///
    /// - Parameter routes: what stands between the brackets.
    func publish(routes: String = routes, limits: String = "{}") throws {
        gateway.publish(
            try Self.generation(
                Self.configuration(upstreamURL, limits, routes: routes), gateway.troubles,
                after: gateway.generation))
    }

    private static func generation(
        _ configuration: Configuration, _ troubles: Troubles, isTLS: Bool = false,
        after previous: Generation? = nil
    ) throws -> Generation {
        let tls =
            isTLS
            ? try TLSClientContext(serverName: "localhost", trust: .anyone, isResuming: false) : nil
        let words = SharedWords(count: AcceptedSteps.wordCount(records: 4))
        let signingKey = try SigningKey.generate()
        let digest = try Self.digest(Self.key)
        let state = try GateState(
            configuration, keys: CredentialTable([.init(digest: digest, agent: 0)]),
            seeds: [
                AgentSeeds(
                    try .generate(
                        parameters: TOTPParameters(algorithm: .sha1, digits: 6, periodSeconds: 30)))
            ],
            signingKey: signingKey,
            steps: AcceptedSteps(words), after: previous?.state)
        let identity = ThrowAwayIdentity.ecdsa
        let certificate = Array(identity.certificate.utf8)
        let secret = Array(identity.key.utf8)
        return Generation(
            configuration, state: state,
            tls: try TLSServerContext(certificate: certificate.span, key: secret.span),
            jwks: try JWKS(keys: [PublicJWK(signingKey)]),
            upstreams: configuration.upstreams.map { rules in
                let endpoints = rules.endpoints.map {
                    Endpoint(
                        EndpointIdentity(upstream: rules.name, url: $0, trust: nil),
                        tls: tls, troubles: troubles)
                }
                return Upstream(rules, endpoints: endpoints, workers: 1, troubles: troubles)
            }, after: previous)
    }

    private static func digest(_ key: String) throws -> SHA256Digest {
        let bytes = Array(key.utf8)
        var hasher = try Hasher256()
        return hasher.digest(bytes.span)
    }

    private static func configuration(
        _ upstream: String, _ limits: String, routes: String
    ) throws -> Configuration {
        let hash = String(repeating: "0", count: 64)
        let policy = """
            { "agentport": 1,
              "listen": { "limits": \(limits) },
              "upstreams": [ { "name": "u", "endpoints": ["\(upstream)"] } ],
              "agents": [ { "name": "weather", "api_key_sha256": ["\(hash)"],
                            "totp": { "seed_file": "a" } } ],
              "routes": [ \(routes) ] }
            """
        var files = FakeFiles.policy(policy)
        files.files["/etc/agentport/a"] = ("x", 0o400)
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: "/etc/agentport/policy.json", files: files)
        return try #require(outcome.configuration, "\(outcome.faults)")
    }

    /// The code of the agent's seed for now.
    func code() throws -> String {
        let seed = gateway.generation.state.seeds[0].current
        return try seed.code(
            step: seed.parameters.step(atSeconds: Clock.wallNanoseconds() / 1_000_000_000))
    }

    /// Puts the filter that holds in the place of another; what it says from now on.
    func hold(_ verdict: Verdict, at position: Int? = nil) {
        if let position { worker.context.chain.order[position] = .hold }
        worker.context.chain.hold = verdict
    }

    // MARK: Memory

    struct Hoarded: ~Copyable {
        var buffer = Buffer()
    }

    /// Takes all slabs that connections could have, but for so many.
    func takeMemory(leaving count: Int) {
        let bound = WorkerContext.slabsMax
        while worker.context.pool.lent < bound - count, let index = hoard.insert(Hoarded()) {
            _ = hoard[index].buffer.attach(from: &worker.context.pool)
        }
    }

    func returnMemory() {
        for index in 0..<hoard.indexEnd where hoard.isOccupied(index) {
            hoard[index].buffer.release(to: &worker.context.pool)
            _ = hoard.remove(at: index)
        }
    }

    // MARK: Moving on

    /// Lets the worker take turns, and all peers read and write, until `isDone` or for 3 s.
    @discardableResult
    func run(_ client: HouseClient, until isDone: () -> Bool) -> Bool {
        let end = Clock.monotonicNanoseconds() + 3_000_000_000
        while !isDone() {
            guard Clock.monotonicNanoseconds() < end else { return false }
            step(client)
        }
        return true
    }

    /// One turn, in which all that has come so far is found at once.
    func turn() { worker.turn(atMost: 1) }

    /// Lets everything happen that is under way.
    func settle(_ client: HouseClient, turns: Int = 12) {
        for _ in 0..<turns { step(client) }
    }

    private func step(_ client: HouseClient) {
        client.exchange()
        worker.turn(atMost: 1)
        acceptUpstream()
        if reads { for peer in upstreamSockets { peer.receive() } }
    }

    private func acceptUpstream() {
        var from = SocketAddress.none
        if case .connection(let socket) = upstream.accept(from: &from) {
            if hangsUp { hangUps += 1 } else { upstreamSockets.append(Peer(socket)) }
        }
    }

    func connect() throws -> HouseClient {
        let client = try HouseClient(Socket.connect(to: address))
        try #require(run(client) { client.isConnected })
        return client
    }

    // MARK: The upstream

    /// All that has come on all connections to the upstream.
    var upstreamSaw: String { upstreamSockets.map { $0.received.text }.joined() }
    var upstreamConnections: Int { upstreamSockets.count }

    func answer(_ text: String = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") {
        upstreamSockets.last?.send(Array(text.utf8))
    }

    /// Sends FIN on all of them.
    func endUpstreamConnections() {
        for peer in upstreamSockets { peer.finishWriting() }
    }

    /// Answers on each connection on which a request has come since the last time.
    func answerEach() {
        for peer in upstreamSockets where peer.take().text.hasSuffix("\r\n\r\n") {
            peer.send(Array("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".utf8))
        }
    }
}

/// One end of a connection, with all that has come.
final class Peer {
    private let socket: Socket
    private var pool = SlabPool(bound: 1)
    private var buffer = Buffer()
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false

    init(_ socket: consuming Socket) {
        self.socket = socket
        _ = buffer.attach(from: &pool)
    }

    deinit { buffer.release(to: &pool) }

    func receive() {
        guard !hasEnded else { return }
        buffer.clear()
        switch socket.receive(into: &buffer) {
        case .bytes: received += Self.array(buffer)
        case .wouldBlock: break
        case .end, .failed: hasEnded = true
        }
    }

    func take() -> [UInt8] {
        defer { received = [] }
        return received
    }

    func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let span = bytes.span
        guard case .bytes(let count) = socket.send(span), count == bytes.count else {
            Issue.record("a short write")
            return
        }
    }

    func finishWriting() { socket.finishWriting() }

    private static func array(_ buffer: borrowing Buffer) -> [UInt8] { buffer.readable.array }
}

/// A client that speaks TLS.
final class HouseClient {
    private let peer: Peer
    private let tls: TLSClient
    private(set) var answer = ""

    init(_ socket: consuming Socket) throws {
        peer = Peer(socket)
        tls = try TLSClient(protocols: ["http/1.1"], resuming: nil, offersTLS12Alone: false)
    }

    var isConnected: Bool { tls.isConnected }
    var hasEnded: Bool { peer.hasEnded }
    /// The answer's first line.
    var status: Int? {
        let parts = answer.split(separator: " ")
        return parts.count > 1 ? Int(parts[1]) : nil
    }

    func exchange() {
        peer.receive()
        tls.feed(peer.take())
        if tls.isConnected { answer += tls.read().text } else { tls.handshake() }
        peer.send(tls.takeOutput())
    }

    func send(_ text: String) { peer.send(tls.write(Array(text.utf8))) }

    /// All of the text's records but the last bytes, which can follow.
    func sendPart(_ text: String, leaving count: Int) -> [UInt8] {
        let records = tls.write(Array(text.utf8))
        peer.send(Array(records.dropLast(count)))
        return Array(records.suffix(count))
    }

    func send(sealed bytes: [UInt8]) { peer.send(bytes) }

    func close() {
        peer.send(tls.close())
        peer.finishWriting()
    }

    /// Says that no more will come, and listens on.
    func sayFarewell() { peer.send(tls.close()) }

    /// Ends the connection without a farewell.
    func cutOff() { peer.finishWriting() }

    func forget() { answer = "" }
}

struct HouseFault: Error {}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
