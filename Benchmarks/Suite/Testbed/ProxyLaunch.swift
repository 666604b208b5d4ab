// SPDX-License-Identifier: Apache-2.0

/// How a proxy is started, with all its files in place.
struct ProxyLaunch {
    /// The program's path, then its arguments.
    let words: [String]
    let environment: [String: String]
    /// A file, often that of the log.
    let output: String
    /// What it complains of.
    let errors: String
    /// Kept as long as the proxy runs, where it is its alone.
    var folder: TemporaryFolder?
}
