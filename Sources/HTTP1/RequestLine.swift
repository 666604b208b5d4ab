// SPDX-License-Identifier: Apache-2.0
import Bytes

/// `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).
struct RequestLine {
    let start: Int
    /// Up to where the target of an unfinished line is known to be good.
    var scanned: Int
    var method = Method.other
    var methodEnd = 0
    var targetEnd = 0
    var minorVersion: UInt8 = 1
    /// After the CRLF.
    var end = 0

    init(start: Int, scanned: Int) {
        self.start = start
        self.scanned = scanned
    }

    /// False while the line's end is not there.
    @inline(__always)
    mutating func scan(_ bytes: Span<UInt8>) throws(HeadFault) -> Bool {
        guard try readMethod(bytes) else { return false }
        guard try readTarget(bytes) else { return false }
        guard let version = try Version.read(bytes, at: targetEnd &+ 1) else { return false }
        minorVersion = version
        let tail = targetEnd &+ 1 &+ Version.count
        guard tail < bytes.count else { return false }
        guard bytes[tail] == .carriageReturn else {
            throw .malformed(bytes[tail] == .lineFeed ? .bareLineFeed : .version)
        }
        guard tail &+ 1 < bytes.count else { return false }
        guard bytes[tail &+ 1] == .lineFeed else { throw .malformed(.bareCarriageReturn) }
        end = tail &+ 2
        return true
    }

    private mutating func readMethod(_ bytes: Span<UInt8>) throws(HeadFault) -> Bool {
        if start <= bytes.count &- 8, readCommonMethod(bytes.word(at: start)) { return true }
        let limit = min(bytes.count, start &+ Method.lengthMax &+ 1)
        var offset = start
        while offset < limit {
            let byte = bytes[offset]
            if byte == .space, offset > start {
                methodEnd = offset
                method = Method(bytes.extracting(start..<offset))
                return true
            }
            guard byte.isTokenCharacter else {
                throw .malformed(byte == .lineFeed ? .bareLineFeed : .method)
            }
            offset &+= 1
        }
        if limit &- start > Method.lengthMax { throw .malformed(.method) }
        return false
    }

    /// The two methods that nearly all requests have, each told by one comparison.
    @inline(__always)
    private mutating func readCommonMethod(_ word: UInt64) -> Bool {
        if word & 0xFF_FFFF_FFFF == ("POST " as StaticString).firstWord {
            method = .post
            methodEnd = start &+ 4
            return true
        }
        if word & 0xFFFF_FFFF == ("GET " as StaticString).firstWord {
            method = .get
            methodEnd = start &+ 3
            return true
        }
        return false
    }

    /// A target is visible ASCII without `#` (no part of a target) and `"`, `<`, `>`, which RFC
    /// 3986 excludes and every client encodes. The others it excludes (`\`, `^`, `` ` ``, `{`,
    /// `|`, `}`) browsers send in queries; what they mean in a path is for ``RequestTarget``.
    private mutating func readTarget(_ bytes: Span<UInt8>) throws(HeadFault) -> Bool {
        let first = methodEnd &+ 1
        var offset = max(first, scanned)
        while offset <= bytes.count &- 8 {
            let plain = Self.plainTargetBytes(bytes.word(at: offset))
            offset &+= plain
            if plain < 8 { break }
        }
        while offset < bytes.count, Self.isPlain(bytes[offset]) { offset &+= 1 }
        guard offset < bytes.count else {
            scanned = offset
            return false
        }
        guard bytes[offset] == .space, offset > first else {
            throw .malformed(bytes[offset] == .lineFeed ? .bareLineFeed : .target)
        }
        targetEnd = offset
        return true
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte & 0xFE != 0x22 && byte & 0xFD != 0x3C
    }

    /// How many of a word's bytes, from the first on, ``isPlain(_:)``.
    @inline(__always)
    private static func plainTargetBytes(_ word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let control = (word &- ones &* 0x21) & ~word
        let delete = word ^ (ones &* 0x7F)
        let quoteOrHash = (word & (ones &* 0xFE)) ^ (ones &* 0x22)
        let angle = (word & (ones &* 0xFD)) ^ (ones &* 0x3C)
        // A borrow can mark a byte above a true hit falsely, never below it, and only the lowest
        // mark is used.
        let hits =
            control | word | ((delete &- ones) & ~delete)
            | ((quoteOrHash &- ones) & ~quoteOrHash) | ((angle &- ones) & ~angle)
        return (hits & (ones &* 0x80)).trailingZeroBitCount &>> 3
    }
}

/// `HTTP/1.0` or `HTTP/1.1` (RFC 9112 §2.3).
enum Version {
    static var count: Int { 8 }

    /// The minor version; `nil` while its end is not there.
    @inline(__always)
    static func read(_ bytes: Span<UInt8>, at offset: Int) throws(HeadFault) -> UInt8? {
        guard offset &+ count <= bytes.count else {
            try checkBeginning(bytes.extracting(min(offset, bytes.count)..<bytes.count))
            return nil
        }
        let word = bytes.word(at: offset)
        if word == ("HTTP/1.1" as StaticString).firstWord { return 1 }
        if word == ("HTTP/1.0" as StaticString).firstWord { return 0 }
        try checkBeginning(bytes.extracting(offset..<(offset &+ count)))
        throw .versionUnsupported
    }

    private static func checkBeginning(_ part: Span<UInt8>) throws(HeadFault) {
        let pattern: InlineArray<8, UInt8> = [0x48, 0x54, 0x54, 0x50, 0x2F, 0x30, 0x2E, 0x30]
        for index in part.indices {
            let isDigit = index == 5 || index == 7
            guard isDigit ? part[index].isDigit : part[index] == pattern[index] else {
                throw .malformed(part[index] == .lineFeed ? .bareLineFeed : .version)
            }
        }
    }
}
