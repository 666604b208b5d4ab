// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Policy
import Reactor
import Telemetry

extension WorkerContext {
    /// Leaves a problem document in `line`.
    ///
    /// - Returns: its length in bytes.
    mutating func problemBody(_ problem: Problem, requestID: Span<UInt8>) -> Int {
        line.clear()
        line.append("{\"type\":\"https://agentport.dev/problems/")
        line.append(problem.code)
        line.append("\",\"title\":\"")
        line.append(problem.title)
        line.append("\",\"status\":")
        line.append(decimal: problem.status)
        line.append(",\"code\":\"")
        line.append(problem.code)
        line.append("\",\"detail\":\"")
        line.append(problem.detail)
        line.append("\",\"request_id\":\"")
        line.append(requestID)
        line.append("\"}\n")
        return line.count
    }

    /// Appends what lies in `line` to `plain`.
    mutating func appendLine() {
        var text = Buffer()
        swap(&text, &line)
        plain.append(text.readable)
        swap(&text, &line)
    }

    /// RFC 9110 §10.2.1; the route's methods, or those of the key set.
    mutating func appendAllow(route: Int) {
        plain.append("allow: ")
        if route >= 0 {
            let methods = generation.methods(ofRoute: route)
            plain.append(
                text: methods.isEmpty
                    ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
                    : methods.joined(separator: ", "))
        } else {
            plain.append("GET, HEAD")
        }
        plain.append("\r\n")
    }

    /// Whether `If-None-Match` names the key set's entity tag (RFC 9110 §13.1.2).
    func knowsKeySet(_ bytes: Span<UInt8>) -> Bool {
        let tag = generation.jwks.entityTag
        for index in 0..<head.fieldCount where head[index].name == .other {
            guard head[index].name(in: bytes).equalsIgnoringCase("if-none-match") else { continue }
            var list = ListCursor(range: head[index].valueRange)
            while let element = list.next(in: bytes) {
                var text = bytes.extracting(element)
                // Comparison is weak here (§8.8.3.2).
                if text.hasPrefix("W/") { text = text.extracting(2..<text.count) }
                if text.equals("*") || text.equals(tag.span) { return true }
            }
        }
        return false
    }

    mutating func appendRequestID(to buffer: inout Buffer) {
        UUIDv7.append(milliseconds: now.wallMilliseconds, random: &random, to: &buffer)
    }

    /// Nanoseconds since this turn of the loop began.
    var elapsed: UInt64 { Clock.monotonicNanoseconds() - now.nanoseconds }
}
