// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Policy
import Reactor

/// A secret's whole content, in memory that wipes itself.
enum SecretFile {
    /// A certificate with a long chain fits well.
    static let bytesMax = 1 << 20

    static func read(_ path: String) throws(FileFault) -> SecretBytes {
        do {
            return try Files.withSecret(path, limit: bytesMax) { SecretBytes(copying: $0) }
        } catch {
            throw FileFault(error, limit: bytesMax)
        }
    }

    static func readStandardInput() throws(FileFault) -> SecretBytes {
        do {
            return try Files.withStandardInput(limit: bytesMax) { SecretBytes(copying: $0) }
        } catch {
            throw FileFault(error, limit: bytesMax)
        }
    }
}

extension SecretBytes {
    /// Without a byte order mark, and without white space around it: what editors and mounts add
    /// to a secret.
    var trimmed: Range<Int> {
        let bytes = span
        var start = 0
        var end = bytes.count
        if end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
        while start < end, Self.isWhiteSpace(bytes[start]) { start += 1 }
        while end > start, Self.isWhiteSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    /// For a command that sends it on.
    var trimmedText: String {
        let range = trimmed
        let bytes = span
        return bytes.extracting(range).string
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == .space || (byte >= .tab && byte <= .carriageReturn)
    }
}
