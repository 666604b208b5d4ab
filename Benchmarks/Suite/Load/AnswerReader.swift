// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1

/// Reads one answer after the other and drops their content.
struct AnswerReader {
    private static let limits = HeadLimits()

    private var parser = ResponseHeadParser()
    /// Of the answer whose head has been read.
    private var body: BodyDecoder?
    private var status = 0

    /// - Returns: `.answered` once for each answer, else `.pending`, or `.ended` at a fault.
    mutating func read(_ plain: inout Buffer, _ desk: inout ClientDesk) -> ClientConnection.Progress
    {
        do {
            while body == nil {
                guard try readHead(&plain, &desk) else {
                    plain.compact()
                    return .pending
                }
            }
            return try skipBody(&plain) ? .answered(status: status) : .pending
        } catch {
            return .ended
        }
    }

    /// - Returns: whether there was a whole one.
    private mutating func readHead(
        _ plain: inout Buffer, _ desk: inout ClientDesk
    ) throws(HeadFault) -> Bool {
        guard !plain.isEmpty else { return false }
        let progress = try parser.parse(
            plain.readable, limits: Self.limits, requestMethod: .get, into: &desk.head)
        guard case .complete(let count) = progress else { return false }
        if desk.keepsHeadText { desk.headText = plain.readable.extracting(0..<count).string }
        plain.consume(count)
        if !desk.head.isInterim {
            status = desk.head.status
            body = BodyDecoder(desk.head.framing)
        }
        return true
    }

    /// - Returns: whether its end was there.
    private mutating func skipBody(_ plain: inout Buffer) throws(BodyFault) -> Bool {
        guard var decoder = body else { return false }
        while true {
            let event = try decoder.next(plain.readable, from: 0)
            plain.consume(event.consumed)
            switch event {
            case .data, .trailer: continue
            case .needMore:
                body = decoder
                return false
            case .end:
                body = nil
                return true
            }
        }
    }
}
