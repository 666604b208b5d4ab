// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Bytes to a ``RequestHead`` (RFC 9112 §2 to §6), refusing whatever two parsers could read
/// differently.
///
/// A head that is there in one piece is parsed in one pass. One that comes in pieces is checked
/// line by line as it comes, each byte once (but for a few of a name), and parsed in one pass when
/// it is complete: the head that is filled may have served other connections in between. A fault
/// is told as soon as it is certain, and never depends on how the bytes were cut.
///
/// One empty line before the request line is skipped (RFC 9112 §2.2 asks for at least one); a
/// second one is malformed.
package struct RequestHeadParser: Sendable {
    private enum Stage { case leadingLine, requestLine, fields }

    private var stage = Stage.leadingLine
    private var cursor = FieldCursor()

    package init() {}

    /// Forgets what was seen: for the next message.
    package mutating func reset() {
        stage = .leadingLine
        cursor = FieldCursor()
    }

    /// - Parameter bytes: begin where the message does; a later call has more of the same.
    package mutating func parse(
        _ bytes: Span<UInt8>, limits: HeadLimits, into head: inout RequestHead
    ) throws(HeadFault) -> HeadProgress {
        let isResumed = cursor.offset > 0 || cursor.scanned > 0
        // What lies beyond the limit is never looked at, so a fault there cannot hide that the
        // head is too large from one who sees it whole.
        let window = bytes.extracting(0..<min(bytes.count, limits.headBytes))
        var isComplete = try walk(window, limits, &head)
        if isComplete, isResumed {
            reset()
            isComplete = try walk(window, limits, &head)
        }
        guard isComplete else {
            if bytes.count >= limits.headBytes { throw .headersTooLarge }
            return .needMore
        }
        head.count = cursor.offset
        try head.interpret(window)
        reset()
        return .complete(count: head.count)
    }

    /// True once the empty line that ends the head has been read.
    private mutating func walk(
        _ bytes: Span<UInt8>, _ limits: HeadLimits, _ head: inout RequestHead
    ) throws(HeadFault) -> Bool {
        head.fields.reset()
        if stage == .leadingLine {
            guard bytes.count > 0 else { return false }
            if bytes[0] == .carriageReturn {
                guard bytes.count > 1 else { return false }
                guard bytes[1] == .lineFeed else { throw .malformed(.bareCarriageReturn) }
                cursor.offset = 2
            }
            stage = .requestLine
        }
        if stage == .requestLine {
            guard try readRequestLine(bytes, limits, &head) else { return false }
            stage = .fields
        }
        return try cursor.walk(bytes, fieldCount: limits.fieldCount, into: &head.fields)
    }

    private mutating func readRequestLine(
        _ bytes: Span<UInt8>, _ limits: HeadLimits, _ head: inout RequestHead
    ) throws(HeadFault) -> Bool {
        let (limit, overflow) = limits.requestLineBytes.addingReportingOverflow(cursor.offset &+ 2)
        let isLimited = !overflow && bytes.count >= limit
        let window = bytes.extracting(0..<(isLimited ? limit : bytes.count))
        var line = RequestLine(start: cursor.offset, scanned: cursor.scanned)
        guard try line.scan(window) else {
            if isLimited { throw .uriTooLong }
            cursor.scanned = line.scanned
            return false
        }
        head.method = line.method
        head.methodOffset = line.start
        head.methodCount = line.methodEnd &- line.start
        head.targetOffset = line.methodEnd &+ 1
        head.targetCount = line.targetEnd &- head.targetOffset
        head.minorVersion = line.minorVersion
        cursor.offset = line.end
        cursor.scanned = 0
        return true
    }
}
