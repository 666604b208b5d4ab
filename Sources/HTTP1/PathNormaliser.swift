// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The slow half of ``RequestTarget``: writes a path's segments one by one, and takes back what a
/// dot segment undoes.
struct PathNormaliser {
    private var sawParameter = false

    /// - Parameter path: empty, or beginning with a slash.
    mutating func run(_ path: Span<UInt8>, into output: inout Buffer) throws(TargetFault) {
        // Invariant: the output is empty or begins with a slash; it ends in one exactly when the
        // next segment is to follow without another.
        output.append(UInt8(ascii: "/"))
        var offset = 1
        while offset <= path.count {
            var end = offset
            while end < path.count, path[end] != UInt8(ascii: "/") { end &+= 1 }
            let isLast = end >= path.count
            try add(path.extracting(min(offset, path.count)..<end), isLast: isLast, to: &output)
            offset = end &+ 1
        }
    }

    private mutating func add(
        _ segment: Span<UInt8>, isLast: Bool, to output: inout Buffer
    ) throws(TargetFault) {
        let start = output.count
        let firstParameter = try decode(segment, into: &output)
        let count = output.count - start
        if let firstParameter {
            sawParameter = true
            let isHollow = firstParameter == 0 || Self.isDots(output, start, firstParameter)
            if isHollow { throw .ambiguous }
        }
        if count == 0 {
            // It adds nothing; an empty last segment is the trailing slash, which is there.
            return
        }
        guard Self.isDots(output, start, count) else {
            if !isLast { output.append(UInt8(ascii: "/")) }
            return
        }
        if sawParameter { throw .ambiguous }
        output.truncate(to: start)
        if count == 2 { stepUp(&output) }
    }

    private static func isDots(_ output: borrowing Buffer, _ start: Int, _ count: Int) -> Bool {
        guard count == 1 || count == 2 else { return false }
        let bytes = output.readable
        return bytes[start] == UInt8(ascii: ".")
            && bytes[start &+ count &- 1] == UInt8(ascii: ".")
    }

    /// Takes the last segment back: the output ends in a slash, and so it does afterwards. The
    /// root has none (RFC 3986 §5.2.4).
    private func stepUp(_ output: inout Buffer) {
        var end = output.count &- 1
        guard end > 0 else { return }
        while output.readable[end &- 1] != UInt8(ascii: "/") { end &-= 1 }
        output.truncate(to: end)
    }

    /// Writes one segment with its unreserved characters decoded. Answers where in what was
    /// written its first `;` lies, plain or encoded.
    private func decode(
        _ segment: Span<UInt8>, into output: inout Buffer
    ) throws(TargetFault) -> Int? {
        let start = output.count
        var firstParameter: Int?
        var offset = 0
        while offset < segment.count {
            let byte = segment[offset]
            if byte == .backslash { throw .ambiguous }
            if byte == .semicolon, firstParameter == nil { firstParameter = output.count - start }
            guard byte == UInt8(ascii: "%") else {
                output.append(byte)
                offset &+= 1
                continue
            }
            guard segment.count &- offset >= 3, let high = Hex.value(segment[offset &+ 1]),
                let low = Hex.value(segment[offset &+ 2])
            else { throw .malformed }
            let decoded = high << 4 | low
            if Self.changesMeaning(decoded) { throw .ambiguous }
            if decoded == .semicolon, firstParameter == nil {
                firstParameter = output.count - start
            }
            if Self.isUnreserved(decoded) {
                output.append(decoded)
            } else {
                output.append(byte)
                output.append(Self.upperDigit(high))
                output.append(Self.upperDigit(low))
            }
            offset &+= 3
        }
        return firstParameter
    }

    private static func changesMeaning(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || byte == .backslash
    }

    /// RFC 3986 §2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }

    private static func upperDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "A") &+ (value &- 10)
    }
}
