// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1

extension MicroCase {
    /// A request's head of 529 bytes with 12 fields, there in one piece.
    static let requestHead = MicroCase("request-head") { measure in
        let bytes = Sample.requestHead
        guard bytes.count == 529 else { throw BenchmarkFault.failed("\(bytes.count) bytes") }
        let limits = HeadLimits()
        var parser = RequestHeadParser()
        var head = RequestHead()
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                guard
                    case .complete(let length) = try parser.parse(
                        bytes.span, limits: limits, into: &head)
                else { throw BenchmarkFault.failed("incomplete") }
                sum &+= length &+ head.fieldCount
            }
            guard head.fieldCount == 12 else { throw BenchmarkFault.failed("not 12 fields") }
            return sum
        }
    }

    /// An answer's head of 6 fields.
    static let responseHead = MicroCase("response-head") { measure in
        let bytes = Sample.responseHead
        let limits = HeadLimits()
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                guard
                    case .complete(let length) = try parser.parse(
                        bytes.span, limits: limits, requestMethod: .post, into: &head)
                else { throw BenchmarkFault.failed("incomplete") }
                sum &+= length &+ head.status
            }
            return sum
        }
    }

    /// The parsed request's head written anew: request line, 11 fields, framing.
    static let headWriting = MicroCase("head-writing") { measure in
        let bytes = Sample.requestHead
        var parser = RequestHeadParser()
        var head = RequestHead()
        _ = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        var pool = SlabPool(bound: 1)
        var output = Buffer()
        guard output.attach(from: &pool) else { throw BenchmarkFault.failed("no slab") }
        defer { output.release(to: &pool) }
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                output.clear()
                output.appendRequestLine(
                    bytes.span.extracting(head.methodRange),
                    target: bytes.span.extracting(head.pathRange))
                for index in 0..<head.fieldCount where head[index].name != .contentLength {
                    output.appendField(
                        head[index].name(in: bytes.span), head[index].value(in: bytes.span))
                }
                output.appendFraming(head.framing)
                output.appendHeadEnd()
                sum &+= output.count
            }
            return sum
        }
    }
}
