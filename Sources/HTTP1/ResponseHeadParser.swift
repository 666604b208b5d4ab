// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Bytes to a ``ResponseHead``, as strictly and in the same way as ``RequestHeadParser``.
package struct ResponseHeadParser: Sendable {
    private var hasStatusLine = false
    private var cursor = FieldCursor()

    package init() {}

    /// Forgets what was seen: for the next message.
    package mutating func reset() {
        hasStatusLine = false
        cursor = FieldCursor()
    }

    /// - Parameters:
    ///   - bytes: begin where the message does; a later call has more of the same.
    ///   - requestMethod: what is answered, since an answer to HEAD has no content.
    package mutating func parse(
        _ bytes: Span<UInt8>, limits: HeadLimits, requestMethod: Method,
        into head: inout ResponseHead
    ) throws(HeadFault) -> HeadProgress {
        let isResumed = cursor.offset > 0 || cursor.scanned > 0
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
        head.framing = try .ofResponse(
            head.fields, in: window, minorVersion: head.minorVersion, status: head.status,
            to: requestMethod)
        head.connection = try ConnectionOptions(head.fields, in: window)
        head.keepsAlive =
            head.framing != .untilClose
            && head.connection.keepsAlive(minorVersion: head.minorVersion)
        reset()
        return .complete(count: head.count)
    }

    private mutating func walk(
        _ bytes: Span<UInt8>, _ limits: HeadLimits, _ head: inout ResponseHead
    ) throws(HeadFault) -> Bool {
        head.fields.reset()
        if !hasStatusLine {
            guard try readStatusLine(bytes, &head) else { return false }
            hasStatusLine = true
        }
        return try cursor.walk(bytes, fieldCount: limits.fieldCount, into: &head.fields)
    }

    /// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 §4). The second space may
    /// be missing where no reason follows: some servers leave it out, and it has but one reading.
    private mutating func readStatusLine(
        _ bytes: Span<UInt8>, _ head: inout ResponseHead
    ) throws(HeadFault) -> Bool {
        guard let minorVersion = try Version.read(bytes, at: 0) else { return false }
        guard let status = try readStatus(bytes) else { return false }
        let afterStatus = Version.count + 4
        guard afterStatus < bytes.count else { return false }
        let hasSpace = bytes[afterStatus] == .space
        guard hasSpace || bytes[afterStatus] == .carriageReturn else {
            throw .malformed(bytes[afterStatus] == .lineFeed ? .bareLineFeed : .statusLine)
        }
        let reason = hasSpace ? afterStatus + 1 : afterStatus
        let from = max(reason, cursor.scanned)
        guard let end = try FieldLine.lineEnd(bytes, from: from, &cursor.scanned) else {
            return false
        }
        head.minorVersion = minorVersion
        head.status = status
        head.reasonOffset = reason
        head.reasonCount = end &- reason
        cursor.offset = end &+ 2
        cursor.scanned = 0
        return true
    }

    private func readStatus(_ bytes: Span<UInt8>) throws(HeadFault) -> Int? {
        var status = 0
        for index in 0..<4 {
            let offset = Version.count + index
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            guard index == 0 ? byte == .space : byte.isDigit else {
                throw .malformed(byte == .lineFeed ? .bareLineFeed : .statusLine)
            }
            if index > 0 { status = status * 10 + Int(byte &- UInt8(ascii: "0")) }
        }
        guard status >= 100, status <= 599 else { throw .malformed(.status) }
        return status
    }
}
