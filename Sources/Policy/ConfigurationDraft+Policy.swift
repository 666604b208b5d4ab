// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// The policy file as a whole, and its small sections.
extension ConfigurationDraft {
    private static let sections = [
        "agentport", "listen", "admin", "upstreams", "issuer", "oauth", "agents", "totp",
        "sessions", "filters", "routes", "drain",
    ]
    private static let sectionsNotBuilt = ["people", "tools", "tools_default"]

    /// False where the text is no JSON object: nothing else can be said of it then.
    mutating func readPolicy(_ file: Configuration.PolicyFile) -> Bool {
        policy = file
        configuration.policy = file
        let value: JSONValue
        do {
            value = try JSONReader.read(file.bytes.span, dialect: .policy)
        } catch {
            let position = TextPosition(of: error.offset, in: file.bytes.span)
            fault(
                .policy(file: file.path, position: position, pointer: error.pointer),
                error.reason.description)
            return false
        }
        let root = PolicyNode(value)
        guard let sections = object(root, known: Self.sections, notBuilt: Self.sectionsNotBuilt)
        else { return false }
        places.root = root
        readVersion(sections["agentport"], root)
        if let node = sections["listen"] { readListen(node) }
        if let node = sections["admin"] { readAdmin(node) }
        readUpstreams(sections["upstreams"])
        if let node = sections["issuer"] { readIssuer(node) }
        // Issuers before agents, which name them.
        if let node = sections["oauth"] { readOAuth(node) }
        if let node = sections["agents"] { readAgents(node) }
        if let node = sections["totp"] { readTOTP(node) }
        if let node = sections["sessions"] { readSessions(node) }
        // Routes before filters: the chain that is taken by default depends on them.
        readRoutes(sections["routes"], root)
        readFilters(sections["filters"])
        if let node = sections["drain"] { readDrain(node) }
        return true
    }

    private mutating func readVersion(_ node: PolicyNode?, _ root: PolicyNode) {
        guard let node else {
            fault(root, "the format's version is missing: write `\"agentport\": 1`")
            return
        }
        guard node.value.integer == 1 else {
            fault(node, "must be 1, the only version of the format there is")
            return
        }
    }

    private mutating func readAdmin(_ node: PolicyNode) {
        guard let admin = object(node, known: ["address", "token_file"]) else { return }
        take(admin["token_file"], .adminToken, \.adminTokenPath) { $0.path($1) }
        take(admin["address"], .adminAddress, \.admin) { draft, node in
            guard let text = draft.string(node) else { return nil }
            switch Configuration.Admin.parse(text) {
            case .success(let value): return value
            case .failure(let fault):
                draft.fault(node, fault.reason)
                return nil
            }
        }
    }

    private mutating func readIssuer(_ node: PolicyNode) {
        let known = [
            "name", "audience", "algorithm", "lifetime", "reuse", "legacy_header", "rotate_every",
        ]
        guard let issuer = object(node, known: known) else { return }
        take(issuer["algorithm"], .issuerAlgorithm, \.issuer.algorithm) {
            $0.choice($1, of: Configuration.IssuerAlgorithm.self)
        }
        take(issuer["rotate_every"], .issuerRotation, \.issuer.rotateEveryMilliseconds) {
            $0.duration($1, in: Bounds.rotateEvery).map { .some($0) }
        }
        take(issuer["name"], .issuerName, \.issuer.name) { $0.claim($1) }
        take(issuer["audience"], .issuerAudience, \.issuer.audience) { $0.claim($1) }
        take(issuer["lifetime"], .issuerLifetime, \.issuer.lifetimeMilliseconds) {
            $0.wholeSeconds($1, in: Bounds.tokenLifetime)
        }
        take(issuer["reuse"], .issuerReuse, \.issuer.reuse) { $0.bool($1) }
        take(issuer["legacy_header"], .issuerLegacyHeader, \.issuer.legacyHeader) { $0.bool($1) }
    }

    private mutating func readTOTP(_ node: PolicyNode) {
        let known = [
            "skew", "one_time", "max_failures", "lockout", "disable_after", "rotation_grace",
        ]
        guard let totp = object(node, known: known) else { return }
        take(totp["rotation_grace"], .totpRotationGrace, \.totp.rotationGraceMilliseconds) {
            $0.duration($1, in: Bounds.rotationGrace)
        }
        take(totp["skew"], .totpSkew, \.totp.skew) { $0.integer($1, in: Bounds.skew) }
        take(totp["one_time"], .totpOneTime, \.totp.oneTime) { $0.bool($1) }
        take(totp["max_failures"], .totpMaxFailures, \.totp.maxFailures) {
            $0.integer($1, in: Bounds.maxFailures)
        }
        take(totp["lockout"], .totpLockout, \.totp.lockoutMilliseconds) {
            $0.duration($1, in: Bounds.lockout)
        }
        take(totp["disable_after"], .totpDisableAfter, \.totp.disableAfter) {
            $0.integer($1, in: Bounds.disableAfter)
        }
    }

    private mutating func readSessions(_ node: PolicyNode) {
        guard let sessions = object(node, known: ["enabled", "lifetime", "bind"]) else { return }
        take(sessions["enabled"], .sessionsEnabled, \.sessions.enabled) { $0.bool($1) }
        take(sessions["lifetime"], .sessionsLifetime, \.sessions.lifetimeMilliseconds) {
            $0.duration($1, in: Bounds.sessionLifetime)
        }
        take(sessions["bind"], .sessionsBind, \.sessions.bindAddress) { draft, node in
            guard let items = draft.items(node, max: 2) else { return nil }
            let names = items.compactMap { draft.choice($0, of: SessionBinding.self) }
            if Set(names).count < names.count { draft.fault(node, "the same name twice") }
            return names.contains(.clientAddress)
        }
    }

    private mutating func readDrain(_ node: PolicyNode) {
        guard let drain = object(node, known: ["grace", "deadline"]) else { return }
        take(drain["grace"], .drainGrace, \.drain.graceMilliseconds) {
            $0.duration($1, in: Bounds.drainGrace)
        }
        take(drain["deadline"], .drainDeadline, \.drain.deadlineMilliseconds) {
            $0.duration($1, in: Bounds.drainDeadline)
        }
    }
}

/// A session is bound to its agent whether the list says so or not.
private enum SessionBinding: String, CaseIterable {
    case agent
    case clientAddress = "client_address"
}

extension Configuration.Admin {
    package struct Fault: Error {
        package let reason: String
    }

    /// `host:port`, `unix:/path` or `off`.
    package static func parse(_ text: String) -> Result<Configuration.Admin, Fault> {
        if text == "off" { return .success(.off) }
        if text.hasPrefix(SocketPathText.scheme) {
            do {
                return .success(.unix(path: try SocketPathText.parse(text)))
            } catch {
                return .failure(Fault(reason: error.reason))
            }
        }
        guard let address = SocketAddressText(binding: text) else {
            return .failure(
                Fault(
                    reason: "must be an address and a port, as in `127.0.0.1:9901`, "
                        + "or `unix:/path`, or `off`"))
        }
        return .success(.tcp(address))
    }
}

extension SocketAddressText {
    /// An address to listen on. A name would have to be resolved, so only `localhost` is known.
    init?(binding text: String) {
        guard let value = SocketAddressText(text) else { return nil }
        if value.host == "localhost" {
            self.init(address: IPAddress(ipv4: 0x7F00_0001), port: value.port)
        } else if value.address != nil {
            self = value
        } else {
            return nil
        }
    }
}
