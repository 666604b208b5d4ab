// SPDX-License-Identifier: Apache-2.0

import Gateway
import Policy
import Reactor
import Telemetry

/// Runs the gateway until it is told to end.
///
/// - Parameter flags: the settings of the command line; each hides its environment variable.
/// - Returns: the exit status.
func runServe(flags: [EnvironmentVariable: String]) -> Int32 {
    Process.forbidDumps()
    let environment = Process.environment()
    let outcome = ConfigurationLoader.load(
        environment: environment, flags: flags, files: DiskFiles())
    switch outcome {
    case .invalid(let faults, _):
        for fault in faults { Console.complain("agentport: \(fault)") }
        return 1
    case .valid(let configuration, let warnings):
        switch Secrets.load(configuration, for: .serving) {
        case .refused(let faults, _):
            for fault in faults { Console.complain("agentport: \(fault)") }
            return 1
        case .loaded(let secrets, let more):
            do {
                let assembly = try Assembly(configuration, secrets)
                assembly.allowReloads(flags: flags, environment: environment)
                return try serve(assembly, configuration, warnings: warnings + more)
            } catch {
                Console.complain("agentport: \(error)")
                return 1
            }
        }
    }
}

private func serve(
    _ assembly: Assembly, _ configuration: Configuration, warnings: [ConfigurationFault]
) throws -> Int32 {
    let gateway = assembly.gateway
    for warning in warnings { gateway.log(.warn, "\(warning)") }
    let connections = gateway.generation.configuration.listen.limits.connections
    if connections < configuration.listen.limits.connections {
        gateway.log(
            .warn, "fewer connections than configured: the limit of open files is too low",
            [("connections", "\(connections)")])
    }
    if configuration.issuer.legacyHeader {
        gateway.log(
            .warn, "issuer.legacy_header is deprecated: upstreams should read x-agentport-jwt")
    }
    for file in assembly.made {
        gateway.log(.info, "made", [("content", file.content), ("path", file.path)])
    }
    try assembly.run {
        gateway.log(
            .info, "started",
            [
                ("version", Version.current), ("listen", "\(configuration.listen.address)"),
                ("mode", configuration.mode.rawValue),
            ])
    }
    return 0
}
