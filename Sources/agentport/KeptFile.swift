// SPDX-License-Identifier: Apache-2.0

import Crypto
import Policy
import Reactor

/// Secrets that the gateway makes for itself at its first start, and keeps in the state directory.
enum KeptFile {
    private static let ownerOnly: UInt32 = 0o600

    struct Fault: Error {
        let reason: String
    }

    /// An empty file is what a power cut leaves of one that was not synced yet: none.
    static func isThere(_ path: String) -> Bool {
        guard Files.exists(path) else { return false }
        return (try? DiskFiles().status(of: path))?.size != 0
    }

    static func warning(of path: String) -> ConfigurationFault? {
        guard let status = try? DiskFiles().status(of: path), status.isReadableByOthers else {
            return nil
        }
        return ConfigurationFault(
            .file(path), "this secret is readable by every user: take the right away (chmod o-r)")
    }

    /// Synced once the gateway listens: a disk takes longer for it than all the rest of the start
    /// (see Assembly.syncMade).
    static func make(
        _ path: String, content: String, text: String
    ) throws(Fault) -> Secrets.MadeFile {
        var bytes = Array(text.utf8)
        defer { bytes.wipe() }
        do throws(SystemError) {
            try Files.replace(path, with: bytes.span, mode: ownerOnly, isSynced: false)
        } catch {
            throw Fault(reason: "cannot be written: \(error.reason)")
        }
        return Secrets.MadeFile(content: content, path: path)
    }
}
