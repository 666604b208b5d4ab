// SPDX-License-Identifier: Apache-2.0

import Policy
import Reactor

/// The file system as the configuration's loader asks for it.
struct DiskFiles: FileReading {
    func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        // First: a named pipe would keep the start waiting.
        guard try regular(path, limit: limit).size <= limit else { throw .tooLarge(limit: limit) }
        do {
            return try Files.read(path, limit: limit).bytes
        } catch {
            throw FileFault(error, limit: limit)
        }
    }

    func status(of path: String) throws(FileFault) -> FileStatus {
        let status = try regular(path, limit: 0)
        return FileStatus(mode: status.mode, size: status.size)
    }

    func isWritableDirectory(_ path: String) -> Bool {
        // The path with `/.` exists for folders alone; `access` asks only for rights.
        Files.exists(path + "/.") && Files.isWritableFolder(path)
    }

    private func regular(_ path: String, limit: Int) throws(FileFault) -> Files.Status {
        let status: Files.Status
        do {
            status = try Files.status(of: path)
        } catch {
            throw FileFault(error, limit: limit)
        }
        guard status.isRegular else { throw .notAFile }
        return status
    }
}

extension FileFault {
    /// - Parameter limit: how much was to be read, for a file that is larger.
    init(_ error: SystemError, limit: Int) {
        self =
            switch error.kind {
            case .notFound: .notFound
            case .notPermitted: .notPermitted
            case .isFolder: .notAFile
            case .tooLarge: .tooLarge(limit: limit)
            case .exists, .exhausted, .other: .other(error.reason)
            }
    }
}
