// SPDX-License-Identifier: Apache-2.0

import Policy
import Reactor
import Telemetry

/// Runs the gateway until it is told to end.
///
/// - Parameter flags: the settings of the command line; each hides its environment variable.
/// - Returns: the exit status.
func runServe(flags: [EnvironmentVariable: String]) -> Int32 {
    Process.forbidDumps()
    let outcome = ConfigurationLoader.load(
        environment: Process.environment(), flags: flags, files: DiskFiles())
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
            return serve(configuration, secrets, warnings: warnings + more)
        }
    }
}

private func serve(
    _ configuration: Configuration, _ secrets: Secrets, warnings: [ConfigurationFault]
) -> Int32 {
    do {
        let assembly = try Assembly(configuration, secrets)
        for warning in warnings { assembly.warn("\(warning)") }
        if configuration.issuer.legacyHeader {
            assembly.warn(
                "issuer.legacy_header is deprecated: upstreams should read x-agentport-jwt")
        }
        for file in secrets.made {
            assembly.log(.info, "made", [("content", file.content), ("path", file.path)])
        }
        try assembly.run {
            assembly.log(
                .info, "started",
                [
                    ("version", Version.current), ("listen", "\(configuration.listen.address)"),
                    ("mode", configuration.mode.rawValue),
                ])
        }
        return 0
    } catch {
        Console.complain("agentport: \(error)")
        return 1
    }
}
