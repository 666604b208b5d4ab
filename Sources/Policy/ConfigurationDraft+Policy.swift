// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// The policy file as a whole, and its small sections.
extension ConfigurationDraft {
    private static let form = PolicyForm.object(RootKeys())

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
        guard let sections = Self.form.read(&self, root) else { return false }
        places.root = root
        readVersion(sections.version, root)
        if let listen = read(sections.listen) { readListen(listen) }
        if let admin = read(sections.admin) { readAdmin(admin) }
        readUpstreams(sections.upstreams)
        if let issuer = read(sections.issuer) { readIssuer(issuer) }
        // Issuers before agents, which name them.
        readOAuth(sections.oauth)
        readAgents(sections.agents)
        if let totp = read(sections.totp) { readTOTP(totp) }
        if let sessions = read(sections.sessions) { readSessions(sessions) }
        // Routes before filters: the chain that is taken by default depends on them.
        readRoutes(sections.routes)
        readFilters(sections.filters)
        if let drain = read(sections.drain) { readDrain(drain) }
        return true
    }

    private mutating func readVersion(_ version: PolicyField<Int>, _ root: PolicyNode) {
        guard version.node != nil else {
            fault(root, "the format's version is missing: write `\"agentport\": 1`")
            return
        }
        _ = read(version)
    }

    private mutating func readAdmin(_ admin: PolicyObject<AdminKeys>) {
        take(admin.tokenFile, .adminToken, \.adminTokenPath)
        take(admin.address, .adminAddress, \.admin)
    }

    private mutating func readIssuer(_ issuer: PolicyObject<IssuerKeys>) {
        take(issuer.algorithm, .issuerAlgorithm, \.issuer.algorithm)
        take(issuer.rotateEvery, .issuerRotation, \.issuer.rotateEveryMilliseconds)
        take(issuer.name, .issuerName, \.issuer.name)
        take(issuer.audience, .issuerAudience, \.issuer.audience)
        take(issuer.lifetime, .issuerLifetime, \.issuer.lifetimeMilliseconds)
        take(issuer.reuse, .issuerReuse, \.issuer.reuse)
        take(issuer.legacyHeader, .issuerLegacyHeader, \.issuer.legacyHeader)
    }

    private mutating func readTOTP(_ totp: PolicyObject<TOTPKeys>) {
        take(totp.rotationGrace, .totpRotationGrace, \.totp.rotationGraceMilliseconds)
        take(totp.skew, .totpSkew, \.totp.skew)
        take(totp.oneTime, .totpOneTime, \.totp.oneTime)
        take(totp.maxFailures, .totpMaxFailures, \.totp.maxFailures)
        take(totp.lockout, .totpLockout, \.totp.lockoutMilliseconds)
        take(totp.disableAfter, .totpDisableAfter, \.totp.disableAfter)
    }

    private mutating func readSessions(_ sessions: PolicyObject<SessionKeys>) {
        take(sessions.enabled, .sessionsEnabled, \.sessions.enabled)
        take(sessions.lifetime, .sessionsLifetime, \.sessions.lifetimeMilliseconds)
        if let items = read(sessions.bind), let node = sessions.bind.node {
            let bound = distinct(items, "name").map(\.value)
            set(
                .sessionsBind, \.sessions.bindAddress, to: bound.contains(.clientAddress),
                from: .policy, at: place(of: node))
        }
    }

    private mutating func readDrain(_ drain: PolicyObject<DrainKeys>) {
        take(drain.grace, .drainGrace, \.drain.graceMilliseconds)
        take(drain.deadline, .drainDeadline, \.drain.deadlineMilliseconds)
    }
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
