// SPDX-License-Identifier: Apache-2.0

import Gateway
import Policy
import Reactor
import Telemetry

extension Gateway {
    /// Writes a line of the process, if the log level wants it.
    func log(_ level: LogLevel, _ message: String, _ facts: [(String, String)] = []) {
        let name = generation.configuration.logLevel.rawValue
        guard let least = LogLevel(name: name), level >= least else { return }
        write(level, message, facts, isAudit: false)
    }

    /// Writes a line that is wanted whatever the log level.
    func audit(_ level: LogLevel, _ message: String, _ facts: [(String, String)] = []) {
        write(level, message, facts, isAudit: true)
    }

    private func write(
        _ level: LogLevel, _ message: String, _ facts: [(String, String)], isAudit: Bool
    ) {
        var line = SystemLine(level, message, at: Clock.wallNanoseconds(), audit: isAudit)
        for (key, value) in facts { line.add(key, value) }
        write(line)
    }
}
