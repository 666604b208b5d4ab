// SPDX-License-Identifier: Apache-2.0

import CBenchmarks
import Reactor

/// What a row is run by.
package enum PeerProgram: String {
    case floor, nginx, haproxy, envoy, h2o, agentport

    /// Says where Envoy is, which few have in their `PATH`.
    static let envoyVariable = "BENCHMARKS_ENVOY"

    /// Whether it needs somebody to install it.
    package var isForeign: Bool { self != .floor && self != .agentport }

    /// - Parameter envoy: where the command line says that Envoy is.
    /// - Returns: `nil` where it is not installed.
    func path(envoy: String?) -> String? {
        switch self {
        case .floor:
            let own = Process.executable
            let folder = own.lastIndex(of: "/").map { own[...$0] } ?? ""
            return Files.exists(folder + rawValue) ? folder + rawValue : nil
        case .envoy:
            let named = envoy ?? Process.environment()[Self.envoyVariable]
            guard let named else { return SearchPath.find(rawValue) }
            return Files.exists(named) ? named : nil
        case .nginx, .haproxy, .h2o: return SearchPath.find(rawValue)
        case .agentport: return nil
        }
    }

    /// The first line of what it says of its version.
    func version(_ path: String) throws(BenchmarkFault) -> String {
        let folder = try TemporaryFolder()
        let word = self == .envoy ? "--version" : "-v"
        let child = try Child([path, word], output: folder.file("version"), core: nil)
        child.wait(milliseconds: 5000)
        child.end(milliseconds: 0)
        let lines = folder.text("version").split(separator: "\n")
        let line = lines.first { !$0.allSatisfy { $0 == " " } } ?? "says no version"
        // Envoy's begins with its path, and HAProxy's ends with an address.
        let parts = line.split(separator: " ").filter { $0 != "-" && !$0.contains("://") }
        return parts.map { $0.contains(path) ? rawValue : String($0) }.joined(separator: " ")
    }

    /// The words behind the program's path.
    ///
    /// - Parameter configuration: its file.
    func arguments(_ configuration: String) -> [String] {
        switch self {
        case .floor, .agentport: []
        case .nginx: ["-c", configuration]
        // In the foreground.
        case .haproxy: ["-db", "-f", configuration]
        // One worker; no process that would take over from another.
        case .envoy:
            ["-c", configuration, "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
        case .h2o: ["-m", "worker", "-c", configuration]
        }
    }

    /// What tells a master that was started by root whom its workers are to be: they write in a
    /// folder that is this user's alone.
    var userLine: String {
        guard cb_is_root() == 1 else { return "" }
        return self == .nginx ? "user root;" : "user: root"
    }
}
