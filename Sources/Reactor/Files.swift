// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// Files, for start-up, reload and state: never called by a worker while it serves.
package enum Files {
    package struct Content: Sendable {
        package let bytes: [UInt8]
        /// Permission bits.
        package let mode: UInt32
    }

    /// The whole file; one beyond `limit` bytes is refused with `EFBIG`.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> Content {
        let number = unsafe cl_open(path, O_RDONLY, 0)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        var facts = stat()
        guard unsafe fstat(file.rawValue, &facts) == 0 else { throw SystemError("stat") }
        guard unsafe cl_is_directory(&facts) == 0 else { throw SystemError("read", number: EISDIR) }
        var bytes: [UInt8] = []
        // One byte more than the limit, so that a file that grows meanwhile is noticed too.
        let sizeHint = min(limit, max(0, Int(facts.st_size))) + 1
        bytes.reserveCapacity(sizeHint)
        var chunk = [UInt8](repeating: 0, count: min(sizeHint, 64 * 1024))
        while true {
            let count = readOnce(file.rawValue, &chunk)
            if count == 0 { break }
            guard count > 0 else {
                if cl_errno() == EINTR { continue }
                throw SystemError("read")
            }
            guard bytes.count + count <= limit else { throw SystemError("read", number: EFBIG) }
            bytes.append(contentsOf: chunk[..<count])
        }
        // What passed through may have been a secret.
        for index in chunk.indices { chunk[index] = 0 }
        return Content(bytes: bytes, mode: UInt32(facts.st_mode) & 0o7777)
    }

    private static func readOnce(_ number: Int32, _ chunk: inout [UInt8]) -> Int {
        // SAFETY: at most chunk.count bytes are written to the chunk.
        unsafe chunk.withUnsafeMutableBytes { region in
            unsafe CLinux.read(number, region.baseAddress, region.count)
        }
    }

    /// Writes beside the file, syncs, renames into place and syncs the folder: afterwards either
    /// the old content or the new one is there, whole, whatever happens.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32
    ) throws(SystemError) {
        try replace(path, with: bytes.span, mode: mode)
    }

    /// - Parameter isSynced: false leaves the syncing to a later ``sync(_:)``: the file survives a
    ///   kill at once, but until then a power cut may leave it missing or empty.
    package static func replace(
        _ path: String, with bytes: borrowing Span<UInt8>, mode: UInt32, isSynced: Bool = true
    ) throws(SystemError) {
        let temporary = path + ".new"
        unsafe unlink(temporary)
        let number = unsafe cl_open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        do throws(SystemError) {
            // Before the rename: behind it nothing may fail that says nothing was changed.
            let folder = isSynced ? try openFolder(of: path) : nil
            defer { if let folder { _ = fsync(folder); _ = close(folder) } }
            guard writeAll(number, bytes) else { throw SystemError("write") }
            guard !isSynced || fsync(file.rawValue) == 0 else { throw SystemError("fsync") }
            guard unsafe rename(temporary, path) == 0 else { throw SystemError("rename") }
        } catch {
            // What could not be put in its place may be a secret.
            unsafe unlink(temporary)
            throw error
        }
    }

    /// Waits until the file and its place in its folder are on the disk.
    package static func sync(_ path: String) throws(SystemError) {
        let number = unsafe cl_open(path, O_RDONLY, 0)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        guard fsync(file.rawValue) == 0 else { throw SystemError("fsync") }
        let folder = try openFolder(of: path)
        _ = fsync(folder)
        _ = close(folder)
    }

    private static func openFolder(of path: String) throws(SystemError) -> Int32 {
        let folder = unsafe cl_open(parent(of: path), O_RDONLY, 0)
        guard folder >= 0 else { throw SystemError("open") }
        return folder
    }

    /// Takes a lock on a file, made with mode 0600 where it is missing, for as long as what is
    /// returned lives, and no longer than this process.
    ///
    /// - Returns: `nil` where another process holds it.
    package static func lock(_ path: String) throws(SystemError) -> Descriptor? {
        let number = unsafe cl_open(path, O_RDWR | O_CREAT, 0o600)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        guard cl_lock(number) == 0 else {
            if cl_errno() == EWOULDBLOCK { return nil }
            throw SystemError("flock")
        }
        return file
    }

    /// Maps `size` bytes of a file, made with mode 0600 where it is missing: a store is in the
    /// kernel's hands at once and survives a kill of this process.
    package static func mapShared(_ path: String, size: Int) throws(SystemError) -> SharedWords {
        let number = unsafe cl_open(path, O_RDWR | O_CREAT, 0o600)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        guard let base = unsafe cl_map_shared(file.rawValue, size) else {
            throw SystemError("mmap")
        }
        // SAFETY: the mapping is `size` bytes long, page-aligned, and lives until it is unmapped.
        return unsafe SharedWords(region: UnsafeMutableRawBufferPointer(start: base, count: size)) {
            unsafe munmap($0, size)
        }
    }

    /// Makes the folder and its parents; one that exists is fine.
    package static func makeFolder(_ path: String, mode: UInt32) throws(SystemError) {
        if unsafe mkdir(path, mode_t(mode)) == 0 { return }
        if cl_errno() == ENOENT, path.utf8.count > 1 {
            try makeFolder(parent(of: path), mode: mode)
            if unsafe mkdir(path, mode_t(mode)) == 0 { return }
        }
        guard cl_errno() == EEXIST else { throw SystemError("mkdir") }
        guard isFolder(path) else { throw SystemError("mkdir", number: ENOTDIR) }
    }

    private static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return false }
        return unsafe cl_is_directory(&facts) != 0
    }

    /// A new folder of our own (mode 0700) with a name nobody can guess.
    package static func makeTemporaryFolder(prefix: String) throws(SystemError) -> String {
        var template = Array((temporaryRoot + "/" + prefix + ".XXXXXX").utf8CString)
        // SAFETY: mkdtemp changes the template's last six characters in place.
        let made = unsafe template.withUnsafeMutableBufferPointer { text in
            guard let start = text.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        guard made else { throw SystemError("mkdtemp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var temporaryRoot: String {
        guard let value = unsafe getenv("TMPDIR"), unsafe value.pointee != 0 else { return "/tmp" }
        return unsafe String(cString: value)
    }

    package static func isWritableFolder(_ path: String) -> Bool {
        guard isFolder(path) else { return false }
        return unsafe access(path, W_OK | X_OK) == 0
    }

    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    package static func remove(_ path: String) {
        unsafe unlink(path)
    }

    /// Removes a folder of ours with its files and those of the folders in it.
    package static func removeFolder(_ path: String) {
        unsafe cl_remove_folder(path, 2)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Writes everything, waiting as long as it takes; false where the descriptor is broken.
    package static func writeAll(_ number: Int32, _ bytes: borrowing Span<UInt8>) -> Bool {
        var offset = 0
        while offset < bytes.count {
            // SAFETY: the range lies in the span.
            let written = unsafe bytes.withUnsafeBufferPointer { source in
                let start = unsafe source.baseAddress.map { unsafe $0 + offset }
                return unsafe write(number, start, source.count - offset)
            }
            if written > 0 {
                offset += written
            } else if written < 0, cl_errno() == EAGAIN {
                var waiting = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waiting, 1, 1_000)
            } else if written == 0 || cl_errno() != EINTR {
                return false
            }
        }
        return true
    }
}
