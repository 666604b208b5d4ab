// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// Secrets: read without leaving a copy, and made without replacing one.
extension Files {
    /// Lends the whole file to `body` and wipes it afterwards; one beyond `limit` bytes is refused
    /// with `EFBIG`. A pipe is read to its end.
    package static func withSecret<Outcome>(
        _ path: String, limit: Int, _ body: (Span<UInt8>) -> Outcome
    ) throws(SystemError) -> Outcome {
        let number = unsafe cl_open(path, O_RDONLY, 0)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        return try lend(file.rawValue, limit: limit, body)
    }

    /// As above, of standard input. One that is closed counts as empty.
    package static func withStandardInput<Outcome>(
        limit: Int, _ body: (Span<UInt8>) -> Outcome
    ) throws(SystemError) -> Outcome {
        do {
            return try lend(STDIN_FILENO, limit: limit, body)
        } catch {
            guard error.number == EBADF else { throw error }
            let nothing: [UInt8] = []
            return body(nothing.span)
        }
    }

    /// A new file with these bytes; one that exists is left as it is (`EEXIST`).
    package static func create(
        _ path: String, with bytes: borrowing Span<UInt8>, mode: UInt32
    ) throws(SystemError) {
        let number = unsafe cl_open(path, O_WRONLY | O_CREAT | O_EXCL, mode)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        guard writeAll(file.rawValue, bytes), fsync(file.rawValue) == 0 else {
            let error = SystemError("write")
            remove(path)
            throw error
        }
    }

    private static func lend<Outcome>(
        _ number: Int32, limit: Int, _ body: (Span<UInt8>) -> Outcome
    ) throws(SystemError) -> Outcome {
        var facts = stat()
        // SAFETY: fstat fills the structure it is given.
        guard unsafe fstat(number, &facts) == 0 else { throw SystemError("stat") }
        guard unsafe cl_is_directory(&facts) == 0 else { throw SystemError("read", number: EISDIR) }
        // One byte more, so that the end is seen without another round; a pipe tells no size.
        let sizeHint = max(4096, min(limit, Int(facts.st_size))) + 1
        var bytes = [UInt8](repeating: 0, count: min(limit + 1, sizeHint))
        defer { wipe(&bytes) }
        var count = 0
        while true {
            guard count <= limit else { throw SystemError("read", number: EFBIG) }
            if count == bytes.count {
                var larger = [UInt8](repeating: 0, count: min(limit + 1, 2 * count))
                for index in 0..<count { larger[index] = bytes[index] }
                wipe(&bytes)
                bytes = larger
            }
            let received = receive(number, into: &bytes, at: count)
            if received == 0 { break }
            guard received > 0 else {
                if cl_errno() == EINTR { continue }
                throw SystemError("read")
            }
            count += received
        }
        return body(bytes.span.extracting(0..<count))
    }

    private static func receive(_ number: Int32, into bytes: inout [UInt8], at offset: Int) -> Int {
        // SAFETY: at most what lies behind `offset` is written; the caller keeps it in range.
        unsafe bytes.withUnsafeMutableBytes { region in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: region[offset...])
            return unsafe CLinux.read(number, room.baseAddress, room.count)
        }
    }

    /// Not a loop of our own: the compiler may drop stores to memory that nobody reads again.
    private static func wipe(_ bytes: inout [UInt8]) {
        // SAFETY: the region is the array's own storage.
        unsafe bytes.withUnsafeMutableBytes { region in
            if let start = region.baseAddress { unsafe explicit_bzero(start, region.count) }
        }
    }
}
