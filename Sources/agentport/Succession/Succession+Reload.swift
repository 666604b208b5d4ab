// SPDX-License-Identifier: Apache-2.0

import Control
import Gateway
import Policy
import Reactor
import TLS
import Telemetry

/// Files, read anew.
extension Succession {
    /// More lines would say no more.
    private static let faultsMax = 20

    /// What became of a reload.
    enum ReloadOutcome {
        case done(sessionsEnded: Int)
        /// At least one; nothing was changed.
        case refused([String])
    }

    /// Lets reloads read this environment and what it names.
    func allowReloads(flags: [EnvironmentVariable: String], environment: [String: String]) {
        let started = gateway.generation.configuration
        sources = Sources(
            flags: flags, environment: environment, started: started,
            watch: FileWatch(paths: started.files))
    }

    /// - Returns: whether there is a new generation.
    func reloadIfReplaced() -> Bool {
        guard sources?.watch.look() == true else { return false }
        if case .done = reload("files were replaced") { return true }
        return false
    }

    func reload(_ cause: String) -> ReloadOutcome {
        guard let sources else { return .refused(["there is nothing to reload here"]) }
        let outcome = ConfigurationLoader.load(
            environment: sources.environment, flags: sources.flags, files: DiskFiles())
        guard case .valid(let configuration, let warnings) = outcome else {
            if case .invalid(let faults, _) = outcome { return refuse(faults, cause) }
            return .refused([])
        }
        switch Secrets.load(configuration, for: .serving, after: gateway.generation.tls) {
        case .refused(let faults, _): return refuse(faults, cause)
        case .loaded(let secrets, let more):
            let settlement = Settlement(state, configuration, secrets, now: now)
            guard settlement.faults.isEmpty else { return refuse(settlement.faults, cause) }
            return goOn(
                with: configuration, secrets, settlement, cause,
                warnings + more + settlement.warnings)
        }
    }

    private func goOn(
        with configuration: Configuration, _ secrets: Secrets, _ settlement: Settlement,
        _ cause: String, _ warnings: [ConfigurationFault]
    ) -> ReloadOutcome {
        do {
            let ended = try goOn(
                with: configuration, secrets,
                keeping: settlement.hasChanged ? settlement.state : nil)
            noteReload(configuration, warnings)
            gateway.audit(
                .info, "configuration reloaded",
                [
                    ("cause", cause), ("policy", configuration.policy?.path ?? "none"),
                    ("sessions_ended", "\(ended)"),
                    ("shadow", configuration.inShadow.joined(separator: " ")),
                ])
            tell(settlement.events)
            return .done(sessionsEnded: ended)
        } catch {
            return refuse(["\(error)"], cause)
        }
    }

    private func noteReload(_ configuration: Configuration, _ warnings: [ConfigurationFault]) {
        report.countReload(isDone: true)
        loadedAt = Instant.read().wallMilliseconds
        if let before = sources {
            sources?.watch = FileWatch(paths: configuration.files, after: before.watch)
            for setting in configuration.settingsOfAStart(unlike: before.started) {
                gateway.log(
                    .warn, "a change that takes effect at the next start", [("setting", setting)])
            }
        }
        for warning in warnings { gateway.log(.warn, "\(warning)") }
    }

    private func refuse(_ faults: [ConfigurationFault], _ cause: String) -> ReloadOutcome {
        refuse(faults.map(\.description), cause)
    }

    private func refuse(_ reasons: [String], _ cause: String) -> ReloadOutcome {
        report.countReload(isDone: false)
        for reason in reasons.prefix(Self.faultsMax) {
            gateway.audit(
                .error, "reload failed, nothing was changed",
                [("cause", cause), ("reason", reason)])
        }
        return .refused(Array(reasons.prefix(Self.faultsMax)))
    }
}

extension Configuration {
    /// Every file that it was made of.
    fileprivate var files: [String] {
        var paths = [listen.certificatePath, listen.keyPath, secretsDirectory + "/signing_key"]
        if let policy { paths.append(policy.path) }
        if let adminTokenPath { paths.append(adminTokenPath) }
        paths += agents.map(\.totp.seedPath)
        for agent in agents {
            if case .apiKeyFromSecret(let path) = agent.keys { paths.append(path) }
        }
        if let path = listen.clientCertificates.authorityPath { paths.append(path) }
        paths += upstreams.compactMap(\.tls.authorityPath)
        return paths
    }

    /// What is set otherwise here and cannot be changed while the process runs.
    fileprivate func settingsOfAStart(unlike started: Configuration) -> [String] {
        var settings: [String] = []
        if listen.address != started.listen.address { settings.append("listen.address") }
        if admin != started.admin { settings.append("admin.address") }
        if listen.limits.connections > started.listen.limits.connections {
            settings.append("listen.limits.connections")
        }
        return settings
    }
}
