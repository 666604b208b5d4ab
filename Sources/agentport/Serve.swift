// SPDX-License-Identifier: Apache-2.0

import Policy

/// Runs the gateway until it is told to end.
///
/// - Parameter flags: the settings of the command line; each hides its environment variable.
/// - Returns: the exit status.
func runServe(flags: [EnvironmentVariable: String]) -> Int32 {
    Console.complain("agentport serve: not wired")
    return 70
}
