// SPDX-License-Identifier: Apache-2.0

/// Runs the embedded default until it is told to end.
///
/// - Parameters:
///   - port: the listener's, on loopback; `nil` for the usual one.
///   - upstream: a URL in place of the sample upstream.
/// - Returns: the exit status.
func runDev(port: UInt16?, upstream: String?) -> Int32 {
    Console.complain("agentport dev: not wired")
    return 70
}
