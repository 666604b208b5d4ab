// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Where programs are looked for.
enum SearchPath {
    /// Servers lie where ordinary users' `PATH` does not look.
    private static let always = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin"]

    /// - Returns: the first of this name, in the order of `PATH`.
    static func find(_ name: String) -> String? {
        let named = Process.environment()["PATH"] ?? ""
        let folders = named.split(separator: ":").map(String.init) + always
        return folders.lazy.map { $0 + "/" + name }.first { Files.exists($0) }
    }
}
