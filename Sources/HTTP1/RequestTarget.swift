// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Why a target is refused.
package enum TargetFault: Error, Equatable {
    /// Not what RFC 3986 calls a path: bad percent-encoding, no leading slash.
    case malformed
    /// Two servers may read two paths in it: `path_ambiguous`.
    case ambiguous
}

/// A target whose path means the same to everyone.
package struct JudgedTarget: Equatable, Sendable {
    /// The normalised target lies in the scratch buffer from its start on, instead of in the
    /// target as it was given.
    package var isRewritten: Bool
    /// Of the path; it begins at offset 0.
    package var pathCount: Int
    /// Of path and query with the `?` between them.
    package var count: Int

    package var path: Range<Int> { 0..<pathCount }

    /// What is to be sent upstream.
    package var whole: Range<Int> { 0..<count }

    /// The query without its `?`; empty too where there is none.
    package var query: Range<Int> { min(pathCount + 1, count)..<count }
}

/// Normalises paths: unreserved characters are decoded, dot segments resolved and empty segments
/// dropped (RFC 3986 §6.2.2), and what is left encoded is so in upper case. The query is opaque.
///
/// A path that servers are known to read in two ways is refused rather than repaired:
/// - an encoded `/`, `\`, NUL or other control, and a plain `\`;
/// - `;` directly behind a dot segment or an empty one (`/..;/`, `/;x/`), plain or encoded, and
///   any `;` with a dot segment after it, since some servers cut path parameters off first.
///
/// Empty segments go before dot segments are resolved, and `..` at the root stays there: servers
/// differ in both, so what is forwarded is what was matched.
package struct RequestTarget: ~Copyable {
    /// - Parameters:
    ///   - target: path and query, without controls, space and `#`, as ``RequestHead/pathRange``
    ///     gives it; empty or beginning with `?` where an absolute-form target had no path; `*`.
    ///   - scratch: attached; used, from empty, only for paths that normalisation changes.
    package static func judge(
        _ target: Span<UInt8>, scratch: inout Buffer
    ) throws(TargetFault) -> JudgedTarget {
        let pathCount = target.firstOffset(of: UInt8(ascii: "?")) ?? target.count
        let path = target.extracting(0..<pathCount)
        if isPlain(path) {
            return JudgedTarget(isRewritten: false, pathCount: pathCount, count: target.count)
        }
        guard pathCount == 0 || path[0] == UInt8(ascii: "/") else { throw .malformed }
        precondition(scratch.isAttached && target.count < Slab.capacity)
        scratch.clear()
        var normaliser = PathNormaliser()
        try normaliser.run(path, into: &scratch)
        let normalisedCount = scratch.count
        scratch.append(target.extracting(pathCount..<target.count))
        return JudgedTarget(
            isRewritten: true, pathCount: normalisedCount, count: scratch.count)
    }

    /// Whether normalisation would leave the path as it is. It may say no without need.
    private static func isPlain(_ path: Span<UInt8>) -> Bool {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else {
            return path.count == 1 && path[0] == UInt8(ascii: "*")
        }
        var offset = 0
        // One byte of overlap, so that a pair is seen wherever it lies.
        while offset <= path.count &- 8 {
            if isSuspicious(path.word(at: offset)) { return false }
            offset &+= 7
        }
        var isAfterSlash = false
        while offset < path.count {
            switch path[offset] {
            case UInt8(ascii: "%"), .backslash, .semicolon: return false
            case UInt8(ascii: "."): if isAfterSlash { return false }
            case UInt8(ascii: "/"):
                if isAfterSlash { return false }
                isAfterSlash = true
                offset &+= 1
                continue
            default: break
            }
            isAfterSlash = false
            offset &+= 1
        }
        return true
    }

    /// Whether a word of eight path bytes has `%`, `\`, `;`, `//` or `/.` in it.
    @inline(__always)
    private static func isSuspicious(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let percent = word ^ (ones &* 0x25)
        let backslash = word ^ (ones &* 0x5C)
        let semicolon = word ^ (ones &* 0x3B)
        let slash = word ^ (ones &* 0x2F)
        // `.` and `/` differ in the lowest bit alone.
        let slashOrDot = (word & (ones &* 0xFE)) ^ (ones &* 0x2E)
        let single =
            ((percent &- ones) & ~percent) | ((backslash &- ones) & ~backslash)
            | ((semicolon &- ones) & ~semicolon)
        let slashes = (slash &- ones) & ~slash
        let followers = (slashOrDot &- ones) & ~slashOrDot
        return (single | (slashes & (followers >> 8))) & (ones &* 0x80) != 0
    }
}
