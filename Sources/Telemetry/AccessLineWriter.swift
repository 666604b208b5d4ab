// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Writes access lines: one JSON object and a line feed each, without allocating.
///
/// Members that do not apply are left out (`jq` reads an absent member as null), but for `filter`,
/// which is null where nothing was refused; `status`, `code`,
/// the byte counts and the times are always there.
package struct AccessLineWriter: ~Copyable {
    /// What a path is cut to, in bytes; `…` then stands for the rest.
    package static var pathLengthMax: Int { 1024 }
    /// The same for every other text.
    package static var textLengthMax: Int { 256 }

    private var timestamp = Timestamp()
    private let codes: NameTable
    private let shadows: NameTable
    private let filters: NameTable
    private let routes: NameTable
    private let upstreams: NameTable

    package init(schema: MetricsSchema) {
        codes = NameTable(key: "code", names: schema.codes)
        shadows = NameTable(key: "shadow", names: schema.codes)
        filters = NameTable(key: "filter", names: schema.filters)
        routes = NameTable(key: "route", names: schema.routes)
        upstreams = NameTable(key: "upstream", names: schema.upstreams)
    }

    /// Appends the line of one request; an empty text is one that does not apply.
    ///
    /// - Parameters:
    ///   - path: without its query, which may hold secrets.
    ///   - tls: version or suite, as in `TLSv1.3`.
    ///   - serverName: what the client asked for (RFC 6066 §3).
    /// - Returns: false where the buffer lacks the room; it is then as it was.
    package mutating func write(
        _ record: AccessRecord,
        requestID: borrowing Span<UInt8>,
        traceID: borrowing Span<UInt8>,
        spanID: borrowing Span<UInt8>,
        client: borrowing Span<UInt8>,
        agent: borrowing Span<UInt8>,
        user: borrowing Span<UInt8>,
        method: borrowing Span<UInt8>,
        path: borrowing Span<UInt8>,
        tls: borrowing Span<UInt8>,
        serverName: borrowing Span<UInt8>,
        into buffer: inout Buffer
    ) -> Bool {
        let count = buffer.count
        let overflowed = buffer.overflowed
        buffer.overflowed = false

        buffer.append("{\"ts\":\"")
        timestamp.write(record.realtimeNanoseconds, into: &buffer)
        // Each text's closing quote is written with what follows it.
        buffer.append(Self.opening(record.level))
        write("\",\"request_id\":\"", requestID, into: &buffer)
        write("\",\"trace_id\":\"", traceID, into: &buffer)
        write("\",\"span_id\":\"", spanID, into: &buffer)
        write("\",\"client\":\"", client, into: &buffer)
        write("\",\"agent\":\"", agent, into: &buffer)
        write("\",\"user\":\"", user, into: &buffer)
        write("\",\"method\":\"", method, into: &buffer)
        write("\",\"path\":\"", path, max: Self.pathLengthMax, into: &buffer)
        buffer.append("\",\"status\":")
        buffer.append(decimal: record.status)
        codes.write(record.code, into: &buffer)
        if record.filter < 0 {
            buffer.append(",\"filter\":null")
        } else {
            filters.write(record.filter, into: &buffer)
        }
        shadows.write(record.shadow, into: &buffer)
        routes.write(record.route, into: &buffer)
        upstreams.write(record.upstream, into: &buffer)
        if record.upstreamStatus > 0 {
            buffer.append(",\"upstream_status\":")
            buffer.append(decimal: record.upstreamStatus)
        }
        writeAmounts(record, into: &buffer)
        if tls.count > 0 {
            write(",\"tls\":\"", tls, into: &buffer)
            if serverName.count > 0 { write("\",\"sni\":\"", serverName, into: &buffer) }
            buffer.append("\"}\n")
        } else {
            buffer.append("}\n")
        }

        let isWhole = !buffer.overflowed
        if !isWhole { buffer.truncate(to: count) }
        buffer.overflowed = overflowed
        return isWhole
    }

    private func writeAmounts(_ record: AccessRecord, into buffer: inout Buffer) {
        buffer.append(",\"bytes_in\":")
        buffer.append(decimal: UInt(record.bytesIn))
        buffer.append(",\"bytes_out\":")
        buffer.append(decimal: UInt(record.bytesOut))
        buffer.append(",\"duration_us\":")
        buffer.append(decimal: UInt(record.durationMicroseconds))
        buffer.append(",\"gateway_us\":")
        buffer.append(decimal: UInt(record.gatewayMicroseconds))
    }

    private func write(
        _ opening: StaticString, _ text: borrowing Span<UInt8>,
        max: Int = AccessLineWriter.textLengthMax, into buffer: inout Buffer
    ) {
        guard text.count > 0 else { return }
        buffer.append(opening)
        if text.count <= max {
            buffer.append(escaped: text)
        } else {
            var end = max
            // Not inside of a character: a sequence has at most three bytes after its first.
            while end > max - 3, text[end] & 0xC0 == 0x80 { end -= 1 }
            buffer.append(escaped: text.extracting(0..<end))
            buffer.append("…")
        }
    }

    private static func opening(_ level: LogLevel) -> StaticString {
        switch level {
        case .debug: "\",\"level\":\"debug\",\"msg\":\"request"
        case .info: "\",\"level\":\"info\",\"msg\":\"request"
        case .warn: "\",\"level\":\"warn\",\"msg\":\"request"
        case .error: "\",\"level\":\"error\",\"msg\":\"request"
        }
    }
}
