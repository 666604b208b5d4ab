// SPDX-License-Identifier: Apache-2.0

import Policy

/// A file system that is a dictionary.
package struct FakeFiles: FileReading {
    package var files: [String: (text: String, mode: UInt32)] = [:]
    package var faults: [String: FileFault] = [:]
    package var writable: Set<String> = []

    package init() {}

    /// The three secrets of the Compose service, and a state directory.
    package static var compose: FakeFiles {
        var files = FakeFiles()
        for name in ["totp_seed", "tls_cert", "tls_key"] {
            files.files["/run/secrets/\(name)"] = ("x", 0o400)
        }
        files.writable = ["/var/lib/agentport"]
        return files
    }

    /// With a policy at `/etc/agentport/policy.json` and the seeds `a` and `b`.
    package static func policy(_ text: String) -> FakeFiles {
        var files = compose
        files.files["/etc/agentport/policy.json"] = (text, 0o644)
        files.files["/run/secrets/a"] = ("x", 0o400)
        files.files["/run/secrets/b"] = ("x", 0o400)
        return files
    }

    package func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        _ = try status(of: path)
        let bytes = Array((files[path]?.text ?? "").utf8)
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        return bytes
    }

    package func status(of path: String) throws(FileFault) -> FileStatus {
        if let fault = faults[path] { throw fault }
        guard let file = files[path] else { throw .notFound }
        return FileStatus(mode: file.mode, size: file.text.utf8.count)
    }

    package func isWritableDirectory(_ path: String) -> Bool { writable.contains(path) }
}

extension ConfigurationOutcome {
    package var configuration: Configuration? {
        if case .valid(let configuration, _) = self { configuration } else { nil }
    }

    package var faults: [String] {
        if case .invalid(let faults, _) = self { faults.map(\.description) } else { [] }
    }

    package var warnings: [String] {
        switch self {
        case .valid(_, let warnings), .invalid(_, let warnings): warnings.map(\.description)
        }
    }
}
