// SPDX-License-Identifier: Apache-2.0

/// What is asked of the file system: directories, the policy, and whether secrets are there.
extension ConfigurationDraft {
    mutating func settleDirectories(_ settings: EnvironmentSettings, _ files: some FileReading) {
        if let entry = settings[.secretsDirectory] {
            set(
                .secretsDirectory, \.secretsDirectory,
                to: PathText.resolve(entry.text, besides: ""),
                from: entry.source, at: entry.place)
        }
        configuration.listen.certificatePath = secret("tls_cert")
        configuration.listen.keyPath = secret("tls_key")
        if let entry = settings[.stateDirectory] {
            let path = PathText.resolve(entry.text, besides: "")
            set(.stateDirectory, \.stateDirectory, to: path, from: entry.source, at: entry.place)
            if !files.isWritableDirectory(path) {
                fault(
                    entry.place,
                    "\(Printable.quoted(path)) is no directory that can be written to: mount one "
                        + "(and, where there is no state, an `api_key` secret)")
            }
        } else if files.isWritableDirectory(ConfigurationLoader.defaultStateDirectory) {
            configuration.stateDirectory = ConfigurationLoader.defaultStateDirectory
        }
    }

    /// The policy that is asked for, or the one at the usual place where there is one.
    mutating func policyPath(_ settings: EnvironmentSettings, _ files: some FileReading) -> String?
    {
        if let entry = settings[.policy] {
            note(.policyFile, from: entry.source, at: entry.place)
            return entry.text
        }
        do {
            _ = try files.status(of: ConfigurationLoader.defaultPolicyPath)
        } catch {
            // One that is there but cannot be read must not be passed over.
            if error == .notFound { return nil }
        }
        return ConfigurationLoader.defaultPolicyPath
    }

    mutating func readPolicy(_ path: String, _ files: some FileReading) -> Bool {
        do {
            let bytes = try files.read(path, limit: Bounds.policyBytesMax)
            return readPolicy(Configuration.PolicyFile(path: path, bytes: bytes))
        } catch {
            // Not `nil` from here on: a policy is asked for, so the rules without one do not hold.
            policy = Configuration.PolicyFile(path: path, bytes: [])
            fault(.file(path), error.description)
            return false
        }
    }

    /// Without a policy there is one agent, whose secrets lie in the secrets directory.
    mutating func addDefaultAgent(_ files: some FileReading) {
        let path = secret("api_key")
        var keys = Configuration.AgentKeys.apiKeyFromSecret(path: path)
        do {
            _ = try files.status(of: path)
        } catch {
            if error == .notFound {
                keys = .madeAtFirstStart
                if configuration.stateDirectory == nil {
                    fault(
                        .file(path),
                        "no such file, and no writable state directory to keep a "
                            + "key in: mount one of the two")
                }
            }
        }
        configuration.agents = [
            Configuration.Agent(
                name: "default", keys: keys,
                totp: Configuration.AgentTOTP(seedPath: secret("totp_seed")))
        ]
    }

    /// Where the policy names no token, the secret of the usual name is it, if there is one.
    mutating func settleAdminToken(_ files: some FileReading) {
        guard configuration.adminTokenPath == nil else { return }
        let path = secret("admin_token")
        do {
            _ = try files.status(of: path)
        } catch {
            // One that is there but cannot be read must not be passed over.
            if error == .notFound { return }
        }
        configuration.adminTokenPath = path
    }

    mutating func checkSecrets(_ files: some FileReading) {
        checkFile(
            configuration.listen.certificatePath, place(of: .certificate), isSecret: false, files)
        checkFile(configuration.listen.keyPath, place(of: .key), isSecret: true, files)
        let clients = configuration.listen.clientCertificates
        if let path = clients.authorityPath, clients.demand != .none {
            checkFile(path, place(of: .clientAuthority), isSecret: false, files)
        }
        for (index, agent) in configuration.agents.enumerated() {
            let node = places.seeds.indices.contains(index) ? places.seeds[index] : nil
            guard let reason = complaint(agent.totp.seedPath, isSecret: true, files) else {
                continue
            }
            // A place is counted from the top of the file: not for thousands of agents in vain.
            fault(agent.totp.seedPath, node.map { place(of: $0) }, reason)
        }
        for agent in configuration.agents {
            if case .apiKeyFromSecret(let path) = agent.keys {
                checkFile(path, nil, isSecret: true, files)
            }
        }
        for (upstream, node) in zip(configuration.upstreams, places.upstreams) {
            guard let path = upstream.tls.authorityPath, let node = node.member("tls", "ca") else {
                continue
            }
            checkFile(path, place(of: node), isSecret: false, files)
        }
        for name in ["signing_key", "state_key"] {
            checkFile(secret(name), nil, isSecret: true, isOptional: true, files)
        }
        if let path = configuration.adminTokenPath {
            checkFile(path, place(of: .adminToken), isSecret: true, files)
        }
    }

    /// The fault stands at `place`, where the path was given, or else under the file's own name.
    private mutating func checkFile(
        _ path: String, _ place: ConfigurationFault.Place?, isSecret: Bool,
        isOptional: Bool = false, _ files: some FileReading
    ) {
        let reason = complaint(path, isSecret: isSecret, isOptional: isOptional, files)
        if let reason { fault(path, place, reason) }
    }

    private mutating func fault(
        _ path: String, _ place: ConfigurationFault.Place?, _ reason: String
    ) {
        guard let place else { return fault(.file(path), reason) }
        fault(place, "\(Printable.quoted(path)): \(reason)")
    }

    /// What is wrong with a file; `nil` for nothing.
    private mutating func complaint(
        _ path: String, isSecret: Bool, isOptional: Bool = false, _ files: some FileReading
    ) -> String? {
        do {
            let status = try files.status(of: path)
            if isSecret, status.isReadableByOthers {
                warn(
                    .file(path),
                    "this secret is readable by every user: take the right away (chmod o-r)")
            }
            return status.size == 0 ? "the file is empty" : nil
        } catch {
            return isOptional && error == .notFound ? nil : error.description
        }
    }

    private func secret(_ name: String) -> String {
        configuration.secretsDirectory + "/" + name
    }
}
