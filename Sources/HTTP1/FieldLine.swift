// SPDX-License-Identifier: Apache-2.0
import Bytes

/// One field line (RFC 9112 §5): a name, a colon, a value, CRLF.
struct FieldLine {
    var name: Range<Int>
    /// Without the white space around it.
    var value: Range<Int>
    var kind: FieldName
    /// After the CRLF.
    var end: Int

    /// Reads the line that begins at `start`; `nil` while its end is not there.
    ///
    /// - Parameter scanned: up to where the unfinished line's value is known to be good; a later
    ///   call with more bytes goes on from there.
    @inline(__always)
    static func scan(
        _ bytes: Span<UInt8>, at start: Int, scanned: inout Int
    ) throws(HeadFault) -> FieldLine? {
        var hasUnderscore = false
        guard let colon = try nameEnd(bytes, from: start, &hasUnderscore) else { return nil }
        guard let end = try lineEnd(bytes, from: max(colon &+ 1, scanned), &scanned) else {
            return nil
        }
        var low = colon &+ 1
        var high = end
        while low < high, bytes[low] == .space || bytes[low] == .tab { low &+= 1 }
        while low < high, bytes[high &- 1] == .space || bytes[high &- 1] == .tab { high &-= 1 }
        let kind =
            hasUnderscore
            ? FieldName.classifyUnderscored(bytes.extracting(start..<colon))
            : FieldName.classify(bytes, at: start, count: colon &- start)
        return FieldLine(name: start..<colon, value: low..<high, kind: kind, end: end &+ 2)
    }

    /// The offset of the colon, or `nil` while it is not there.
    @inline(__always)
    private static func nameEnd(
        _ bytes: Span<UInt8>, from start: Int, _ hasUnderscore: inout Bool
    ) throws(HeadFault) -> Int? {
        let limit = min(bytes.count, start &+ HeadLimits.fieldNameBytesMax &+ 1)
        var offset = start
        while offset < limit {
            if offset <= bytes.count &- 8 {
                let plain = plainNameBytes(bytes.word(at: offset))
                offset &+= plain
                if plain == 8 { continue }
                if offset >= limit { break }
            }
            let byte = bytes[offset]
            if byte == .colon, offset > start { return offset }
            guard byte.isTokenCharacter else { throw fault(byte, atStart: offset == start) }
            if byte == UInt8(ascii: "_") { hasUnderscore = true }
            offset &+= 1
        }
        if limit &- start > HeadLimits.fieldNameBytesMax { throw .headersTooLarge }
        return nil
    }

    /// How many of a word's bytes, from the first on, are letters or `-`: what most names consist
    /// of. Exact, not a guess: no borrow runs between bytes.
    @inline(__always)
    private static func plainNameBytes(_ word: UInt64) -> Int {
        let high: UInt64 = 0x8080_8080_8080_8080
        let folded = (word | 0x2020_2020_2020_2020) & ~high
        let fromA = folded &+ 0x1F1F_1F1F_1F1F_1F1F
        let beyondZ = folded &+ 0x0505_0505_0505_0505
        let dash = word ^ 0x2D2D_2D2D_2D2D_2D2D
        let notDash = ((dash & ~high) &+ ~high) | dash
        let plain = (fromA & ~beyondZ & ~word) | ~notDash
        return (~plain & high).trailingZeroBitCount &>> 3
    }

    private static func fault(_ byte: UInt8, atStart: Bool) -> HeadFault {
        switch byte {
        // obs-fold, or white space between the start line and the first field (§2.2, §5.2).
        case .space where atStart, .tab where atStart: .malformed(.foldedLine)
        case .lineFeed: .malformed(.bareLineFeed)
        // White space between name and colon too (§5.1): one parser would keep it, one not.
        default: .malformed(.fieldName)
        }
    }

    /// The offset of the CRLF, or `nil` while it is not there.
    ///
    /// Values may hold tabs and opaque bytes above 127 (RFC 9110 §5.5) but no other control: NUL,
    /// a bare CR and a bare LF end a line for some parsers and not for others.
    @inline(__always)
    static func lineEnd(
        _ bytes: Span<UInt8>, from start: Int, _ scanned: inout Int
    ) throws(HeadFault) -> Int? {
        var offset = start
        while true {
            offset = bytes.firstOffsetOfControl(from: offset)
            guard offset < bytes.count else { break }
            switch bytes[offset] {
            case .tab:
                offset &+= 1
            case .carriageReturn:
                guard offset &+ 1 < bytes.count else {
                    scanned = offset
                    return nil
                }
                guard bytes[offset &+ 1] == .lineFeed else {
                    throw .malformed(.bareCarriageReturn)
                }
                return offset
            case .lineFeed:
                throw .malformed(.bareLineFeed)
            default:
                throw .malformed(.control)
            }
        }
        scanned = offset
        return nil
    }
}
