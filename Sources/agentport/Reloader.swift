// SPDX-License-Identifier: Apache-2.0

import Control
import Filters
import Gateway
import Policy
import Reactor
import Telemetry

/// Loads the configuration and its secrets anew, and lets the gateway go on with them; a fault in
/// either changes nothing.
final class Reloader {
    /// More lines would say no more.
    private static let faultsMax = 20

    private let gateway: Gateway
    private let maker: GenerationMaker
    private let report: ProcessReport
    private let flags: [EnvironmentVariable: String]
    private let environment: [String: String]
    /// What the listeners and tables were made for, which only a start can change.
    private let started: Configuration
    private var watch: FileWatch
    /// What held before the last reload, until all workers have gone on.
    private var left: GateState?

    init(
        _ gateway: Gateway, _ maker: GenerationMaker, _ report: ProcessReport,
        flags: [EnvironmentVariable: String],
        environment: [String: String]
    ) {
        self.gateway = gateway
        self.maker = maker
        self.report = report
        self.flags = flags
        self.environment = environment
        started = gateway.generation.configuration
        watch = FileWatch(paths: started.files)
    }

    /// Called once a second: reloads where files were replaced.
    ///
    /// - Returns: whether there is a new generation.
    func look() -> Bool {
        if let left {
            // Workers that had not gone on yet may have let somebody in.
            self.left = nil
            _ = gateway.generation.state.endSessions(of: left)
        }
        return watch.look() && reload("files were replaced")
    }

    /// - Returns: whether there is a new generation.
    @discardableResult
    func reload(_ cause: String) -> Bool {
        let outcome = ConfigurationLoader.load(
            environment: environment, flags: flags, files: DiskFiles())
        guard case .valid(let configuration, let warnings) = outcome else {
            if case .invalid(let faults, _) = outcome { tell(faults, cause) }
            return false
        }
        let previous = gateway.generation
        let kept = Secrets.Kept(signingKey: previous.state.signingKey, tls: previous.tls)
        switch Secrets.load(configuration, for: .serving, keeping: kept) {
        case .refused(let faults, _):
            tell(faults, cause)
            return false
        case .loaded(let secrets, let more):
            return goOn(with: configuration, secrets, cause, warnings + more)
        }
    }

    private func goOn(
        with configuration: Configuration, _ secrets: Secrets, _ cause: String,
        _ warnings: [ConfigurationFault]
    ) -> Bool {
        let previous = gateway.generation
        do {
            let generation = try maker.make(configuration, secrets, after: previous)
            gateway.publish(generation)
            left = previous.state
            let ended = generation.state.endSessions(of: previous.state)
            report.countReload(isDone: true)
            watch = FileWatch(paths: configuration.files, after: watch)
            for warning in warnings { gateway.log(.warn, "\(warning)") }
            for setting in configuration.settingsOfAStart(unlike: started) {
                gateway.log(
                    .warn, "a change that takes effect at the next start", [("setting", setting)])
            }
            gateway.audit(
                .info, "configuration reloaded",
                [
                    ("cause", cause), ("policy", configuration.policy?.path ?? "none"),
                    ("sessions_ended", "\(ended)"),
                ])
            return true
        } catch {
            report.countReload(isDone: false)
            gateway.audit(
                .error, "reload failed, nothing was changed",
                [("cause", cause), ("reason", "\(error)")])
            return false
        }
    }

    private func tell(_ faults: [ConfigurationFault], _ cause: String) {
        report.countReload(isDone: false)
        for fault in faults.prefix(Self.faultsMax) {
            gateway.audit(
                .error, "reload failed, nothing was changed",
                [("cause", cause), ("reason", "\(fault)")])
        }
    }
}

extension Configuration {
    /// Every file that it was made of.
    fileprivate var files: [String] {
        var paths = [listen.certificatePath, listen.keyPath, secretsDirectory + "/signing_key"]
        if let policy { paths.append(policy.path) }
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
