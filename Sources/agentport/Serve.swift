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
        do {
            let beginning = try Beginning(configuration)
            let assembly = try Assembly(beginning)
            assembly.succession.allowReloads(flags: flags, environment: environment)
            return try serve(
                assembly, beginning.configuration, warnings + beginning.warnings, beginning.made)
        } catch let faults as ConfigurationFaults {
            for fault in faults.list { Console.complain("agentport: \(fault)") }
            return 1
        } catch {
            Console.complain("agentport: \(error)")
            return 1
        }
    }
}

private func serve(
    _ assembly: Assembly, _ configuration: Configuration, _ warnings: [ConfigurationFault],
    _ made: [Secrets.MadeFile]
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
    for file in made {
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
