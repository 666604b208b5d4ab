// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Writers of heads and chunks. Names and values are the caller's to vouch for: they come from a
/// parsed head, which has no controls in them, or from us.
extension Buffer {
    /// `HTTP/1.1 status reason`, the reason ours.
    package mutating func appendStatusLine(_ status: Int) {
        append("HTTP/1.1 ")
        append(decimal: UInt(truncatingIfNeeded: status), width: 3)
        append(.space)
        append(Status.reason(status))
        append("\r\n")
    }

    /// `HTTP/1.1 status reason`, the reason as an upstream gave it.
    package mutating func appendStatusLine(_ status: Int, reason: Span<UInt8>) {
        append("HTTP/1.1 ")
        append(decimal: UInt(truncatingIfNeeded: status), width: 3)
        append(.space)
        append(reason)
        append("\r\n")
    }

    package mutating func appendRequestLine(_ method: Span<UInt8>, target: Span<UInt8>) {
        append(method)
        append(.space)
        append(target)
        append(" HTTP/1.1\r\n")
    }

    package mutating func appendField(_ name: StaticString, _ value: Span<UInt8>) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    package mutating func appendField(_ name: StaticString, _ value: StaticString) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    package mutating func appendField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    package mutating func appendField(_ name: StaticString, decimal value: UInt64) {
        append(name)
        append(": ")
        append(decimal: UInt(value))
        append("\r\n")
    }

    /// The field that tells the other side how the content ends.
    package mutating func appendFraming(_ framing: BodyFraming) {
        switch framing {
        case .none, .untilClose: break
        case .length(let count): appendField("content-length", decimal: count)
        case .chunked: appendField("transfer-encoding", "chunked")
        }
    }

    /// The empty line that ends a head or a trailer section.
    package mutating func appendHeadEnd() {
        append("\r\n")
    }

    // MARK: Chunks

    /// What a chunk of `count` bytes takes beyond its content: size, two CRLFs.
    package static func chunkOverhead(_ count: Int) -> Int {
        let bits = Int.bitWidth - count.leadingZeroBitCount
        return max(1, (bits + 3) / 4) + 4
    }

    /// One chunk. An empty one would end the body, so nothing is written for it.
    package mutating func appendChunk(_ data: Span<UInt8>) {
        guard data.count > 0 else { return }
        append(hexadecimal: UInt(data.count))
        append("\r\n")
        append(data)
        append("\r\n")
    }

    /// The last chunk and an empty trailer section.
    package mutating func appendLastChunk() {
        append("0\r\n\r\n")
    }

    /// The last chunk; trailer fields and ``appendHeadEnd()`` follow.
    package mutating func appendLastChunkBeforeTrailers() {
        append("0\r\n")
    }
}
